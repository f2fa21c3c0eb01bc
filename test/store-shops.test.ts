import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { completePass, reviewStates, savePass, shopsDue } from '../lib/dataset/review-sync.ts';
import type { PassEnd } from '../lib/dataset/review-sync.ts';
import { setAsideRefused } from '../lib/dataset/set-aside.ts';
import { addShops, dueShops } from '../lib/dataset/shops.ts';
import { NOW, STALE, WEEK, shop, storePerTest } from './store-rig.ts';

function passed(startedAt: number, completedAt: number): PassEnd {
  return { startedAt, completedAt, shortRun: null };
}

describe('rows of shops', () => {
  const store = storePerTest();

  it('are added once, and their figures where the newest are older', async () => {
    const add = (at: number, staleBefore: number): Promise<void> =>
      store.database.write((tx) => addShops(tx, [shop(7, at), shop(8, at)], staleBefore));
    await add(NOW, STALE);
    await add(NOW + 5, STALE);
    await add(NOW + WEEK, NOW);
    await add(NOW + WEEK + 1, NOW + 1);
    assert.deepEqual(await store.rows('SELECT shop_id AS id, snapshot_timestamp AS at FROM shops'), [
      { id: 7, at: NOW },
      { id: 8, at: NOW },
    ]);
    assert.deepEqual(
      await store.rows('SELECT snapshot_timestamp AS at FROM shops_dynamic WHERE shop_id = 8'),
      [{ at: NOW }, { at: NOW + WEEK + 1 }],
    );
  });

  it('are due where either is missing', async () => {
    await store.database.write(async (tx) => {
      await addShops(tx, [shop(7), shop(8), shop(9)], STALE);
      await tx.run('DELETE FROM shops WHERE shop_id = 8');
      await tx.run('DELETE FROM shops_dynamic WHERE shop_id = 9');
    });
    assert.deepEqual(await dueShops(store.database.read, [7, 8, 9, 10], STALE), [8, 9, 10]);
    assert.deepEqual(await dueShops(store.database.read, [7], NOW + 1), [7]);
  });

  it('are due for reviews: under way first, then with news, then the longest ago', async () => {
    await store.database.write(async (tx) => {
      await addShops(
        tx,
        [1, 2, 3, 4, 5].map((id) => shop(id)),
        STALE,
      );
      await completePass(tx, 1, passed(STALE - 50, STALE - 40));
      await completePass(tx, 2, passed(STALE - 90, STALE - 80));
      await completePass(tx, 3, passed(STALE - 10, STALE - 5));
      await addShops(tx, [{ ...shop(3, NOW + 1), review_count: 6 }], NOW + 1);
      await completePass(tx, 4, passed(NOW - 20, NOW - 10));
      await savePass(tx, 5, { startedAt: NOW, minCreated: 0, offset: 100 });
    });
    const { read } = store.database;
    assert.deepEqual(await shopsDue(read, 1, STALE, NOW), [5, 3, 2, 1]);
    const [first] = await reviewStates(read, [5, 3]);
    assert.equal(first?.pass, '{"startedAt":1790000000,"minCreated":0,"offset":100}');
    await store.database.write((tx) => completePass(tx, 5, passed(NOW, NOW + 1)));
    const states = await reviewStates(read, await shopsDue(read, 1, STALE, NOW));
    assert.deepEqual(
      states.map(({ shop_id, started_at, pass }) => [shop_id, started_at, pass]),
      [
        [3, STALE - 10, null],
        [2, STALE - 90, null],
        [1, STALE - 50, null],
      ],
    );
  });

  it('are due for reviews: of those never read, the largest sellers first', async () => {
    const sold = new Map([
      [1, 10],
      [2, 5000],
      [3, 300],
    ]);
    const rows = [...sold].map(([id, transaction_sold_count]) => ({ ...shop(id), transaction_sold_count }));
    await store.database.write((tx) => addShops(tx, rows, STALE));
    assert.deepEqual(await shopsDue(store.database.read, 1, STALE, NOW), [2, 3, 1]);
  });

  it('are due again in the next run where fewer reviews were read than Etsy counts', async () => {
    const { read } = store.database;
    await store.database.write(async (tx) => {
      await addShops(tx, [shop(1), shop(2)], STALE);
      await completePass(tx, 1, { startedAt: null, completedAt: NOW, shortRun: 4 });
      await completePass(tx, 2, passed(NOW, NOW));
    });
    assert.deepEqual(await shopsDue(read, 4, STALE, NOW), []);
    assert.deepEqual(await shopsDue(read, 5, STALE, NOW), [1]);
  });

  it('whose reviews are refused are due in the next run, and then less and less often', async () => {
    const { read } = store.database;
    await store.database.write((tx) => addShops(tx, [shop(1)], STALE));
    let now = NOW;
    const waits: number[] = [];
    for (let run = 1; run <= 8; run += 1) {
      const refusal = { endpoint: 'shops/1/reviews', reason: `HTTP ${400 + (run % 3)}`, shopId: 1 };
      const at = now;
      const retryAt = await store.database.write((tx) => setAsideRefused(tx, run, at, refusal, WEEK));
      assert.deepEqual(await shopsDue(read, run, STALE, retryAt), [], 'asked for twice in one run');
      if (retryAt > now) assert.deepEqual(await shopsDue(read, run + 1, STALE, retryAt - 1), []);
      assert.deepEqual(await shopsDue(read, run + 1, STALE, retryAt), [1]);
      waits.push((retryAt - now) / WEEK);
      now = retryAt;
    }
    assert.deepEqual(waits, [0, 2, 4, 8, 16, 16, 16, 16]);
    const open = await store.rows('SELECT tries FROM set_aside WHERE settled_at IS NULL');
    assert.deepEqual(open, [{ tries: 8 }]);
  });
});
