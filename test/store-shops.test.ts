import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addShops, dueShops } from '../lib/dataset/shops.ts';
import { FRESH, NOW, WEEK, freshSince, shop, storePerTest } from './store-rig.ts';

describe('rows of shops', () => {
  const store = storePerTest();

  it('are added once, and their figures where the newest are older', async () => {
    const add = (at: number, fresh = FRESH): Promise<void> =>
      store.database.write((tx) => addShops(tx, [shop(7, at), shop(8, at)], fresh));
    await add(NOW, FRESH);
    await add(NOW + 5, FRESH);
    await add(NOW + WEEK, freshSince(NOW));
    await add(NOW + WEEK + 1, freshSince(NOW + 1));
    assert.deepEqual(await store.rows('SELECT shop_id AS id, snapshot_timestamp AS at FROM shops'), [
      { id: 7, at: NOW },
      { id: 8, at: NOW },
    ]);
    assert.deepEqual(
      await store.rows('SELECT snapshot_timestamp AS at FROM shops_dynamic WHERE shop_id = 8'),
      [{ at: NOW }, { at: NOW + WEEK + 1 }],
    );
  });

  it('take from a later answer what the first left empty, and nothing else', async () => {
    await store.database.write(async (tx) => {
      await addShops(tx, [{ ...shop(7), url: null }, shop(8, NOW - WEEK)], FRESH);
      const later = { url: 'https://example.com/7', is_shop_us_based: false };
      await addShops(
        tx,
        [
          { ...shop(7, NOW + 9), ...later },
          { ...shop(8), ...later },
        ],
        FRESH,
        NOW - 5,
      );
    });
    assert.deepEqual(await store.rows('SELECT shop_id AS id, url, is_shop_us_based AS us FROM shops'), [
      { id: 7, url: 'https://example.com/7', us: 1 },
      { id: 8, url: null, us: 1 },
    ]);
  });

  it('are due where either is missing', async () => {
    await store.database.write(async (tx) => {
      await addShops(tx, [shop(7), shop(8), shop(9)], FRESH);
      await tx.run('DELETE FROM shops WHERE shop_id = 8');
      await tx.run('DELETE FROM shops_dynamic WHERE shop_id = 9');
    });
    assert.deepEqual(await dueShops(store.database.read, [7, 8, 9, 10], FRESH), [8, 9, 10]);
    assert.deepEqual(await dueShops(store.database.read, [7], freshSince(NOW + 1)), [7]);
  });
});
