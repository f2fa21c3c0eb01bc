import { installationFault } from '../../lib/installation.ts';
import { spawn } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { whoseElse } from '../../lib/pipeline/find.ts';
import { Database } from '../../lib/store/database.ts';
import { acquireLock } from '../../lib/store/lock.ts';
import { CRAWL, KEY, command, run } from './provoke.ts';
import type { Folder, Row, Said } from './row.ts';

const PIPELINE = `stages:\n${CRAWL}`;
const ENV = { ETSY_API_KEY: KEY };

/** What is said of a command line. */
function typed(when: string, argv: readonly string[], text: readonly string[]): Row {
  return {
    when,
    provoke: (folder) => command(folder, argv),
    text,
    next: 'For usage: npx sync-data --help',
    exitCode: 2,
  };
}

const OWN = { uid: 1000, mode: 0o755 };

export const usage: readonly Row[] = [
  typed(
    'an option that there is not',
    ['--fast'],
    ["sync-data: unknown option '--fast'", 'For usage: npx sync-data --help'],
  ),
  typed(
    '--stage without a stage',
    ['--stage'],
    ["sync-data: option '--stage <value>' argument missing", 'For usage: npx sync-data --help'],
  ),
  typed(
    '--stage with an option in its place',
    ['--stage', '--json'],
    ["sync-data: option '--stage' argument is ambiguous", 'For usage: npx sync-data --help'],
  ),
  typed(
    '--json with a value',
    ['status', '--json=yes'],
    ["sync-data: option '--json' does not take an argument", 'For usage: npx sync-data --help'],
  ),
  typed(
    'two words',
    ['status', 'report'],
    ['sync-data: expected one command, got: status, report', 'For usage: npx sync-data --help'],
  ),
  typed(
    'a misspelt word',
    ['statsu'],
    [
      'sync-data: unknown command "statsu" (did you mean status?); the commands are: status, report, search, worker',
      'For usage: npx sync-data --help',
    ],
  ),
  typed(
    'another word',
    ['everything'],
    [
      'sync-data: unknown command "everything"; the commands are: status, report, search, worker',
      'For usage: npx sync-data --help',
    ],
  ),
  typed(
    'a word with --stage',
    ['status', '--stage', 'crawl'],
    ['sync-data: --stage belongs to a run, not to status', 'For usage: npx sync-data --help'],
  ),
  typed(
    '--json for a run',
    ['--json'],
    ['sync-data: --json is for status and search', 'For usage: npx sync-data --help'],
  ),
  {
    when: 'no pipeline.yaml',
    provoke: (folder) => command(folder),
    text: [
      'No pipeline.yaml in <folder> or any folder above it.',
      'Copy the one that ships with sync-data into a folder of your own and start there: <sync-data>/pipeline.yaml',
    ],
    next: 'Copy the one that ships with sync-data into a folder of your own and start there: <sync-data>/pipeline.yaml',
    exitCode: 2,
  },
  {
    when: 'a folder in place of pipeline.yaml',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml/note.txt': '' });
      return command(folder);
    },
    text: [
      'cannot read <folder>/pipeline.yaml: it is a folder, not a file',
      'Nothing was started. Make it a file that you can read, and start again.',
    ],
    next: 'Nothing was started. Make it a file that you can read, and start again.',
    exitCode: 2,
  },
  {
    when: 'a pipeline.yaml above, which any user may change',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE, 'below/note.txt': '' });
      await chmod(join(folder.path, 'pipeline.yaml'), 0o666);
      return command({ ...folder, path: join(folder.path, 'below') });
    },
    text: [
      '<folder>/pipeline.yaml was not read: any user of this computer may change it, and you started in a folder below it.',
      'If you trust it, start in <folder>. Otherwise put a pipeline.yaml of your own into this folder.',
    ],
    next: 'If you trust it, start in <folder>. Otherwise put a pipeline.yaml of your own into this folder.',
    exitCode: 2,
  },
  {
    when: 'a pipeline.yaml of another user, reached by a link above',
    provoke: () => Promise.resolve({ text: whoseElse(1000, OWN, { ...OWN, uid: 1001 }) ?? 'nothing' }),
    text: ['it belongs to another user'],
    next: 'it belongs to another user',
  },
  {
    when: 'a folder in place of .env, and no key in the environment',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE, '.env/note.txt': '' });
      return command(folder);
    },
    text: [
      'The API key cannot be read: <folder>/.env is a folder, not a file',
      'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret into a file named .env beside pipeline.yaml, or into the environment.',
    ],
    next: 'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret into a file named .env beside pipeline.yaml, or into the environment.',
    exitCode: 2,
  },
  {
    when: 'no key',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      return command(folder);
    },
    text: [
      'There is no ETSY_API_KEY.',
      'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret into a file named .env beside pipeline.yaml, or into the environment.',
    ],
    next: 'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret into a file named .env beside pipeline.yaml, or into the environment.',
    exitCode: 2,
  },
  {
    when: 'a key without its shared secret',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE, '.env': 'ETSY_API_KEY=abcdefgh12345678' });
      return command(folder);
    },
    text: [
      'ETSY_API_KEY in .env, line 1 has no shared secret: Etsy refuses a keystring alone.',
      'Both are on the page of your app at https://www.etsy.com/developers/your-apps: ETSY_API_KEY=keystring:shared_secret',
    ],
    next: 'Both are on the page of your app at https://www.etsy.com/developers/your-apps: ETSY_API_KEY=keystring:shared_secret',
    exitCode: 2,
  },
  {
    when: 'a key with a curly quote',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE, '.env': `# mine\nETSY_API_KEY=\u201c${KEY}\u201d\n` });
      return command(folder);
    },
    text: [
      'ETSY_API_KEY in .env, line 2: character 1 of 38 is U+201C LEFT DOUBLE QUOTATION MARK, which is not part of a key.',
      'Type that place again, or paste the key as plain text. A key is made of ordinary letters and digits: ETSY_API_KEY=keystring:shared_secret',
    ],
    next: 'Type that place again, or paste the key as plain text. A key is made of ordinary letters and digits: ETSY_API_KEY=keystring:shared_secret',
    exitCode: 2,
  },
  {
    when: 'an invisible character in a key of the environment',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      return command(folder, [], { ETSY_API_KEY: `${KEY}\u200b` });
    },
    text: [
      'ETSY_API_KEY in the environment: character 37 of 37 is U+200B ZERO WIDTH SPACE, which is not part of a key.',
      'Type that place again, or paste the key as plain text. A key is made of ordinary letters and digits: ETSY_API_KEY=keystring:shared_secret',
    ],
    next: 'Type that place again, or paste the key as plain text. A key is made of ordinary letters and digits: ETSY_API_KEY=keystring:shared_secret',
    exitCode: 2,
  },
  {
    when: 'a stage that there is not',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': `${PIPELINE}${CRAWL.replace('crawl', 'again')}` });
      return command(folder, ['--stage', 'crwal']);
    },
    text: ['There is no stage "crwal" in pipeline.yaml.', 'Name one of these: crawl, again'],
    next: 'Name one of these: crawl, again',
    exitCode: 2,
  },
  {
    when: 'a KILL file from before',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE, KILL: '' });
      return spawned(folder);
    },
    text: ['The file <folder>/KILL exists, so nothing was started.', 'Remove it and start again.'],
    next: 'Remove it and start again.',
    exitCode: 75,
  },
  {
    when: 'a KILL file touched while the command was loaded',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE, KILL: '' });
      return command(folder);
    },
    text: ['Stopped by the KILL file before the first stage started.', 'To resume: npx sync-data'],
    next: 'To resume: npx sync-data',
    exitCode: 75,
  },
  {
    when: 'a system that lets too few files be open at once',
    provoke: () => {
      const full = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      const fault = installationFault(full);
      return Promise.resolve({ text: `${fault?.message}\n${fault?.hint}` });
    },
    text: [
      'Too many files are open (EMFILE): this system allows too few at once.',
      'Allow more, then start sync-data again: ulimit -n 256',
    ],
    next: 'Allow more, then start sync-data again: ulimit -n 256',
  },
  {
    when: 'another run under way',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      const lock = await acquireLock(join(folder.path, 'etsy_data.db'), { pid: 4711, since: Date.now() });
      try {
        return await command(folder, [], ENV);
      } finally {
        if ('release' in lock) await lock.release(true);
      }
    },
    text: [
      'Another sync-data is using <folder>/etsy_data.db: process <pid>, since <time>.',
      'Let it finish, or stop it with: touch <folder>/KILL',
    ],
    next: 'Let it finish, or stop it with: touch <folder>/KILL',
    exitCode: 3,
  },
  {
    when: 'a run under way that was started with another pipeline.yaml on the same database',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      const pipeline = join(folder.path, 'other', 'pipeline.yaml');
      const me = { pid: 4711, since: Date.now(), pipeline };
      const lock = await acquireLock(join(folder.path, 'etsy_data.db'), me);
      try {
        return await command(folder, [], ENV);
      } finally {
        if ('release' in lock) await lock.release(true);
      }
    },
    text: [
      'Another sync-data is using <folder>/etsy_data.db: process <pid>, since <time>, started with <folder>/other/pipeline.yaml.',
      'Two installations cannot use one database at the same time. Let that one finish, or name another file in pipeline.yaml under data: database.',
    ],
    next: 'Two installations cannot use one database at the same time. Let that one finish, or name another file in pipeline.yaml under data: database.',
    exitCode: 1,
  },
  {
    when: 'another run that begins at the same moment',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      return locking(join(folder.path, 'etsy_data.db.lock'), () => command(folder, [], ENV));
    },
    text: [
      'Another sync-data is using <folder>/etsy_data.db: a process that has just started.',
      'Let it finish, or stop it with: touch <folder>/KILL',
    ],
    next: 'Let it finish, or stop it with: touch <folder>/KILL',
    exitCode: 3,
  },
  {
    when: 'a database that takes long to be inspected, after a start that was killed',
    provoke: async (folder) => {
      const database = join(folder.path, 'etsy_data.db');
      const lock = await acquireLock(database, { pid: 4711, since: 0 });
      if ('release' in lock) await lock.release(false);
      let told = (): void => undefined;
      const isTold = new Promise<void>((resolve) => {
        told = resolve;
      });
      let ended: ReturnType<typeof run> | undefined;
      await locking(database, async () => {
        ended = run(folder, { onText: told });
        await isTold;
      });
      return { text: (await ended)?.stderr ?? '' };
    },
    text: [
      'The last run did not end cleanly: <folder>/etsy_data.db is checked first, then the run proceeds.',
    ],
    next: 'is checked first, then the run proceeds.',
  },
  {
    when: 'status before the first run',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      return command(folder, ['status']);
    },
    text: [
      'There is no <folder>/etsy_data.db yet: nothing has been fetched.',
      'The first run creates it: npx sync-data',
    ],
    next: 'The first run creates it: npx sync-data',
    exitCode: 2,
  },
  {
    when: 'report before the first run',
    provoke: async (folder) => {
      await folder.write({ 'pipeline.yaml': PIPELINE });
      return command(folder, ['report']);
    },
    text: ['There is no database to report on: <folder>/etsy_data.db', 'Run a sync first: npx sync-data'],
    next: 'Run a sync first: npx sync-data',
    exitCode: 2,
  },
  {
    when: 'report, and its file cannot be written',
    provoke: async (folder) => {
      await run(folder);
      await replaceByFolder(folder);
      return command(folder, ['report']);
    },
    text: [
      '<folder>/report.html: illegal operation on a directory',
      'A folder with the name of the file is in the way. Move it, then start sync-data again.',
    ],
    next: 'A folder with the name of the file is in the way. Move it, then start sync-data again.',
    exitCode: 1,
  },
  {
    when: 'the report at the end of a run cannot be written',
    provoke: async (folder) => {
      await replaceByFolder(folder);
      const { stdout } = await run(folder);
      return { text: /^The report could[^]*/m.exec(stdout)?.[0] ?? '' };
    },
    text: [
      'The report could not be written. The run itself is complete.',
      '<folder>/report.html: illegal operation on a directory',
      'A folder with the name of the file is in the way. Move it, then start sync-data again.',
      'To try again: npx sync-data report',
    ],
    next: 'To try again: npx sync-data report',
  },
];

async function replaceByFolder(folder: Folder): Promise<void> {
  const { rm } = await import('node:fs/promises');
  await rm(join(folder.path, 'report.html'), { force: true });
  await mkdir(join(folder.path, 'report.html', 'inside'), { recursive: true });
}

/** While nobody else can read the database file. */
async function locking<T>(path: string, work: () => Promise<T>): Promise<T> {
  const file = await Database.openRollback(path);
  await file.run('BEGIN EXCLUSIVE');
  try {
    return await work();
  } finally {
    await file.run('ROLLBACK');
    await file.close();
  }
}

/** The command in a process of its own. */
async function spawned(folder: Folder): Promise<Said> {
  const path = fileURLToPath(new URL('../../lib/sync-data.js', import.meta.url));
  const child = spawn(process.execPath, [path], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'], HOME: folder.path, npm_command: 'exec' },
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { text: out + err, exitCode: (await closed) ?? undefined };
}
