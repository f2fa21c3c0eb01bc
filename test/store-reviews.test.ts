import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { addReviews, reviewsChanged, unstored } from '../lib/dataset/reviews.ts';
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

  it('keep what is known of them where an answer leaves it out or it could not be read', async () => {
    const said = fc.record({
      rating: fc.constantFrom(null, 1, 5),
      review: fc.constantFrom(undefined, null, 'good', 'bad'),
      language: fc.constantFrom(null, 'en'),
      buyer_user_id: fc.constantFrom(null, 1),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 5 }), async (answers) => {
        await store.database.write((tx) => tx.run('DELETE FROM reviews'));
        for (const [at, { rating, review: text, ...others }] of answers.entries()) {
          const fields = { rating, review: text ?? null, isTextless: text === undefined };
          await add(review(1, { ...others, ...fields, snapshot_timestamp: NOW + at }));
        }
        const [row] = await store.rows('SELECT rating, review, language, buyer_user_id FROM reviews');
        assert.deepEqual(row, {
          rating: answers.findLast(({ rating }) => rating !== null)?.rating ?? null,
          review: answers.findLast(({ review: text }) => text !== undefined)?.review ?? null,
          language: answers.some(({ language }) => language !== null) ? 'en' : null,
          buyer_user_id: answers.some(({ buyer_user_id: buyer }) => buyer !== null) ? 1 : null,
        });
      }),
      { numRuns: 100 },
    );
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

  /** As Etsy shows it where it leaves the transaction_id out, or sends something else in its place. */
  const nameless = (id: number, more: Partial<ReviewRow> = {}): ReviewRow => ({
    ...review(id, more),
    transaction_id: null,
  });
  const [A, B] = [{ review: 'a' }, { review: 'b' }];
  const pages: Record<string, { shown: ReviewRow[][]; ids: (number | null)[] }> = {
    'without, then with': { shown: [[nameless(1)], [review(1)]], ids: [1] },
    'with, then without': { shown: [[review(1)], [nameless(1)]], ids: [1] },
    'without, twice': { shown: [[nameless(1), nameless(1)], [nameless(1)]], ids: [null] },
    'both on one page': { shown: [[nameless(1), review(1)]], ids: [1] },
    'without, then both on one page': { shown: [[nameless(1)], [review(1), nameless(1)]], ids: [1] },
    'without, then edited and with': { shown: [[nameless(1, A)], [review(1, B)]], ids: [1] },
    'another text without, on the page of the first': {
      shown: [[nameless(2, B), review(1, A)]],
      ids: [1, null],
    },
    'another text without, known before': {
      shown: [[nameless(2, B)], [review(1, A), nameless(2, B)], [review(2, B)]],
      ids: [2, 1],
    },
    'of another buyer': { shown: [[nameless(1)], [review(1, { buyer_user_id: 2 })]], ids: [null, 1] },
    'of another second': {
      shown: [[nameless(1)], [review(1, { create_timestamp: NOW - 501 })]],
      ids: [null, 1],
    },
  };
  for (const [name, { shown, ids }] of Object.entries(pages)) {
    it(`are stored once, be they shown with an id or without: ${name}`, async () => {
      for (const page of shown) await add(...page);
      const rows = await stored();
      assert.deepEqual(rows.map((row) => row['t']).toSorted(), ids.toSorted());
      for (const page of shown.slice(-1)) assert.equal(await unstored(store.database.read, page), 0);
    });
  }

  it('are all there once, each with the id it was ever shown with, in whatever way the pages showed them', async () => {
    const kinds = fc.uniqueArray(
      fc.record({
        listing_id: fc.constantFrom(70, 71),
        buyer_user_id: fc.constantFrom(1, 2),
        create_timestamp: fc.constantFrom(NOW - 500, NOW - 501),
        review: fc.constantFrom('a', 'b', null),
      }),
      { minLength: 1, maxLength: 8, selector: (one) => JSON.stringify(one) },
    );
    const world = kinds.chain((all) => {
      const shown = fc.record({ which: fc.nat({ max: all.length - 1 }), isNamed: fc.boolean() });
      const last = fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length });
      const before = fc.array(fc.array(shown, { maxLength: 6 }), { maxLength: 4 });
      return fc.record({ all: fc.constant(all), before, last });
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ all, before, last }) => {
        await store.database.write((tx) => tx.run('DELETE FROM reviews'));
        const whole = last.map((isNamed, which) => ({ which, isNamed }));
        for (const page of [...before, whole]) {
          const rows = page.map(({ which, isNamed }) =>
            isNamed ? review(which + 1, all[which]) : nameless(which + 1, all[which]),
          );
          await add(...rows);
          assert.equal(await unstored(store.database.read, rows), 0);
        }
        const named = new Set(
          [...before, whole].flat().flatMap(({ which, isNamed }) => (isNamed ? [which] : [])),
        );
        const expected = all.map((one, which) =>
          JSON.stringify([
            one.listing_id,
            one.buyer_user_id,
            one.create_timestamp,
            one.review,
            named.has(which) ? which + 1 : null,
          ]),
        );
        const rows = await store.rows(
          'SELECT listing_id, buyer_user_id, create_timestamp, review, transaction_id FROM reviews',
        );
        assert.deepEqual(
          rows.map((row) => JSON.stringify(Object.values(row))).toSorted(),
          expected.toSorted(),
        );
      }),
      { numRuns: 150 },
    );
  });
});
