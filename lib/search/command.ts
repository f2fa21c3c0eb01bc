import { describe, exitCodeOf } from '../errors.ts';
import { UserError } from '../errors.ts';
import { keyRedactor } from '../etsy/key.ts';
import { MOST_EXAMPLES, MOST_QUERY } from '../limits.ts';
import { loadPipeline } from '../pipeline/config.ts';
import { printable, visibleJson } from '../text/clean.ts';
import { Redactor } from '../text/redact.ts';
import { asked } from './asked.ts';
import { Search } from './engine.ts';
import { printed } from './print.ts';
import { shaped } from './shape.ts';

export interface SearchOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WritableStream;
  readonly json: boolean;
  /** What follows `search`; nothing: the page. */
  readonly words: readonly string[];
}

/** `sync-data search`: words, pictures and listing ids in, listings out. Asks nothing of Etsy. @returns the exit code */
export async function search(options: SearchOptions): Promise<number> {
  const { cwd, env, stdout, stderr, json, words } = options;
  let secrets = new Redactor([]);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let engine: Search | undefined;
  try {
    const query = await asked(words, cwd);
    checkSize(query.words, query.listings.length + query.pictures.length);
    const pipeline = await loadPipeline(cwd, {
      secrets: async (folder) => (secrets = await keyRedactor(folder, env)),
      tasks: 'own',
    });
    engine = await Search.open(pipeline, stop.signal);
    if (words.length === 0) {
      if (json)
        throw new UserError('--json needs something to search for.', {
          exitCode: 2,
          hint: 'Such as: npx sync-data search oak table --json',
        });
      const { servePage } = await import('./page/serve.ts');
      return await servePage({ engine, pipeline, stdout, signal: stop.signal });
    }
    const answer = await engine.ask(query);
    const { images, cutouts } = pipeline.data;
    stdout.write(
      json
        ? `${secrets.text(visibleJson(shaped(answer, { cwd, images, cutouts }), 2))}\n`
        : secrets.text(printed(answer, { width: stdout.columns || 120, isTerminal: stdout.isTTY })),
    );
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    stderr.write(`${secrets.text(printable(describe(error)))}\n`);
    return exitCodeOf(error);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await engine?.close();
  }
}

function checkSize(words: string, examples: number): void {
  if (words.length > MOST_QUERY)
    throw new UserError(`The search has ${words.length} letters, at most ${MOST_QUERY}.`, {
      exitCode: 2,
      hint: 'Leave some words out.',
    });
  if (examples > MOST_EXAMPLES)
    throw new UserError(`The search has ${examples} pictures and listings, at most ${MOST_EXAMPLES}.`, {
      exitCode: 2,
      hint: 'Leave some out.',
    });
}
