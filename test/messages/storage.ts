import { link, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectImage } from '../../lib/dataset/image-files.ts';
import { ImagesFolder } from '../../lib/dataset/images-folder.ts';
import { imagesDone } from '../../lib/dataset/images.ts';
import { migrate } from '../../lib/dataset/migrations.ts';
import { describe, exitCodeOf } from '../../lib/errors.ts';
import { jumpMessage } from '../../lib/etsy/clocks.ts';
import { Database, StoreError } from '../../lib/store/database.ts';
import { asFileError } from '../../lib/errors.ts';
import { namingFile } from '../../lib/store/files.ts';
import { HeldDatabase, checkDatabaseFile, realDatabase } from '../../lib/store/database-file.ts';
import { acquireLock } from '../../lib/store/lock.ts';
import { checkRemembered, remember } from '../../lib/run/remembered.ts';
import { CRAWL, KEY, command, lines, run, timeless } from './provoke.ts';
import type { Folder, Row, Said } from './row.ts';

/** What is said of an image_metadata.json with this content. */
function metadata(content: string, text: readonly string[]): Row {
  return {
    when: `image_metadata.json is ${content}`,
    provoke: async (folder) => {
      await folder.write({ 'image_metadata.json': content });
      const { text: said, exitCode } = await run(folder);
      // What the parser says is of another wording in another version of node.
      return { text: said.replace(/(?<=is not JSON \().+(?=\))/, '<why>'), exitCode };
    },
    text,
    next: 'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
    exitCode: 2,
  };
}

/** An error that only another machine meets, as its system would tell of it. */
function foreign(when: string, error: Error, text: readonly [string, string]): Row {
  return { when, provoke: () => Promise.resolve({ text: describe(error) }), text, next: text[1] };
}

function ofSystem(code: string, said: string): Error {
  const cause = Object.assign(new Error(`${code}: ${said}, write`), { code, syscall: 'write' });
  return asFileError('<folder>/images/1.jpg', cause) as Error;
}

function ofStore(code: string, said: string): Error {
  return new StoreError('<folder>/etsy_data.db', code, new Error(`${code}: ${said}`));
}

/** Thirty images are on record, and in their folder are these files; without any, it is not there. */
async function withoutImages(folder: Folder, names: readonly string[]): Promise<Said> {
  await run(folder);
  const done = Array.from({ length: 30 }, (_, at) => {
    return { listingId: at + 1, bytes: 2000, modifiedMs: 0, sha256: null };
  });
  await withDatabase(folder, {}, (database) => database.write((tx) => imagesDone(tx, done)));
  await folder.write(Object.fromEntries(names.map((name) => [`images/${name}`, 'x'])));
  const database = await Database.open(join(folder.path, 'etsy_data.db'), { readOnly: true });
  try {
    const error: unknown = await new ImagesFolder(database.read, join(folder.path, 'images'))
      .check()
      .catch((reason: unknown) => reason);
    return { text: describe(error), exitCode: exitCodeOf(error) };
  } finally {
    await database.close();
  }
}

async function refused(work: () => Promise<unknown>): Promise<Said> {
  const error: unknown = await work().then(
    () => 'nothing went wrong',
    (reason: unknown) => reason,
  );
  return { text: describe(error) };
}

const databaseOf = (folder: Folder): string => join(folder.path, 'etsy_data.db');

async function withDatabase(
  folder: Folder,
  options: Parameters<typeof Database.open>[1],
  work: (database: Database) => Promise<unknown>,
): Promise<Said> {
  const database = await Database.open(databaseOf(folder), options);
  try {
    return await refused(() => work(database));
  } finally {
    await database.close().catch(() => undefined);
  }
}

