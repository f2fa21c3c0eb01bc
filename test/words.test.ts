import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addListings } from '../lib/dataset/listings.ts';
import { addWords, withoutWords } from '../lib/dataset/words.ts';
import { listing, storePerTest } from './store-rig.ts';

describe('the words of listings', () => {
  const store = storePerTest();

  const found = async (words: string): Promise<unknown[]> => {
    const rows = await store.rows(
      'SELECT rowid AS id FROM listing_words WHERE listing_words MATCH ? ORDER BY rowid',
      [words],
    );
    return rows.map((row) => row['id']);
  };

  it('are there with the listing, or not at all', async () => {
    const table = listing(70, undefined, {
      title: 'Oak side table',
      tags: JSON.stringify(['Café', 'mid century']),
      materials: JSON.stringify(['walnut']),
    });
    const half = store.database.write(async (tx) => {
      await addListings(tx, [table]);
      throw new Error('half way');
    });
    await assert.rejects(half, /half way/);
    assert.deepEqual(await found('oak'), []);
    await store.database.write((tx) =>
      addListings(tx, [table, listing(71, undefined, { title: 'Pine bench' })]),
    );
    for (const words of ['oak table', 'cafe', 'walnut', 'materials: walnut', 'cent*'])
      assert.deepEqual(await found(words), [70], words);
    assert.deepEqual(await found('bench'), [71]);
  });

  it('of listings that another program added are found missing, and added once', async () => {
    await store.database.write(async (tx) => {
      await addListings(tx, [listing(70, undefined, { title: 'Oak table' })]);
      for (const id of [71, 72])
        await tx.run("INSERT INTO listings (listing_id, shop_id, title) VALUES (?, 7, 'Elm desk')", [id]);
    });
    const { read } = store.database;
    assert.deepEqual(await withoutWords(read, 0, 72), [71, 72]);
    assert.deepEqual(await withoutWords(read, 71, 72), [72]);
    for (const _ of [1, 2]) await store.database.write((tx) => addWords(tx, [70, 71, 72]));
    assert.deepEqual(await withoutWords(read, 0, 99), []);
    assert.deepEqual(await found('elm'), [71, 72]);
    assert.deepEqual(await found('oak'), [70]);
  });
});
