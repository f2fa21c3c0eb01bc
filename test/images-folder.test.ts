import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { isLitter, inspectImage } from '../lib/dataset/image-files.ts';
import { ImagesFolder, makeFolders } from '../lib/dataset/images-folder.ts';
import { imagesDone, imagesLost, noteImages } from '../lib/dataset/images.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import { UserError } from '../lib/errors.ts';
import { ImageProblem } from '../lib/etsy/cdn.ts';
import type { Services } from '../lib/services.ts';
import { Database } from '../lib/store/database.ts';
import { applyDownloads, downloads } from '../tasks/rules/download.ts';

let root = '';
let database: Database;
let home = '';
let images = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'images-folder-'));
  database = await Database.open(join(root, 'data.db'));
  await migrate(database);
});
after(async () => {
  await database.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  home = await mkdtemp(join(root, 'home-'));
  images = join(home, 'images');
  await database.write((tx) => tx.run('DELETE FROM images'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function jpeg(size: number, end: readonly number[] = [0xff, 0xd9]): Buffer {
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2]);
  return Buffer.concat([head, Buffer.alloc(size - 8, 7), Buffer.from(end)]);
}

/** Images on record, and of those the ones that are there. */
async function record(ids: readonly number[], there: readonly number[]): Promise<void> {
  const done = ids.map((listingId) => ({ listingId, bytes: 2000, modifiedMs: 0, sha256: null }));
  await database.write((tx) => imagesDone(tx, done));
  for (const id of there) await writeFile(join(images, `${id}.jpg`), jpeg(2000));
}

const ids = (count: number): number[] => Array.from({ length: count }, (_, at) => 1000 + at * 7);

describe('the images folder', () => {
  const check = (): Promise<void> => new ImagesFolder(database.read, images).check();
  const refusal = async (): Promise<string> => {
    const error: unknown = await check().catch((reason: unknown) => reason);
    assert.ok(error instanceof UserError && error.exitCode === 2, String(error));
    return error.message.replace(images, '…');
  };

  it('that is missing, empty, or without most of what is on record, is a disk that is not mounted', async () => {
    for (const [count, there, said] of [
      [1, undefined, 'The images folder … does not exist, but 1 are on record. Is its disk mounted?'],
      [500, undefined, 'The images folder … does not exist, but 500 are on record. Is its disk mounted?'],
      [1, 0, 'None of the images is in …, but 1 are on record. Is its disk mounted?'],
      [700, 0, 'None of the images is in …, but 700 are on record. Is its disk mounted?'],
      [100, 30, 'Most of the images are missing in …, but 100 are on record. Is its disk mounted?'],
      [100, 70, undefined],
      [10, 1, undefined],
      [1, 1, undefined],
      [0, undefined, undefined],
      [0, 0, undefined],
    ] as const) {
      await rm(images, { recursive: true, force: true });
      await database.write((tx) => tx.run('DELETE FROM images'));
      if (there !== undefined) await mkdir(images);
      await record(
        ids(count),
        // Spread over all.
        ids(count).filter(
          (_, at) => Math.floor(((at + 1) * (there ?? 0)) / count) > Math.floor((at * (there ?? 0)) / count),
        ),
      );
      if (said === undefined) await check();
      else assert.equal(await refusal(), said);
    }
  });

  it('is meant to be filled again where the user says so with a file, which goes once it is', async () => {
    await mkdir(images);
    await record(ids(30), []);
    await refusal();
    const marker = join(images, 'FETCH_AGAIN');
    await writeFile(marker, '');
    await check();
    assert.ok(existsSync(marker));
    await record([], ids(30));
    await check();
    assert.ok(!existsSync(marker));
  });

  it('counts what iCloud has moved off this computer as there', async () => {
    await mkdir(images);
    await record(ids(30), []);
    for (const id of ids(30)) await writeFile(join(images, `.${id}.jpg.icloud`), 'bplist00');
    await check();
    const found = await inspectImage(join(images, '1000.jpg'));
    assert.ok('fault' in found && found.isInTheWay && found.fault.includes('iCloud'));
  });

  it('is not written to where it is moved or exchanged during a run, until it is back', async () => {
    await mkdir(images);
    await record(ids(30), ids(30));
    const folder = new ImagesFolder(database.read, images);
    await folder.ready();
    await rename(images, `${images}-unplugged`);
    await assert.rejects(folder.ready(), { exitCode: 1, message: /was moved or deleted while/ });
    assert.ok(!existsSync(images));
    await mkdir(images);
    // Not even where every image on record is in it.
    for (const filled of [false, true]) {
      if (filled) await record([], ids(30));
      await assert.rejects(folder.ready(), { exitCode: 1, message: /was replaced by another folder while/ });
    }
    await rm(images, { recursive: true });
    await rename(`${images}-unplugged`, images);
    await folder.ready();
  });

  it('is made where it is new, and none above it', async () => {
    await new ImagesFolder(database.read, images).ready();
    assert.ok(existsSync(images));
    const far = join(home, 'disk', 'images');
    await assert.rejects(new ImagesFolder(database.read, far).ready(), UserError);
    assert.ok(!existsSync(join(home, 'disk')));
  });
});

describe('the folders of pipeline.yaml', () => {
  it('lack at most the last of each path; otherwise none is made', async () => {
    const at = (...names: string[]): string => join(home, ...names);
    const here = { database: at('d.db'), metadata: at('m.json'), images: at('images') };
    for (const [data, made] of [
      [here, []],
      [{ ...here, database: at('new', 'd.db') }, []],
      [{ ...here, metadata: at('other', 'm.json') }, ['other']],
      [{ ...here, database: at('disk', 'etsy', 'd.db') }, undefined],
      [{ ...here, images: at('disk', 'images') }, undefined],
      // The mount point is there, and empty.
      [
        {
          database: at('disk', 'd.db'),
          metadata: at('disk', 'm.json'),
          images: at('disk', 'etsy', 'images'),
        },
        undefined,
      ],
    ] as const) {
      if (made) await makeFolders(data);
      else await assert.rejects(makeFolders(data), (error: UserError) => error.exitCode === 2);
      assert.deepEqual((await readdir(home)).toSorted(), made ?? ['other']);
    }
  });
});

describe('a download', () => {
  const services = (download: (url: string) => Promise<Buffer>): Services => {
    const cdn = { download, firstPauseMs: 0.1 };
    return { cdn, sql: database.read, imagesFolder: images } as unknown as Services;
  };
  const fill = async (download: (url: string) => Promise<Buffer>, runId = 1): Promise<void> => {
    const { signal } = new AbortController();
    const all = { services: services(download), hosts: [], runId, stop: signal, more: () => false };
    for await (const group of downloads(all)) await database.write((tx) => applyDownloads(tx, runId, group));
  };
  const want = (...listingIds: number[]): Promise<void> =>
    database.write((tx) =>
      noteImages(
        tx,
        listingIds.map((listingId) => ({ listingId, imageId: listingId + 1, url: `http://x/${listingId}` })),
        [],
      ),
    );
  const states = (): Promise<object[]> =>
    database.read.all('SELECT listing_id AS id, state, reason, attempts FROM images ORDER BY listing_id');

  it('that failed in passing is tried again at the end of the run, then in the next', async () => {
    await want(1, 2, 3);
    const tries = new Map<string, number>();
    await fill((url) => {
      const nth = (tries.get(url) ?? 0) + 1;
      tries.set(url, nth);
      if (url.endsWith('/3') || (url.endsWith('/1') && nth < 8))
        return Promise.reject(new ImageProblem('passing', 'HTTP 503'));
      return Promise.resolve(jpeg(2000));
    });
    assert.deepEqual(await states(), [
      { id: 1, state: 'done', reason: null, attempts: 6 },
      { id: 2, state: 'done', reason: null, attempts: 0 },
      { id: 3, state: 'failed', reason: 'HTTP 503', attempts: 12 },
    ]);
    await fill(() => Promise.reject(new Error('asked for again in the same run')));
    await fill(() => Promise.resolve(jpeg(2000)), 2);
    assert.deepEqual((await states()).at(-1), { id: 3, state: 'done', reason: null, attempts: 12 });
  });

  it('moves what was there before aside, once; placeholders are nobody’s', async () => {
    await mkdir(images);
    await want(1, 2, 3);
    const mine = jpeg(5000, [0, 0]);
    await writeFile(join(images, '1.jpg'), mine);
    await writeFile(join(images, '2.jpg'), '');
    await writeFile(join(images, '3.jpg'), jpeg(3000, [0xff, 0xd9, 0x0a]));
    await fill(() => Promise.resolve(jpeg(2000)));
    assert.deepEqual((await readdir(images)).toSorted(), ['1.jpg', '1.jpg.kept', '2.jpg', '3.jpg']);
    assert.deepEqual(await readFile(join(images, '1.jpg.kept')), mine);
    assert.equal((await readFile(join(images, '3.jpg'))).length, 3001);
    await writeFile(join(images, '1.jpg'), jpeg(4000, [0, 0]));
    await database.write((tx) =>
      tx.run("UPDATE images SET state = 'waiting', reason = 'replaced' WHERE listing_id = 1"),
    );
    await fill(() => Promise.resolve(jpeg(2000)));
    assert.deepEqual(await readFile(join(images, '1.jpg.kept')), mine);
    assert.equal((await readFile(join(images, '1.jpg'))).length, 2000);
  });

  it('replaces the file of another image that lay on record, though the listing shows a new one since', async () => {
    await want(1);
    await fill(() => Promise.resolve(jpeg(2000)));
    await writeFile(join(images, '1.jpg'), jpeg(4000, [0, 0]));
    await database.write((tx) => imagesLost(tx, [{ listingId: 1, reason: 'replaced by another file' }]));
    await fill(() => Promise.reject(new ImageProblem('missing', 'HTTP 404')), 2);
    const gone = { id: 1, state: 'missing', reason: 'HTTP 404', attempts: 1 };
    assert.deepEqual(await states(), [gone]);
    await database.write((tx) => noteImages(tx, [{ listingId: 1, imageId: 9, url: 'http://x/9' }], []));
    await fill((url) => Promise.resolve(jpeg(url.endsWith('/9') ? 3000 : 2000)), 3);
    assert.deepEqual(await states(), [{ id: 1, state: 'done', reason: null, attempts: 0 }]);
    assert.equal((await readFile(join(images, '1.jpg'))).length, 3000);
  });

  it('whose name a folder has costs that image and nothing else', async () => {
    await mkdir(join(images, '1.jpg'), { recursive: true });
    await want(1, 2);
    await fill(() => Promise.resolve(jpeg(2000)));
    assert.deepEqual(await states(), [
      { id: 1, state: 'failed', reason: 'a folder is in its place', attempts: 0 },
      { id: 2, state: 'done', reason: null, attempts: 0 },
    ]);
  });

  it('tells of a folder that vanishes in the middle by its name', async () => {
    await want(1, 2);
    const gone = fill(async () => {
      await rm(images, { recursive: true });
      await rename(home, `${home}-unplugged`);
      return jpeg(2000);
    });
    await assert.rejects(gone, (error: UserError) => error.exitCode === 2 && error.message.includes(home));
    await rename(`${home}-unplugged`, home);
  });
});

describe('what systems leave in a folder', () => {
  it('is no image of anybody’s, and no finding', () => {
    for (const name of [
      '.DS_Store',
      '._1.jpg',
      'Thumbs.db',
      '.fseventsd',
      '.1.jpg.icloud',
      '@eaDir',
      '1.jpg.kept',
      'FETCH_AGAIN',
      'desktop.ini',
      '.localized',
      '.Spotlight-V100',
      '.Trash-1000',
    ])
      assert.ok(isLitter(name), name);
    for (const name of ['1.jpg', '1.JPG', 'notes.txt', 'old', '1_2.jpg', '1.jpeg', '.hidden', '1.png'])
      assert.ok(!isLitter(name), name);
  });
});
