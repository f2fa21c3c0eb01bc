import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imagesOnRecord } from '../lib/dataset/checks.ts';
import {
  countImages,
  imagesDone,
  imagesFailed,
  imagesLost,
  nextImages,
  noteImages,
  recheckImages,
  withoutImageRecord,
} from '../lib/dataset/images.ts';
import { addFindings, closeRepaired, imagesToLookAt, openFindings } from '../lib/dataset/findings.ts';
import { storePerTest } from './store-rig.ts';

describe('the images on record', () => {
  const store = storePerTest();
  const ref = (listingId: number, imageId: number): { listingId: number; imageId: number; url: string } => ({
    listingId,
    imageId,
    url: `https://i.etsystatic.com/${imageId}.jpg`,
  });
  const states = (): Promise<Record<string, unknown>[]> =>
    store.rows('SELECT listing_id AS id, state, image_id AS image FROM images ORDER BY listing_id');

  it('are waiting until they are done or have failed; what failed is tried again in the next run', async () => {
    await store.database.write(async (tx) => {
      await noteImages(tx, [ref(1, 10), ref(2, 20), ref(3, 30)], [{ id: 4, reason: 'none' }]);
      await imagesDone(tx, [{ listingId: 1, bytes: 5000, modifiedMs: 1_790_000_000_123, sha256: 'x' }]);
      const failed = { reason: 'HTTP 500', attempts: 3 };
      await imagesFailed(tx, [{ ...failed, listingId: 2, state: 'failed' }], 1);
    });
    const jobs = async (run: number): Promise<number[]> =>
      (await nextImages(store.database.read, run, 10)).map((job) => job.listing_id);
    assert.deepEqual([await jobs(1), await jobs(2)], [[3], [2, 3]]);
    assert.deepEqual(await countImages(store.database.read), {
      unknown: 0,
      waiting: 1,
      done: 1,
      failed: 1,
      missing: 0,
      none: 1,
    });
    assert.deepEqual(
      await imagesOnRecord(store.database.read, 0, 10).then((all) => all.map((one) => ({ ...one }))),
      [{ listing_id: 1, bytes: 5000, modified_ms: 1_790_000_000_123, sha256: 'x' }],
    );
  });

  it('that the CDN has no more stay given up until the listing shows another', async () => {
    await store.database.write(async (tx) => {
      await noteImages(tx, [ref(1, 10)], []);
      await imagesFailed(tx, [{ listingId: 1, state: 'missing', reason: 'HTTP 404', attempts: 1 }], 1);
      await noteImages(tx, [ref(1, 10)], []);
    });
    assert.deepEqual(await states(), [{ id: 1, state: 'missing', image: 10 }]);
    await store.database.write((tx) => noteImages(tx, [ref(1, 11)], []));
    assert.deepEqual(await states(), [{ id: 1, state: 'waiting', image: 11 }]);
  });

  it('that lie on disk stay, whatever the listing shows; once lost they are asked for again', async () => {
    await store.database.write(async (tx) => {
      await noteImages(tx, [ref(1, 10)], []);
      await imagesDone(tx, [{ listingId: 1, bytes: 5000, modifiedMs: 5, sha256: null }]);
      await noteImages(tx, [ref(1, 11)], []);
      await noteImages(tx, [], [{ id: 1, reason: 'gone' }]);
    });
    assert.deepEqual(await states(), [{ id: 1, state: 'done', image: 10 }]);
    await store.database.write((tx) =>
      imagesLost(tx, [
        { listingId: 1, reason: 'missing' },
        { listingId: 2, reason: 'never recorded' },
      ]),
    );
    assert.deepEqual(await states(), [
      { id: 1, state: 'waiting', image: 10 },
      { id: 2, state: 'unknown', image: null },
    ]);
    assert.deepEqual(await recheckImages(store.database.read, [1, 2, 3]), [2]);
    assert.deepEqual(await withoutImageRecord(store.database.read, [1, 2, 3]), [3]);
  });

  it('keep the finding that one is missing, where its file is elsewhere though it is on record', async () => {
    const missing = (subject: number) => ({ kind: 'missing-image', subject: String(subject), detail: 'x' });
    await store.database.write(async (tx) => {
      for (const listingId of [1, 2])
        await imagesDone(tx, [{ listingId, bytes: 5000, modifiedMs: 5, sha256: null }]);
      await noteImages(tx, [ref(3, 30)], []);
      await addFindings(tx, 7, [1, 2, 3].map(missing));
    });
    assert.deepEqual(await imagesToLookAt(store.database.read, 7), [1, 2]);
    await store.database.write((tx) => closeRepaired(tx, 7, [2]));
    const open = await openFindings(store.database.read, 7, 9);
    assert.deepEqual(
      open.map(({ subject }) => subject),
      ['2', '3'],
    );
  });
});
