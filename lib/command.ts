import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = `Keeps a local dataset of Etsy furniture in step with Etsy, as pipeline.yaml says.

Usage
  sync-data                  run all stages, or go on where the last run stopped
  sync-data --stage <id>     run that stage alone, from its checkpoint
  sync-data report           write report.html, a page that shows what the dataset holds
  sync-data --help           this text
  sync-data --version        the version

To stop it: touch KILL beside pipeline.yaml, or Ctrl-C. Nothing is lost; the next start goes on.

Exit codes
  0  finished                       75  stopped before the end (KILL, quota); start again to go on
  1  a stage failed; start again    130, 143  after SIGINT, SIGTERM; start again to go on
  2  usage or configuration

The API key is read from ETSY_API_KEY=keystring:shared_secret, in the environment or in a file .env beside pipeline.yaml.
`;

interface Surroundings {
  readonly cwd: string;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** What can be asked for in place of a run, loaded only then. Each gives the exit code. */
const WORDS: Readonly<Record<string, () => Promise<(surroundings: Surroundings) => Promise<number>>>> = {
  report: async () => (await import('./report/command.ts')).report,
};

/**
 * The command, but for the exit itself. What it needs to run is loaded only once it is known that it will.
 * @returns the exit code
 */
export async function main(argv: readonly string[], process: NodeJS.Process): Promise<number> {
  let options;
  try {
    options = parse(argv);
    if (options.word !== undefined && !Object.hasOwn(WORDS, options.word))
      throw new Error(await unknown(options.word));
  } catch (error) {
    process.stderr.write(`sync-data: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.version) {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    process.stdout.write(`${(JSON.parse(manifest) as { version: string }).version}\n`);
    return 0;
  }
  const word = await WORDS[options.word ?? '']?.();
  if (word) return word({ cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr });
  const { session } = await import('./session.ts');
  return session({
    cwd: process.cwd(),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    onlyStage: options.stage,
  });
}

function parse(argv: readonly string[]): {
  word: string | undefined;
  stage: string | undefined;
  help: boolean;
  version: boolean;
} {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { stage: { type: 'string' }, help: { type: 'boolean' }, version: { type: 'boolean' } },
  });
  const [word, ...more] = positionals;
  if (more.length > 0) throw new Error(`One word at most is understood, not also "${more.join(' ')}".`);
  if (word !== undefined && values.stage !== undefined)
    throw new Error(`--stage is for a run; it does not go with "${word}".`);
  return { word, stage: values.stage, help: values.help ?? false, version: values.version ?? false };
}

async function unknown(word: string): Promise<string> {
  const known = Object.keys(WORDS);
  const { closest } = await import('./pipeline/validate.ts');
  const meant = closest(word, known);
  const similar = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return `"${word}" is nothing it can do.${similar} It knows: ${known.join(', ')}.`;
}
