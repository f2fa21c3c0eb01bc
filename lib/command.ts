import { parseArgs } from 'node:util';
import { cutShort, installationFault } from './installation.ts';
import type { Fault } from './installation.ts';
import type { Pipeline } from './pipeline/config.ts';
import { asTyped } from './text/typed.ts';
import { version } from './version.ts';

const USAGE = `A local, weekly history of the Etsy furniture market, as pipeline.yaml says.

Usage
  sync-data                  run all stages, or resume the run that was stopped
  sync-data --stage <id>     run that stage alone, from its checkpoint
  sync-data status           show progress and totals (no API calls; safe during a run)
  sync-data status --json    the same for programs
  sync-data report           write report.html: what the dataset holds (no API calls)
  sync-data search           find listings on a page in your browser (no API calls)
  sync-data search oak table photo.jpg 1234567890
                             the same here: by words, by pictures, by listings alike, or all together
  sync-data worker redis://host:6379
                             help another computer with cutouts and vectors (see workers: in pipeline.yaml)
  sync-data help [command]   this text, or that of one command
  sync-data --version        the version

To stop a run: touch KILL beside pipeline.yaml, or Ctrl-C. Nothing is lost; the next start resumes.

Exit codes
  0  finished                       75  stopped before the end (KILL, quota); start again to resume
  1  a stage failed; start again    130, 143, 129  after SIGINT, SIGTERM, SIGHUP; start again to resume
  2  usage or configuration         3  already running

The API key is read from ETSY_API_KEY=keystring:shared_secret, in the environment or in a file .env beside pipeline.yaml.
What happened in a run is in sync-data.log beside the database.
`;

const HELP = 'help';

interface Line {
  /** What to do in place of a run. */
  readonly word: string | undefined;
  /** What follows `search` or `worker`. */
  readonly more: readonly string[];
  readonly stage: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

interface Command {
  /** For `help <command>` and `<command> --help`. */
  readonly usage: string;
  /** @returns the exit code. Loads what it needs only now. */
  run(process: NodeJS.Process, line: Line): Promise<number>;
}

/** What can be asked for in place of a run. */
const COMMANDS: Readonly<Record<string, Command>> = {
  status: {
    usage: `sync-data status [--json]

Shows how far the dataset is, what failed and why, what is left of the API quota, and what the next run costs. Makes no
API calls and changes nothing; safe during a run. --json prints the same for programs.
`,
    async run(process, { json }) {
      const { status } = await import('./status/index.ts');
      return status({ ...streams(process), json });
    },
  },
  report: {
    usage: `sync-data report

Writes report.html beside the database: prices, what changed, shops, reviews and the quality of the data, with pictures.
One file without scripts; nothing in it is loaded from elsewhere. Makes no API calls; safe during a run. Every complete
run ends with one.
`,
    async run(process) {
      const { report } = await import('./report/command.ts');
      return report(streams(process));
    },
  },
  search: {
    usage: `sync-data search [words, pictures, listing ids] [--json]

Finds listings. Words are looked for in titles, tags and materials, and by what pictures show where the model knows
words. A picture (.jpg, .png, .webp) or a listing's id finds what looks alike; several count as their mean. Makes no API
calls; safe during a run. Prints the 20 best as a table, or with --json for programs.

With nothing behind it: serves a page on this computer alone and prints its address.
`,
    async run(process, { json, more }) {
      const { search } = await import('./search/command.ts');
      return search({ ...streams(process), json, words: more });
    },
  },
  worker: {
    usage: `sync-data worker redis://host:6379

Helps the computer that runs sync-data with cutouts and vectors: takes pictures from the Redis that it names under
workers: in pipeline.yaml, and answers. Needs no pipeline.yaml, no database and no API key. Models are fetched into the
folder models here. The password of Redis is read from SYNC_DATA_REDIS, in the environment or in a file .env here.

Runs until you stop it: touch KILL here, or Ctrl-C; the batch in hand is finished.
`,
    async run(process, { more }) {
      const { worker } = await import('./worker/command.ts');
      return worker({ ...streams(process), address: more[0] ?? '' });
    },
  },
};

function streams({ env, stdout, stderr, cwd }: NodeJS.Process) {
  return { cwd: cwd(), env, stdout, stderr };
}

/**
 * The command, but for the exit itself. What it needs to run is loaded only once it is known that it will.
 * @returns the exit code
 */
export async function main(argv: readonly string[], process: NodeJS.Process): Promise<number> {
  // A terminal or a pipe that is closed ends nothing: who writes there has noticed, or need not.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let line;
  try {
    line = parse(argv);
    await check(line);
  } catch (error) {
    process.stderr.write(
      `sync-data: ${error instanceof Error ? error.message : String(error)}\n${asTyped('For usage: npx sync-data --help')}\n`,
    );
    return 2;
  }
  if (line.help) {
    process.stdout.write(COMMANDS[line.word ?? '']?.usage ?? USAGE);
    return 0;
  }
  if (line.version) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const told = ({ message, hint }: Fault): number => {
    process.stderr.write(`${message}\n${hint}\n`);
    return 2;
  };
  const unfit = cutShort();
  if (unfit) return told(unfit);
  try {
    return await run(process, line);
  } catch (error) {
    const fault = installationFault(error);
    if (!fault) throw error;
    return told(fault);
  }
}

async function run(process: NodeJS.Process, line: Line): Promise<number> {
  const command = line.word === undefined ? undefined : COMMANDS[line.word];
  if (command) return command.run(process, line);
  const { session } = await import('./run/index.ts');
  const toGo = async (pipeline: Pipeline) => (await import('./status/to-go.ts')).toGo(pipeline);
  return session({ ...streams(process), onlyStage: line.stage, toGo });
}

function parse(argv: readonly string[]): Line {
  const { values, positionals } = parsed(argv);
  // `help status` and `status --help` are the same.
  const isHelp = positionals[0] === HELP;
  const [word, ...more] = isHelp ? positionals.slice(1).filter((one) => one !== HELP) : positionals;
  const most = word === 'search' ? Infinity : word === 'worker' ? 1 : 0;
  // What follows worker may hold a password that belongs elsewhere.
  if (more.length > most && word === 'worker') throw new Error('expected one address after worker');
  if (more.length > most) throw new Error(`expected one command, got: ${positionals.join(', ')}`);
  const { stage, json = false, help = isHelp, version: asked = false } = values;
  return { word, more, stage, json, help, version: asked };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        stage: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    // What follows its first sentence is advice on dashes.
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw new Error(first.charAt(0).toLowerCase() + first.slice(1), { cause: error });
  }
}

/** @throws Error that says which words there are, or what does not go together */
async function check({ word, more, stage, json, help }: Line): Promise<void> {
  const known = Object.keys(COMMANDS);
  if (word !== undefined && !known.includes(word)) {
    const { didYouMean } = await import('./text/nearest.ts');
    throw new Error(
      `unknown command "${word}"${didYouMean(word, [...known, HELP])}; the commands are: ${known.join(', ')}`,
    );
  }
  if (help) return;
  if (word !== undefined && stage !== undefined) throw new Error(`--stage belongs to a run, not to ${word}`);
  if (word === 'worker' && more.length === 0)
    throw new Error('worker needs the address of a Redis, such as redis://imac.local:6379');
  if (json && word !== 'status' && word !== 'search') throw new Error('--json is for status and search');
}
