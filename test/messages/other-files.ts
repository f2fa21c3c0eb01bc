import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectImage } from '../../lib/dataset/image-files.ts';
import { ImagesFolder } from '../../lib/dataset/images-folder.ts';
import { imagesDone } from '../../lib/dataset/images.ts';
import { migrate } from '../../lib/dataset/migrations.ts';
import { describe, exitCodeOf } from '../../lib/errors.ts';
import { jumpMessage } from '../../lib/etsy/clocks.ts';
import { Database } from '../../lib/store/database.ts';
import { checkRemembered, remember } from '../../lib/run/remembered.ts';
import { namingFile } from '../../lib/store/files.ts';
import { CRAWL, KEY, command, lines, run, timeless } from './provoke.ts';
import type { Folder, Row, Said } from './row.ts';
import { foreign, ofSystem, refused, databaseOf, withDatabase } from './disk.ts';

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
      await remember(path, home);
      await rm(path);
      try {
        await checkRemembered(path, home);
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