export const metadataFile: readonly Row[] = [
  metadata('[1]', [
    'image_metadata.json:1:1: an object, starting with { is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{1: 2}', [
    'image_metadata.json:1:2: a listing id in quotes, or } is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2, }', [
    'image_metadata.json:1:10: a listing id in quotes is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1" 2}', [
    'image_metadata.json:1:6: a colon is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": }', [
    'image_metadata.json:1:7: a value is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2 "3": 4}', [
    'image_metadata.json:1:9: a comma or } is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2} 3', [
    'image_metadata.json:1:10: the end of the file is expected here',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": 2', [
    'image_metadata.json:1:8: the file ends where a comma or } is expected',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": "two', [
    'image_metadata.json:1:11: the file ends in the middle of a value',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": [1 2]}', [
    'image_metadata.json:1:6: the value of "1" is not JSON (<why>)',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  metadata('{"1": #}', [
    'image_metadata.json:1:7: unexpected "#"',
    'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
  ]),
  {
    when: 'image_metadata.json has an entry that is too large',
    provoke: async (folder) => {
      await folder.write({ 'image_metadata.json': `{"1": "${'x'.repeat(3e6)}"}` });
      return run(folder);
    },
    text: [
      'image_metadata.json:1:6: an entry has more than 1048576 bytes',
      'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
    ],
    next: 'The file was left unchanged. Correct it, or restore a good copy, then start sync-data again.',
    exitCode: 2,
  },
  {
    when: 'a folder in the place of image_metadata.json',
    provoke: async (folder) => {
      await mkdir(join(folder.path, 'image_metadata.json'));
      return run(folder);
    },
    text: [
      '<folder>/image_metadata.json is a folder, not a file',
      'Move it away, then start sync-data again.',
    ],
    next: 'Move it away, then start sync-data again.',
    exitCode: 1,
  },
];

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

export const otherFiles: readonly Row[] = [
  {
    when: 'a disk that is full',
    provoke: () => refused(() => namingFile('/dev/full', () => writeFile('/dev/full', 'a'))),
    text: [
      '/dev/full: no space left on device',
      'The disk is full. Free some space there, then start sync-data again; it resumes from the last checkpoint.',
    ],
    next: 'The disk is full. Free some space there, then start sync-data again; it resumes from the last checkpoint.',
  },
  {
    when: 'a file in the place of the images folder',
    provoke: async (folder) => {
      await folder.write({ images: '' });
      return refused(() =>
        namingFile(join(folder.path, 'images'), () =>
          mkdir(join(folder.path, 'images'), { recursive: true }),
        ),
      );
    },
    text: [
      '<folder>/images: file already exists',
      'A file with the name of the folder is in the way. Move it, then start sync-data again.',
    ],
    next: 'A file with the name of the folder is in the way. Move it, then start sync-data again.',
  },
  {
    when: 'a file in the place of a folder on the way',
    provoke: async (folder) => {
      await folder.write({ images: '' });
      const path = join(folder.path, 'images/1.jpg');
      return refused(() => namingFile(path, () => writeFile(path, 'a')));
    },
    text: [
      '<folder>/images/1.jpg: not a directory',
      'One of its folders is a file. Move that file, then start sync-data again.',
    ],
    next: 'One of its folders is a file. Move that file, then start sync-data again.',
  },
  foreign('a disk quota that is used up', ofSystem('EDQUOT', 'disk quota exceeded'), [
    '<folder>/images/1.jpg: disk quota exceeded',
    'The disk quota is used up. Free some space there, then start sync-data again; it resumes from the last checkpoint.',
  ]),
  foreign('a limit of the size of files', ofSystem('EFBIG', 'file too large'), [
    '<folder>/images/1.jpg: file too large',
    'The file is larger than the disk or your user limit allows. Raise that limit, then start sync-data again.',
  ]),
  foreign('a file that is somebody else’s', ofSystem('EACCES', 'permission denied'), [
    '<folder>/images/1.jpg: permission denied',
    'Make the file and its folder writable, then start sync-data again.',
  ]),
  foreign('too many open files', ofSystem('EMFILE', 'too many open files'), [
    '<folder>/images/1.jpg: too many open files',
    'Too many files are open. Raise the limit (ulimit -n), then start sync-data again.',
  ]),
  foreign('too many open files on the whole machine', ofSystem('ENFILE', 'file table overflow'), [
    '<folder>/images/1.jpg: file table overflow',
    'Too many files are open on this machine. Close some programs, then start sync-data again.',
  ]),
  foreign('a disk that fails', ofSystem('EIO', 'i/o error'), [
    '<folder>/images/1.jpg: i/o error',
    'Reading or writing the disk failed. Check the disk, then start sync-data again.',
  ]),
  foreign('anything else', ofSystem('ESTALE', 'stale file handle'), [
    '<folder>/images/1.jpg: stale file handle',
    'Nothing is lost. Fix the cause, then start sync-data again.',
  ]),
  {
    when: 'a folder in the place of the log',
    provoke: async (folder) => {
      await mkdir(join(folder.path, 'sync-data.log'));
      return lines(folder, /cannot write the log/);
    },
    text: [
      'sync-data: warning: cannot write the log: <folder>/sync-data.log is a folder, not a file; the run continues without it',
    ],
    next: 'the run continues without it',
  },
  {
    when: 'images on record, and no folder of images',
    provoke: (folder) => withoutImages(folder, []),
    text: [
      'The images folder <folder>/images does not exist, but 30 are on record. Is its disk mounted?',
      'Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "<folder>/images" && touch "<folder>/images/FETCH_AGAIN"',
    ],
    next: 'Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "<folder>/images" && touch "<folder>/images/FETCH_AGAIN"',
    exitCode: 2,
  },
  {
    when: 'images on record, and an empty folder',
    provoke: (folder) => withoutImages(folder, ['notes.txt']),
    text: [
      'None of the images is in <folder>/images, but 30 are on record. Is its disk mounted?',
      'Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "<folder>/images" && touch "<folder>/images/FETCH_AGAIN"',
    ],
    next: 'Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "<folder>/images" && touch "<folder>/images/FETCH_AGAIN"',
    exitCode: 2,
  },
  {
    when: 'images on record, and hardly any of them there',
    provoke: (folder) => withoutImages(folder, ['1.jpg', '2.jpg', '3.jpg']),
    text: [
      'Most of the images are missing in <folder>/images, but 30 are on record. Is its disk mounted?',
      'Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "<folder>/images" && touch "<folder>/images/FETCH_AGAIN"',
    ],
    next: 'Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "<folder>/images" && touch "<folder>/images/FETCH_AGAIN"',
    exitCode: 2,
  },
  {
    when: 'a folder of data that is not there',
    provoke: async (folder) => {
      const data = 'data: { images: disk/etsy/images }\n';
      await folder.write({ 'pipeline.yaml': `${data}stages:\n${CRAWL}` });
      return command(folder, [], { ETSY_API_KEY: KEY });
    },
    text: [
      'The folder <folder>/disk/etsy does not exist; data: images in pipeline.yaml lies in it. Is its disk mounted?',
      'Mount it and start again. If the folder is to be new: mkdir -p "<folder>/disk/etsy"',
    ],
    next: 'Mount it and start again. If the folder is to be new: mkdir -p "<folder>/disk/etsy"',
    exitCode: 2,
  },
  {
    when: 'an image whose name something else has',
    provoke: async (folder) => {
      await folder.write({ '1.jpg/x': '', '.2.jpg.icloud': '' });
      const found = await Promise.all(
        ['1.jpg', '2.jpg'].map((name) => inspectImage(join(folder.path, name))),
      );
      return { text: found.map((one) => ('fault' in one ? one.fault : 'whole')).join('\n') };
    },
    text: ['a folder is in its place', 'kept in iCloud only: open it, or switch off "Optimise Mac Storage"'],
    next: 'kept in iCloud only: open it, or switch off "Optimise Mac Storage"',
  },
  {
    when: 'a database on a disk of its own, which is not mounted',
    provoke: async (folder) => {
      const [home, path] = [join(folder.path, 'home'), join(folder.path, 'disk', 'etsy_data.db')];
      await folder.write({ 'home/pipeline.yaml': '', 'disk/etsy_data.db': '' });
      remember(path, home);
      await rm(path);
      try {
        checkRemembered(path, home);
      } catch (error) {
        return { text: describe(error), exitCode: exitCodeOf(error) };
      }
      return { text: 'nothing' };
    },
    text: [
      'The database <folder>/disk/etsy_data.db is gone; it was there in the last run. Is its disk mounted?',
      'Mount it, or put etsy_data.db back, then start sync-data again. To begin a new database instead: rm "<folder>/home/.sync-data-database"',
    ],
    next: 'Mount it, or put etsy_data.db back, then start sync-data again. To begin a new database instead: rm "<folder>/home/.sync-data-database"',
    exitCode: 2,
  },
  {
    when: 'a database that another program holds',
    provoke: async (folder) => {
      await run(folder);
      const path = databaseOf(folder);
      const other = await Database.openRollback(path);
      const database = await Database.open(path, { busyTimeoutMs: 1 });
      const said: string[] = [];
      try {
        await other.run('BEGIN IMMEDIATE');
        const hold = (reason: string): (() => void) => {
          said.push(reason);
          return () => undefined;
        };
        database.lockPatience = { giveUpAfterMs: 300, hold };
        await database.write((tx) => tx.run('DELETE FROM wanted')).catch(() => undefined);
      } finally {
        await other.close();
        await database.close();
      }
      return { text: said.join('') };
    },
    text: ['another program holds <folder>/etsy_data.db (a backup or a database browser, perhaps)'],
    next: 'a backup or a database browser, perhaps',
  },
  ...['moved or deleted', 'replaced by another folder'].map((what): Row => ({
    when: `an images folder that is ${what} during a run`,
    provoke: (folder) =>
      withDatabase(folder, {}, async (database) => {
        await migrate(database);
        const path = join(folder.path, 'images');
        const images = new ImagesFolder(database.read, path);
        await images.ready();
        await rename(path, `${path} of before`);
        if (what.startsWith('replaced')) await mkdir(path);
        await images.ready();
      }),
    text: [
      `The images folder <folder>/images was ${what} while sync-data was using it.`,
      'Put it back, or name its new place in pipeline.yaml under data: images, then start sync-data again.',
    ],
    next: 'Put it back, or name its new place in pipeline.yaml under data: images, then start sync-data again.',
  })),
  {
    when: 'a clock that jumps during a run',
    provoke: () => Promise.resolve({ text: `${jumpMessage(2 * 3_600_000)}\n${jumpMessage(-60_000)}` }),
    text: [
      'the clock of this computer jumped ahead by 2 h; unless it slept, check its date and time',
      'the clock of this computer jumped back by 1 min; unless it slept, check its date and time',
    ],
    next: 'check its date and time',
  },
  {
    when: 'more warnings than anybody reads',
    provoke: async (folder) => {
      const { openPlain } = await import('../../lib/screen/plain.ts');
      const { systemClock } = await import('../../lib/time.ts');
      const { PassThrough } = await import('node:stream');
      const stream = new PassThrough() as unknown as NodeJS.WriteStream;
      const said: string[] = [];
      stream.on('data', (chunk) => said.push(String(chunk)));
      const gauges = () => Promise.reject(new Error('no gauges'));
      const screen = openPlain({
        stream,
        name: 'mine',
        stages: [],
        killFile: 'KILL',
        gauges,
        env: {},
        clock: systemClock,
      });
      for (let nth = 1; nth <= 22; nth += 1) screen.listen({ type: 'warning', message: `number ${nth}` });
      await screen.close();
      const told = said.join('').trimEnd().split('\n').slice(-2).join('\n');
      return { text: timeless(told, folder).replaceAll(/^\S+ /gm, '') };
    },
    text: ['mine: warning: number 20', 'mine: 2 more warnings not shown; they are in the log'],
    next: 'they are in the log',
  },
];
