import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compareVisits, driftAfter, expectedNews, momentOf, visitsDue } from '../lib/dataset/review-order.ts';
import type { ShopFacts } from '../lib/dataset/review-order.ts';
import { reviewMoment, reviewQueue, shopFacts } from '../lib/dataset/review-queue.ts';
import { completePass, savePass } from '../lib/dataset/review-sync.ts';
import { addReviews } from '../lib/dataset/reviews.ts';
import { addShops } from '../lib/dataset/shops.ts';
import { freshSince, NOW, WEEK, review, shop, storePerTest } from './store-rig.ts';

const DAY = 24 * 3600;
const MOMENT = momentOf(NOW, { startedAt: NOW - DAY, previousStartedAt: NOW - 8 * DAY }, WEEK);

/** Read a week ago, with a row since. */
const READ: ShopFacts = {
  at: NOW - 3600,
  counted: 40,
  average: 4.5,
  sold: 900,
  have: 40,
  startedAt: NOW - WEEK,
  completedAt: NOW - WEEK,
  countedThen: 40,
  averageThen: 4.5,
  soldThen: 880,
  drift: 0,
  olderLeft: 0,
  isUnderWay: false,
  isSpoilt: false,
};
const NEVER = { ...READ, have: 0, startedAt: null, completedAt: null, countedThen: null, soldThen: null };

const due = (facts: ShopFacts): string =>
  visitsDue(facts, MOMENT)
    .map(({ kind, tier, value, requests }) => `${kind} ${tier} ${value.toFixed(1)} ${requests}`)
    .join(', ');

