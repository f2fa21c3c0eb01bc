import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  freshListings,
  freshShops,
  freshSpan,
  overdueEntries,
  rhythmOf,
  unseenDue,
} from '../lib/dataset/due.ts';
import { addListingsDynamic, dueListings, goneListings, markRemoved } from '../lib/dataset/listings.ts';
import { reviewMoment, shopFacts } from '../lib/dataset/review-queue.ts';
import { completePass, reviewStates } from '../lib/dataset/review-sync.ts';
import { refusedListingsDue } from '../lib/dataset/set-aside.ts';
import { addShops, dueShops } from '../lib/dataset/shops.ts';
import { replaceTaxonomy } from '../lib/dataset/taxonomy-table.ts';
import type { Sql, Tx } from '../lib/store/database.ts';
import { knownTime, latest } from '../lib/text/to-come.ts';
import { namesAreDue } from '../tasks/rules/taxonomies.ts';
import { NOW, WEEK, freshSince, listing, shop, storePerTest } from './store-rig.ts';

const MONTH = 30 * 24 * 3600;
const RULES = { refreshAfter: WEEK };
const ENTRY = `INSERT INTO meta_data (listing_id, value, earliest_year) VALUES (70, '{}', 2024)`;

interface Row {
  readonly write: (tx: Tx, at: number) => Promise<unknown>;
  /** True: what was stored counts. */
  readonly counts: (sql: Sql) => Promise<boolean>;
}

const addState = (tx: Tx, at: number): Promise<unknown> =>
  addListingsDynamic(tx, [listing(70, at)], freshSince(1));
const addShop = (tx: Tx, at: number): Promise<unknown> => addShops(tx, [shop(7, at)], freshSince(1));
const pass = (tx: Tx, at: number): Promise<unknown> =>
  completePass(tx, 7, { startedAt: at, completedAt: at, shortRun: null });
const fresh = (sql: Sql): ReturnType<typeof freshSpan> => freshSpan(sql, RULES, undefined, NOW);

async function factsOf(sql: Sql): Promise<{ startedAt: number | null; at: number | null } | undefined> {
  for await (const facts of shopFacts(sql, 1, NOW)) return facts;
  return undefined;
}

/** Each time that is stored and decides about something later. */
const STORED: Readonly<Record<string, Row>> = {
  'the newest row of a listing': {
    write: addState,
    counts: async (sql) => (await dueListings(sql, [70], await fresh(sql))).length === 0,
  },
  'that a listing is gone': {
    write: (tx, at) => markRemoved(tx, [70], at, freshSince(1)),
    counts: async (sql) => (await goneListings(sql, [70], NOW)).length === 1,
  },
  'rows of listings, in reconcile': {
    write: async (tx, at) => {
      await tx.run(ENTRY);
      await addState(tx, at);
    },
    counts: async (sql) => {
      const query = { after: 0, limit: 9, madeSince: 2000, unseenSince: undefined };
      return (await overdueEntries(sql, { ...query, fresh: await fresh(sql) })).length === 0;
    },
  },
  'rows of listings, in the status': {
    write: async (tx, at) => {
      await tx.run(ENTRY);
      await addState(tx, at);
    },
    counts: async (sql) => {
      const span = await fresh(sql);
      const [rows, unseen] = [await freshListings(sql, span), await unseenDue(sql, 2000, 1, span)];
      assert.equal(rows + unseen, 1);
      return rows === 1;
    },
  },
  'the newest row of a shop': {
    write: addShop,
    counts: async (sql) => {
      const span = await fresh(sql);
      const due = await dueShops(sql, [7], span);
      assert.equal(due.length + (await freshShops(sql, span)), 1);
      return due.length === 0;
    },
  },
  'the figures of a shop, for its reviews': {
    write: addShop,
    counts: async (sql) => (await factsOf(sql))?.at !== null,
  },
  'the watermark, in the order of visits': {
    write: async (tx, at) => {
      await addShop(tx, NOW);
      await pass(tx, at);
    },
    counts: async (sql) => (await factsOf(sql))?.startedAt !== null,
  },
  'the watermark, in a visit': {
    write: pass,
    counts: async (sql) => (await reviewStates(sql, [7], NOW))[0]?.started_at !== null,
  },
  'the names of categories': {
    write: (tx, at) =>
      // namesAreDue asks the clock itself.
      replaceTaxonomy(tx, [{ id: 1, parentId: null, name: 'One' }], at - NOW + Math.floor(Date.now() / 1000)),
    counts: async (sql) => !(await namesAreDue(sql)),
  },
  'when a refusal is to be tried again': {
    write: (tx, at) =>
      tx.run(
        `INSERT INTO set_aside (run_id, at, endpoint, reason, raw, listing_id, retry_at)
         VALUES (1, ?, 'listings/batch', 'HTTP 500', '70', 70, ?)`,
        [at, at + WEEK],
      ),
    counts: async (sql) => (await refusedListingsDue(sql, 2, NOW)).length === 0,
  },
};

describe('a stored time that is still to come', () => {
  const store = storePerTest();

  for (const [what, { write, counts }] of Object.entries(STORED)) {
    it(`counts as unknown: ${what}`, async () => {
      const { database } = store;
      await database.write((tx) => write(tx, NOW + MONTH));
      assert.equal(await counts(database.read), false, 'a month ahead');
    });
    it(`of the past counts: ${what}`, async () => {
      const { database } = store;
      await database.write((tx) => write(tx, NOW - 60));
      assert.equal(await counts(database.read), true, 'a minute ago');
    });
  }

  it('leaves room for corrections of the clock', () => {
    assert.equal(knownTime(NOW + 60, NOW), NOW + 60);
    assert.equal(knownTime(latest(NOW), NOW), latest(NOW));
    assert.equal(knownTime(latest(NOW) + 1, NOW), undefined);
    assert.equal(knownTime(null, NOW), undefined);
  });

  it('of a run that began then makes nothing due twice', async () => {
    const { database } = store;
    await database.write((tx) =>
      tx.run('INSERT INTO runs (started_at) VALUES (?), (?)', [
        (NOW - WEEK) * 1000,
        (NOW + 9 * MONTH) * 1000,
      ]),
    );
    assert.equal((await rhythmOf(database.read, RULES, 2, NOW)).runStartedAt, NOW);
    assert.ok((await freshSpan(database.read, RULES, 2, NOW)).since <= NOW);
    assert.ok((await reviewMoment(database.read, 2, WEEK, NOW)).runStartedAt <= NOW);
  });
});
