import { parseArgs } from 'node:util';
import { version } from './version.ts';

const USAGE = `Keeps a local dataset of Etsy furniture in step with Etsy, as pipeline.yaml says.

Usage
  sync-data                  run all stages, or go on where the last run stopped
  sync-data --stage <id>     run that stage alone, from its checkpoint
  sync-data --help           this text
  sync-data --version        the version

To stop it: touch KILL beside pipeline.yaml, or Ctrl-C. Nothing is lost; the next start goes on.

Exit codes
  0  finished                       75  stopped before the end (KILL, quota); start again to go on
  1  a stage failed; start again    130, 143  after SIGINT, SIGTERM; start again to go on
  2  usage or configuration

The API key is read from ETSY_API_KEY=keystring:shared_secret, in the environment or in a file .env beside pipeline.yaml.
`;

/**
 * The command, but for the exit itself. What it needs to run is loaded only once it is known that it will.
 * @returns the exit code
 */
export async function main(argv: readonly string[], process: NodeJS.Process): Promise<number> {
  let options;
  try {
    options = parse(argv);
  } catch (error) {
    process.stderr.write(`sync-data: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.version) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const { session } = await import('./session.ts');
  return session({
    cwd: process.cwd(),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    onlyStage: options.stage,
  });
}

function parse(argv: readonly string[]): { stage: string | undefined; help: boolean; version: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    options: { stage: { type: 'string' }, help: { type: 'boolean' }, version: { type: 'boolean' } },
  });
  return { stage: values.stage, help: values.help ?? false, version: values.version ?? false };
}
