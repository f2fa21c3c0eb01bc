import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addReviews, reviewsChanged } from '../lib/dataset/reviews.ts';
import type { ReviewRow } from '../lib/dataset/reviews.ts';
import { NOW, review, storePerTest } from './store-rig.ts';

describe('rows of reviews', () => {
  const store = storePerTest();

  const stored = (): Promise<Record<string, unknown>[]> =>
    store.rows('SELECT transaction_id AS t, buyer_user_id AS buyer, rating, review FROM reviews ORDER BY id');
  const early = (more: Partial<ReviewRow>): Promise<unknown> =>
    store.database.write((tx) => {
      const row = review(0, more);
      return tx.run(
        `INSERT INTO reviews (shop_id, listing_id, buyer_user_id, rating, review, create_timestamp)
         VALUES (?, ?, ?, ?, ?, ?)`,
        [row.shop_id, row.listing_id, row.buyer_user_id, row.rating, row.review, row.create_timestamp],
      );
    });
  const add = (...reviews: readonly ReviewRow[]): Promise<void> =>
    store.database.write((tx) => addReviews(tx, 7, reviews, 1));

  it('are each kept, though shop, listing, buyer and second are the same', async () => {
    await add(review(1), review(2), review(3));
    await add(review(2), review(3), review(4), review(4));
    assert.deepEqual(
      (await stored()).map((row) => row['t']),
      [1, 2, 3, 4],
    );
  });

  it('are brought up to date where the buyer has changed them', async () => {
    await add(review(1), review(2));
    await add(review(2, { rating: 1, review: 'broke', snapshot_timestamp: NOW + 9 }));
    assert.deepEqual(await stored(), [
      { t: 1, buyer: 1, rating: 5, review: 'good' },
      { t: 2, buyer: 1, rating: 1, review: 'broke' },
    ]);
  });

  it('are counted as changed once for each change of text or rating, in the run that found it', async () => {
    const later = { snapshot_timestamp: NOW + 9 };
    const read = (runId: number, ...rows: ReviewRow[]): Promise<void> =>
      store.database.write((tx) => addReviews(tx, 7, rows, runId));
    const changed = (runId: number): Promise<number> => reviewsChanged(store.database.read, runId);
    await read(1, review(1), review(2), review(3));
    assert.equal(await changed(1), 0);
    const edited = [review(1, { ...later, rating: 1 }), review(2, { ...later, review: null })];
    await read(2, ...edited, review(4, later));
    await read(2, ...edited, review(3, { ...later, language: 'fr' }));
    await read(2, review(3, { ...later, review: 'worse' }));
    assert.equal(await changed(2), 3);
    await read(3, ...edited);
    assert.equal(await changed(3), 0);
    await read(3, review(1, { snapshot_timestamp: NOW + 20, rating: 2 }));
    assert.deepEqual([await changed(2), await changed(3)], [0, 1]);
  });

  it('of the early system are claimed once, by the one most like them', async () => {
    await early({ review: 'mine' });
    await add(review(1, { review: 'another' }), review(2, { review: 'mine' }));
    await add(review(1, { review: 'another' }), review(2, { review: 'mine' }));
    assert.deepEqual(await stored(), [
      { t: 2, buyer: 1, rating: 5, review: 'mine' },
      { t: 1, buyer: 1, rating: 5, review: 'another' },
    ]);
  });

  it('of the early system are claimed though the text has been changed since', async () => {
    await early({ review: 'first thoughts', rating: 5 });
    await add(review(1, { review: 'second thoughts', rating: 2 }));
    assert.deepEqual(await stored(), [{ t: 1, buyer: 1, rating: 2, review: 'second thoughts' }]);
  });

  it('of the early system are not claimed for another buyer, listing, second or shop', async () => {
    await early({});
    await add(
      review(1, { buyer_user_id: 2 }),
      review(2, { listing_id: 71 }),
      review(3, { create_timestamp: NOW - 501 }),
    );
    await store.database.write((tx) => addReviews(tx, 8, [review(4, { shop_id: 8 })], 1));
    await add(review(5));
    assert.deepEqual(
      (await stored()).map((row) => [row['t'], row['buyer']]),
      [
        [5, 1],
        [1, 2],
        [2, 1],
        [3, 1],
        [4, 1],
      ],
    );
  });

  it('of the early system are claimed where either does not name the buyer', async () => {
    await early({ buyer_user_id: null });
    await add(review(1));
    assert.equal((await stored()).length, 1);
    await early({ create_timestamp: NOW - 900 });
    await add(review(2, { buyer_user_id: null, create_timestamp: NOW - 900 }));
    assert.equal((await stored()).length, 2);
  });
});
