import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addListings,
  addListingsDynamic,
  dueListings,
  addOrFillListings,
  fillProductionPartners,
  markRemoved,
} from '../lib/dataset/listings.ts';
import { dropWanted, nextWanted, unwantedShops, want } from '../lib/dataset/wanted.ts';
import { FRESH, NOW, WEEK, freshSince, listing, storePerTest } from './store-rig.ts';

describe('rows of listings', () => {
  const store = storePerTest();

  const dynamic = (id: number): Promise<Record<string, unknown>[]> =>
    store.rows(
      'SELECT snapshot_timestamp AS at, state FROM listings_dynamic WHERE listing_id = ? ORDER BY id',
      [id],
    );

  it('are added once, and stay as they were first read', async () => {
    const first = await store.database.write((tx) => addListings(tx, [listing(70), listing(71)]));
    const second = await store.database.write((tx) =>
      addListings(tx, [listing(70, NOW + 1, { title: 'new' }), listing(72)]),
    );
    assert.deepEqual([first.toSorted((a, b) => a - b), second], [[70, 71], [72]]);
    assert.deepEqual(
      await store.rows('SELECT title, snapshot_timestamp AS at FROM listings WHERE listing_id = 70'),
      [{ title: null, at: NOW }],
    );
  });

  it('keep numbers beyond 2^31, fractions, flags, lists and text of any kind', async () => {
    const strange = 'é😀 "quoted" \\ \n &quot; \u2028';
    await store.database.write((tx) =>
      addListings(tx, [
        listing(4_300_000_000_123, NOW, {
          shop_id: 9_007_199_254_740_991,
          title: strange,
          item_weight: 12.5,
          item_length: 80,
          is_customizable: true,
          is_personalizable: false,
          materials: [],
          production_partners: [{ id: 5 }],
        }),
      ]),
    );
    const [row] = await store.rows('SELECT *, typeof(shop_id) AS kind FROM listings');
    assert.equal(row?.['listing_id'], 4_300_000_000_123);
    assert.deepEqual([row['shop_id'], row['kind']], [9_007_199_254_740_991, 'integer']);
    assert.equal(row['title'], strange);
    assert.deepEqual([row['item_weight'], row['item_length']], [12.5, 80]);
    assert.deepEqual([row['is_customizable'], row['is_personalizable']], [1, 0]);
    assert.deepEqual([row['materials'], row['production_partners']], ['[]', '[{"id":5}]']);
  });

  it('that move are appended where the newest is older, and only there', async () => {
    const add = (at: number, fresh = FRESH): Promise<number[]> =>
      store.database.write((tx) => addListingsDynamic(tx, [listing(70, at)], fresh));
    assert.deepEqual(await add(NOW, FRESH), [70]);
    assert.deepEqual(await add(NOW + 5, FRESH), []);
    assert.deepEqual(await add(NOW + WEEK, freshSince(NOW)), [], 'exactly as old as the limit');
    assert.deepEqual(await add(NOW + WEEK + 1, freshSince(NOW + 1)), [70]);
    assert.deepEqual(
      await store.database.write((tx) => dueListings(tx, [70, 71], freshSince(NOW + 1))),
      [71],
    );
    assert.deepEqual(
      (await dynamic(70)).map((row) => row['at']),
      [NOW, NOW + WEEK + 1],
    );
  });

  it('that move are appended at once where the listing is back after it was gone', async () => {
    await store.database.write(async (tx) => {
      await addListingsDynamic(tx, [listing(70, NOW)], FRESH);
      assert.deepEqual(await markRemoved(tx, [70], NOW + 1, FRESH), [70]);
      assert.deepEqual(await markRemoved(tx, [70], NOW + 2, FRESH), [], 'it says so already');
      assert.deepEqual(await dueListings(tx, [70], FRESH), [70]);
      assert.deepEqual(await addListingsDynamic(tx, [listing(70, NOW + 3)], FRESH), [70]);
      assert.deepEqual(await addListingsDynamic(tx, [listing(70, NOW + 4)], FRESH), []);
    });
    assert.deepEqual(await dynamic(70), [
      { at: NOW, state: 'active' },
      { at: NOW + 1, state: 'removed' },
      { at: NOW + 3, state: 'active' },
    ]);
  });

  it('say that a listing is gone a second time, where it was back in between', async () => {
    await store.database.write(async (tx) => {
      await markRemoved(tx, [70], NOW, FRESH);
      await addListingsDynamic(tx, [listing(70, NOW + 1)], FRESH);
      assert.deepEqual(await markRemoved(tx, [70], NOW + 2, FRESH), [70]);
    });
    assert.equal((await dynamic(70)).at(-1)?.['state'], 'removed');
  });

  it('say again that a listing is gone once the last word is too old', async () => {
    await store.database.write(async (tx) => {
      await markRemoved(tx, [70], NOW - WEEK - 1, freshSince(NOW - 2 * WEEK));
      assert.deepEqual(await markRemoved(tx, [70], NOW, FRESH), [70]);
    });
  });

  it('take from a later answer what the first left empty, whichever field, and nothing else', async () => {
    const whole = listing(70, NOW, {
      title: 'Chair',
      item_weight: 2,
      is_customizable: false,
      materials: ['oak'],
    });
    const later = listing(70, NOW + 9, {
      title: 'Stool',
      item_weight: 3,
      is_customizable: true,
      materials: [],
    });
    for (const field of ['title', 'item_weight', 'is_customizable', 'tags', 'materials'] as const) {
      await store.database.write(async (tx) => {
        await tx.run('DELETE FROM listings');
        await addListings(tx, [{ ...whole, [field]: null }, listing(71, NOW - WEEK, { title: null })]);
        await addOrFillListings(tx, [later, listing(71, NOW, { title: 'Bench' })], NOW - 5);
      });
      const shown = {
        title: 'Chair',
        item_weight: 2,
        is_customizable: 0,
        tags: '["a","é😀"]',
        materials: '["oak"]',
      };
      const filled = {
        title: 'Stool',
        item_weight: 3,
        is_customizable: 1,
        tags: '["a","é😀"]',
        materials: '[]',
      };
      assert.deepEqual(
        await store.rows(
          'SELECT title, item_weight, is_customizable, tags, materials FROM listings ORDER BY listing_id',
        ),
        [
          { ...shown, [field]: filled[field] },
          // First read too long ago: that it was empty is what was read first.
          { title: null, item_weight: null, is_customizable: null, tags: '["a","é😀"]', materials: null },
        ],
      );
      const words = await store.rows(
        "SELECT rowid AS id FROM listing_words WHERE listing_words MATCH 'stool'",
      );
      assert.deepEqual(words, field === 'title' ? [{ id: 70 }] : []);
    }
  });

  it('take production partners from the batch where the page lacked them', async () => {
    await store.database.write(async (tx) => {
      await addListings(tx, [listing(70), listing(71, NOW, { production_partners: [] })]);
      await fillProductionPartners(tx, [
        listing(70, NOW, { production_partners: [{ id: 5 }] }),
        listing(71, NOW, { production_partners: [{ id: 6 }] }),
      ]);
    });
    assert.deepEqual(await store.rows('SELECT listing_id AS id, production_partners AS p FROM listings'), [
      { id: 70, p: '[{"id":5}]' },
      { id: 71, p: '[]' },
    ]);
  });
});

describe('the list of the wanted', () => {
  const store = storePerTest();

  it('gives the lowest ids first, without those on their way, each once', async () => {
    await store.database.write(async (tx) => {
      await want(
        tx,
        [5, 3, 9, 3, 7].map((listingId) => ({ listingId, shopId: listingId * 10 })),
      );
      await want(tx, []);
    });
    assert.deepEqual((await nextWanted(store.database.read, 2, new Set())).ids, [3, 5]);
    assert.deepEqual((await nextWanted(store.database.read, 2, new Set([3, 7]))).ids, [5, 9]);
    assert.deepEqual(await unwantedShops(store.database.read, [30, 40]), [40]);
    await store.database.write((tx) => dropWanted(tx, [3, 5]));
    assert.deepEqual((await nextWanted(store.database.read, 9, new Set())).ids, [7, 9]);
  });
});
