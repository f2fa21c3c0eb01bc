import { link, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '../../lib/store/database.ts';
import { HeldDatabase, checkDatabaseFile, realDatabase } from '../../lib/store/database-file.ts';
import { acquireLock } from '../../lib/store/lock.ts';
import { CRAWL, KEY, command, run } from './provoke.ts';
import type { Row, Said } from './row.ts';
import { foreign, ofStore, refused, databaseOf, withDatabase } from './disk.ts';

/** The number of the newest migration changes with each one. */
function withoutNumber({ text, exitCode }: Said): Said {
  return { text: text.replace(/(?<=this one knows )\d+/, '<number>'), exitCode };
}

/** What is said of a database file before it is opened. */
function beforeOpening(
  when: string,
  prepare: (path: string) => Promise<unknown>,
  text: readonly [string, string],
): Row {
  return {
    when,
    provoke: async (folder) => {
      const path = databaseOf(folder);
      await prepare(path);
      return refused(() => checkDatabaseFile(path, { current: 7, next: 8 }));
    },
    text,
    next: text[1],
  };
}

/** What is said when the file is exchanged under the hands of a run. */
function exchanged(
  when: string,
  exchange: (path: string) => Promise<unknown>,
  text: readonly [string, string],
): Row {
  return {
    when,
    provoke: async (folder) => {
      const path = databaseOf(folder);
      const database = await Database.open(path);
      const marks = { current: null, next: 8 };
      const held = await HeldDatabase.hold(database, path, { marks, remember: () => Promise.resolve() });
      await exchange(path);
      const said = await refused(() => Promise.resolve().then(() => held.check()));
      await held.close();
      return said;
    },
    text,
    next: text[1],
  };
}

async function empty(path: string): Promise<void> {
  const database = await Database.open(path);
  await database.close();
}

const WAL_NEXT =
  'Nothing was changed. Either put back the etsy_data.db that was there when sync-data last ran, or move etsy_data.db-wal and etsy_data.db-shm to another folder; then start sync-data again.';

export const databaseFile: readonly Row[] = [
  beforeOpening(
    'a -wal of another moment beside a copy that was put back',
    async (path) => {
      await empty(path);
      await writeFile(`${path}-wal`, 'frames');
    },
    [
      'etsy_data.db-wal does not belong to <folder>/etsy_data.db: it has changes for another copy of the file.',
      WAL_NEXT,
    ],
  ),
  beforeOpening('a -wal without a database', (path) => writeFile(`${path}-wal`, 'frames'), [
    'There is no <folder>/etsy_data.db, but a etsy_data.db-wal with changes for one.',
    WAL_NEXT,
  ]),
  beforeOpening(
    'a database with a second name',
    async (path) => {
      await empty(path);
      await link(path, `${path}.second`);
    },
    [
      '<folder>/etsy_data.db has 2 names (hard links).',
      'Under each name SQLite would keep changes of its own, and damage the file. Make it a file of its own: cp -p <folder>/etsy_data.db <folder>/etsy_data.db.new && mv <folder>/etsy_data.db.new <folder>/etsy_data.db',
    ],
  ),
  exchanged('a database that is moved during a run', (path) => rename(path, `${path}.old`), [
    '<folder>/etsy_data.db was moved or deleted while sync-data was using it.',
    'Put it back, or name its new place in pipeline.yaml under data: database, then start sync-data again.',
  ]),
  exchanged(
    'a database that is replaced during a run',
    async (path) => {
      await writeFile(`${path}.new`, 'another');
      await rename(`${path}.new`, path);
    },
    [
      '<folder>/etsy_data.db was replaced by another file while sync-data was using it.',
      'The new file was left unchanged. To continue with it, start sync-data again.',
    ],
  ),
  exchanged('a -wal that is taken away during a run', (path) => rename(`${path}-wal`, `${path}-wal.old`), [
    '<folder>/etsy_data.db-wal was moved or deleted while sync-data was using it.',
    'All that was written by then is in the database. Leave both files alone and start sync-data again.',
  ]),
  exchanged('a database that is overwritten during a run', (path) => writeFile(path, 'another'), [
    '<folder>/etsy_data.db was overwritten while sync-data was using it.',
    'To continue with the file that is there now, start sync-data again.',
  ]),
  {
    when: 'a folder of the database on a disk that is not connected',
    provoke: (folder) =>
      refused(() => realDatabase(join(folder.path, 'disk', 'etsy_data.db'), join(folder.path, 'home'))),
    text: [
      'The folder <folder>/disk does not exist.',
      'If it is on a disk that is not connected, connect it. If it is to be a new one, create it, then start sync-data again.',
    ],
    next: 'If it is on a disk that is not connected, connect it. If it is to be a new one, create it, then start sync-data again.',
  },
  {
    when: 'a database that a newer sync-data has written',
    provoke: async (folder) => {
      await withDatabase(folder, {}, (database) =>
        database.write((tx) => tx.run('PRAGMA user_version = 99')),
      );
      return withoutNumber(await run(folder));
    },
    text: [
      '<folder>/etsy_data.db: written by a newer sync-data (schema 99, this one knows <number>)',
      'Update sync-data on this machine, or name another file in pipeline.yaml under data: database.',
    ],
    next: 'Update sync-data on this machine, or name another file in pipeline.yaml under data: database.',
    exitCode: 2,
  },
  {
    when: 'the same, asked for its status',
    provoke: async (folder) => {
      await run(folder);
      await withDatabase(folder, {}, (database) =>
        database.write((tx) => tx.run('PRAGMA user_version = 99')),
      );
      return withoutNumber(await command(folder, ['status']));
    },
    text: [
      '<folder>/etsy_data.db: written by a newer sync-data (schema 99, this one knows <number>)',
      'Update sync-data on this machine, or name another file in pipeline.yaml under data: database.',
    ],
    next: 'Update sync-data on this machine, or name another file in pipeline.yaml under data: database.',
    exitCode: 2,
  },
  {
    when: 'the database of another program',
    provoke: async (folder) => {
      await withDatabase(folder, {}, (database) =>
        database.write((tx) => tx.script('CREATE TABLE moz_places (id, url); CREATE TABLE moz_hosts (id)')),
      );
      return run(folder);
    },
    text: [
      '<folder>/etsy_data.db is the database of another program (its tables: moz_hosts, moz_places). Nothing in it was changed.',
      'Name another file in pipeline.yaml under data: database.',
    ],
    next: 'Name another file in pipeline.yaml under data: database.',
    exitCode: 2,
  },
  {
    when: 'a database that is none',
    provoke: async (folder) => {
      await folder.write({ 'etsy_data.db': 'not a database '.repeat(100) });
      return run(folder);
    },
    text: [
      '<folder>/etsy_data.db: SQLITE_NOTADB: file is not a database',
      'Either this is not a SQLite database (then name the right file in pipeline.yaml under data: database), or its first page is damaged (then restore a copy). Nothing was changed.',
    ],
    next: 'Either this is not a SQLite database (then name the right file in pipeline.yaml under data: database), or its first page is damaged (then restore a copy). Nothing was changed.',
    exitCode: 1,
  },
  {
    when: 'a database with a damaged page',
    provoke: async (folder) => {
      await run(folder);
      // After a start that was killed, the inspection is waited for.
      const lock = await acquireLock(databaseOf(folder), { pid: 4711, since: 0 });
      if ('release' in lock) await lock.release(false);
      const file = await open(databaseOf(folder), 'r+');
      await file.write(Buffer.alloc(2, 0x5a), 0, 2, 20 * 4096 + 1);
      await file.close();
      const { text, exitCode } = await run(folder);
      return { text: text.replace(/(?<=the file is damaged: ).+/, '<damage>'), exitCode };
    },
    text: [
      '<folder>/etsy_data.db: the file is damaged: <damage>',
      'The file is damaged; sync-data does not repair it. Restore a copy, or rescue what is readable with: sqlite3 FILE ".recover" | sqlite3 NEW_FILE',
    ],
    next: 'The file is damaged; sync-data does not repair it. Restore a copy, or rescue what is readable with: sqlite3 FILE ".recover" | sqlite3 NEW_FILE',
    exitCode: 1,
  },
  {
    when: 'a folder in the place of the database',
    provoke: async (folder) => {
      await mkdir(databaseOf(folder));
      return run(folder);
    },
    text: [
      '<folder>/etsy_data.db: SQLITE_CANTOPEN: unable to open database file',
      'Check that the folder exists and is writable, then start sync-data again.',
    ],
    next: 'Check that the folder exists and is writable, then start sync-data again.',
    exitCode: 1,
  },
  {
    when: 'a file in the place of the folder of the database',
    provoke: async (folder) => {
      await folder.write({
        data: '',
        'pipeline.yaml': `data: { database: data/etsy.db }\nstages:\n${CRAWL}`,
      });
      return command(folder, [], { ETSY_API_KEY: KEY });
    },
    text: [
      '<folder>/data: file already exists',
      'A file with the name of the folder is in the way. Move it, then start sync-data again.',
    ],
    next: 'A file with the name of the folder is in the way. Move it, then start sync-data again.',
    exitCode: 1,
  },
  {
    when: 'a database that another program has locked',
    provoke: async (folder) => {
      const other = await Database.openRollback(databaseOf(folder));
      await other.run('CREATE TABLE t (a)');
      await other.run('BEGIN EXCLUSIVE');
      try {
        return await refused(() => Database.open(databaseOf(folder), { busyTimeoutMs: 1 }));
      } finally {
        await other.close();
      }
    },
    text: [
      '<folder>/etsy_data.db: SQLITE_BUSY: database is locked',
      'Another program has locked the database. Close it (perhaps a database browser), then start sync-data again.',
    ],
    next: 'Another program has locked the database. Close it (perhaps a database browser), then start sync-data again.',
  },
  {
    when: 'a database that may not be written',
    provoke: async (folder) => {
      await run(folder);
      return withDatabase(folder, { readOnly: true }, (database) =>
        database.write((tx) => tx.run("INSERT INTO sync_state VALUES ('a', 'b')")),
      );
    },
    text: [
      '<folder>/etsy_data.db: SQLITE_READONLY: attempt to write a readonly database',
      'The file or its folder is read-only. Make both writable, then start sync-data again.',
    ],
    next: 'The file or its folder is read-only. Make both writable, then start sync-data again.',
  },
  {
    when: 'a database that may not grow',
    provoke: async (folder) => {
      await run(folder);
      return withDatabase(folder, {}, (database) =>
        database.write(async (tx) => {
          await tx.get('PRAGMA max_page_count = 1');
          await tx.run("INSERT INTO sync_state VALUES ('a', hex(zeroblob(1000000)))");
        }),
      );
    },
    text: [
      '<folder>/etsy_data.db: SQLITE_FULL: database or disk is full',
      'The disk is full. Free some space, then start sync-data again; it resumes from the last checkpoint.',
    ],
    next: 'The disk is full. Free some space, then start sync-data again; it resumes from the last checkpoint.',
  },
  {
    when: 'a database without a table that it had',
    provoke: async (folder) => {
      await run(folder);
      return withDatabase(folder, {}, (database) => database.read.get('SELECT * FROM shelves'));
    },
    text: [
      '<folder>/etsy_data.db: SQLITE_ERROR: no such table: shelves',
      'The last checkpoint is safe; start sync-data again to resume.',
    ],
    next: 'The last checkpoint is safe; start sync-data again to resume.',
  },
  foreign('a disk under the database that fails', ofStore('SQLITE_IOERR', 'disk I/O error'), [
    '<folder>/etsy_data.db: SQLITE_IOERR: disk I/O error',
    'Reading or writing the file failed. Check the disk and its free space, then start sync-data again.',
  ]),
];
