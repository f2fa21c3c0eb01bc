import { describe, exitCodeOf } from '../errors.ts';
import { loadPipeline } from '../pipeline/config.ts';
import { keyRedactor } from '../etsy/key.ts';
import { MOST_MESSAGE } from '../limits.ts';
import { clip, eachText, printable, visibleJson } from '../text/clean.ts';
import { Redactor } from '../text/redact.ts';
import { printed } from './print.ts';
import { readStatus } from './read.ts';

export interface StatusOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WritableStream;
  readonly json: boolean;
}

/** `sync-data status`: how things stand, for a person or for a program. @returns the exit code */
export async function status({ cwd, env, stdout, stderr, json }: StatusOptions): Promise<number> {
  let secrets = new Redactor([]);
  try {
    const pipeline = await loadPipeline(cwd, {
      secrets: async (folder) => (secrets = await keyRedactor(folder, env)),
      tasks: 'own',
    });
    const found = await readStatus(pipeline);
    // A database of an earlier version may hold what today would not get into it.
    eachText(found, (text) => clip(secrets.text(text), MOST_MESSAGE));
    const { kill, rules } = pipeline;
    // A pipeline of nobody's stages but one's own has nothing to say of a dataset that it does not fill.
    const hasDataset = pipeline.stages.some(({ task }) => task.tells);
    const options = {
      cwd,
      killFile: kill,
      hasDataset,
      madeSince: rules.madeSince,
      width: stdout.columns || 80,
    };
    stdout.write(json ? `${visibleJson(found, 2)}\n` : printable(printed(found, options)));
    return 0;
  } catch (error) {
    stderr.write(`${secrets.text(printable(describe(error)))}\n`);
    return exitCodeOf(error);
  }
}