describe('the order of reviews', () => {
  it('knows what is new from what is counted and what is stored', () => {
    const rows: [string, ShopFacts, string][] = [
      ['nothing new', READ, ''],
      ['one in, one out', { ...READ, have: 39 }, 'news 2 1.0 1'],
      ['as many as fit a page', { ...READ, counted: 400, have: 40 }, 'news 2 100.0 4'],
      ['counted but never listed', { ...READ, counted: 47, drift: 7 }, ''],
      ['read in this run', { ...READ, counted: 90, completedAt: NOW - 60 }, ''],
      ['no row since it was read', { ...READ, counted: 90, at: NOW - 8 * DAY }, ''],
      ['another average of as many', { ...READ, average: 4.2 }, 'news 2 0.5 1'],
      ['no count, sales', { ...READ, counted: null, sold: 980 }, 'news 2 10.4 1'],
      ['no count, no sales', { ...READ, counted: null, sold: null, have: 730 }, 'news 2 14.0 1'],
      ['never read', NEVER, 'first 2 60.0 1'],
      ['never read, large', { ...NEVER, counted: 250, sold: 9000 }, 'first 2 88.9 3'],
      ['never read, no figures', { ...NEVER, counted: null, sold: null }, 'first 2 6.7 1'],
      ['older pages', { ...READ, olderLeft: 250 }, 'older 2 33.3 3'],
      ['news and older pages', { ...READ, have: 38, olderLeft: 30 }, 'news 2 2.0 1, older 2 10.0 1'],
      ['half a year unread', { ...READ, completedAt: NOW - 183 * DAY }, 'news 1 0.0 1'],
      ['a quarter unread', { ...READ, completedAt: NOW - 92 * DAY }, 'news 3 0.0 1'],
      ['never sold', { ...NEVER, counted: null, sold: 0 }, 'first 4 0.0 1'],
      ['never sold, read', { ...READ, counted: 0, have: 0, sold: 0, completedAt: NOW - 363 * DAY }, ''],
      ['closed', { ...READ, at: NOW - 15 * DAY, have: 30 }, ''],
      ['closed, a year ago', { ...READ, at: NOW - 400 * DAY, completedAt: NOW - 365 * DAY }, 'news 4 0.0 1'],
      ['under way', { ...NEVER, isUnderWay: true }, 'first 0 0.0 1'],
      ['spoilt in its last pass', { ...READ, isSpoilt: true }, 'news 2 0.5 1'],
    ];
    assert.deepEqual(
      rows.map(([name, facts]) => [name, due(facts)]),
      rows.map(([name, , expected]) => [name, expected]),
    );
  });

  it('a count that differs from what Etsy lists costs one visit, not one with every row', () => {
    fc.assert(
      fc.property(fc.integer({ min: -30, max: 30 }), fc.nat({ max: 300 }), (differs, have) => {
        const counted = Math.max(0, have + differs);
        const drift = driftAfter(counted, have, 0, 0);
        const quiet = { ...READ, counted, have, drift, at: NOW };
        assert.ok(expectedNews(quiet, NOW) < 1);
        assert.equal(expectedNews({ ...quiet, counted: counted + 3 }, NOW), 3);
      }),
    );
    // What a pass brought is no proof that the rest is not there.
    assert.deepEqual(
      [driftAfter(50, 45, 0, 2), driftAfter(45, 50, 0, 2), driftAfter(null, 5, -3, 0)],
      [0, -5, -3],
    );
  });

  const store = storePerTest();

  it('in the database is the same code, on the same facts', async () => {
    const facts = fc.record({
      sold: fc.option(fc.nat({ max: 400 })),
      count: fc.option(fc.nat({ max: 12 })),
      reviews: fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 6 }),
      read: fc.option(fc.integer({ min: 1, max: 400 })),
      row: fc.integer({ min: 0, max: 20 }),
      left: fc.option(fc.nat({ max: 300 })),
      drift: fc.integer({ min: -3, max: 3 }),
      pass: fc.boolean(),
    });
    const [world] = fc.sample(fc.array(facts, { minLength: 200, maxLength: 200 }), { numRuns: 1, seed: 5 });
    let transaction = 0;
    await store.database.write(async (tx) => {
      for (const [index, one] of (world ?? []).entries()) {
        const id = index + 1;
        const at = NOW - one.row * DAY;
        await addShops(
          tx,
          [{ ...shop(id, at), review_count: one.count, transaction_sold_count: one.sold }],
          freshSince(0),
        );
        const rows = one.reviews.map((days) => ({
          ...review((transaction += 1)),
          shop_id: id,
          create_timestamp: NOW - days * DAY,
        }));
        await addReviews(tx, id, rows, 1);
        if (one.read !== null) {
          const startedAt = NOW - one.read * DAY;
          const older = one.left === null ? undefined : { than: startedAt - 500 * DAY, left: one.left };
          await completePass(tx, id, { startedAt, completedAt: startedAt, shortRun: null, older });
          await tx.run('UPDATE review_sync SET drift = ? WHERE shop_id = ?', [one.drift, id]);
        }
        if (one.pass) await savePass(tx, id, { startedAt: NOW });
      }
      await tx.run('INSERT INTO runs (started_at) VALUES (?), (?)', [
        (NOW - 8 * DAY) * 1000,
        (NOW - DAY) * 1000,
      ]);
    });
    const { read } = store.database;
    const moment = await reviewMoment(read, 2, WEEK, NOW);
    assert.deepEqual(moment, { now: NOW, runStartedAt: NOW - DAY, seenSince: NOW - 14 * DAY });
    const expected = (world ?? [])
      .flatMap((one, index) => {
        const at = NOW - one.row * DAY;
        const inYear = one.reviews.filter(
          (days) => NOW - days * DAY > at - 365 * DAY && NOW - days * DAY <= at,
        );
        const startedAt = one.read === null ? null : NOW - one.read * DAY;
        const figures = {
          count: one.read === null ? null : one.count,
          sold: one.read === null ? null : one.sold,
        };
        const facts: ShopFacts = {
          ...READ,
          at,
          counted: one.count,
          average: null,
          averageThen: null,
          sold: one.sold,
          have: inYear.length,
          startedAt,
          completedAt: startedAt,
          countedThen: figures.count,
          soldThen: figures.sold,
          drift: one.read === null ? 0 : one.drift,
          olderLeft: one.read === null ? 0 : (one.left ?? 0),
          isUnderWay: one.pass,
        };
        return visitsDue(facts, moment).map((visit) => ({ ...visit, shopId: index + 1 }));
      })
      .toSorted((a, b) => compareVisits(a, b) || a.shopId - b.shopId)
      .map(({ shopId, kind }) => ({ shopId, kind }));
    const queue = await reviewQueue(read, 2, moment);
    assert.ok(expected.length > 50);
    assert.deepEqual(queue.slice(0, queue.length), expected);
  });

  it('leaves out shops whose reviews are refused, and has those again of which something was spoilt or short', async () => {
    await store.database.write(async (tx) => {
      for (const id of [1, 2, 3]) {
        await addShops(tx, [{ ...shop(id), review_count: 0, transaction_sold_count: 9 }], freshSince(0));
        await completePass(tx, id, {
          startedAt: NOW - DAY,
          completedAt: NOW - DAY,
          shortRun: id === 3 ? 1 : null,
        });
      }
      await tx.run(
        `INSERT INTO set_aside (run_id, at, endpoint, reason, raw, shop_id, retry_at)
         VALUES (1, 0, 'shops/1/reviews', 'x', '', 1, ?), (1, 0, 'shops/2/reviews', 'x', '', 2, NULL)`,
        [NOW + DAY],
      );
    });
    const spoilt: number[] = [];
    for await (const { shopId, isSpoilt } of shopFacts(store.database.read, 2, NOW))
      if (isSpoilt) spoilt.push(shopId);
    assert.deepEqual(spoilt, [2, 3]);
  });
});
