import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import type { Sql } from '../../lib/store/database.ts';
import { makeOffers } from '../../lib/report/offers.ts';
import { allSeen } from '../../lib/dataset/slices.ts';
import { grow } from '../bench/grow.ts';
import { oneLine, scansOf } from '../bench/scans.ts';
import { Rig } from '../rig.ts';

const WATCH = new URL('../bench/statements.mjs', import.meta.url);
/** As many as let a plan that follows statistics see which table is large. */
const LISTINGS = 5000;

/** What may read a table from end to end: how the statement begins, and why. */
const MEANT: readonly (readonly [statement: string, why: string])[] = [
  [
    'SELECT json_group_array(id) AS ids, max(misses) AS misses FROM ( SELECT listing_id AS id, misses FROM wanted',
    'the first rows, as many as LIMIT says',
  ],
  [
    "SELECT listing_id, image_id, url, reason, bytes FROM images INDEXED BY images_open WHERE state IN ('waiting', 'failed')",
    'the first rows of an index that holds nothing but open ones',
  ],
  [
    'SELECT state, count(*) AS n FROM images GROUP BY state',
    'the screen, for a thirtieth of the time at most',
  ],
  [
    'SELECT listing_id, shop_id, when_made FROM listings WHERE listing_id IN',
    'verify, once: rows without entry, looked for in an index',
  ],
  ['SELECT when_made AS word, count(*) AS n FROM listings', 'verify, once: words of when_made'],
  ['SELECT DISTINCT l.shop_id AS id FROM listings AS l', 'verify, once: shops without rows'],
  ['SELECT key FROM ledger ORDER BY id DESC LIMIT 1', 'the status: the last row'],
  ['SELECT at_ms FROM (SELECT at_ms FROM ledger ORDER BY id DESC LIMIT 10)', 'a start: the last ten rows'],
  [
    'SELECT remaining_today AS calls, at_ms AS atMs FROM ledger INDEXED BY ledger_remaining',
    'the first row of an index',
  ],
  ['SELECT count(*) AS n FROM meta_data', 'the summary: entries'],
  ['SELECT count(*) AS n FROM meta_data AS m', 'the status: entries that the last crawl did not see'],
  ['SELECT count(*) AS n FROM listings', 'the status: rows, in the smallest index'],
  ['SELECT count(*) AS n FROM listings_dynamic', 'the status: rows, in the smallest index'],
  ['SELECT count(*) AS n FROM shops', 'the status: rows'],
  ['SELECT count(*) AS n FROM shops_dynamic', 'the status: rows, in the smallest index'],
  ['SELECT count(*) AS n FROM reviews', 'the status: rows, in the smallest index'],
  ['SELECT count(*) AS n FROM wanted', 'the status: what is asked for next'],
  ['SELECT sum(later) AS later', 'the status: the newest listings, as many as LIMIT says'],
  ["SELECT iif(json_type(value) = 'object', value ->> 'when_made', NULL)", 'the summary: what is left out'],
  ['SELECT count(*) AS listings FROM listings', 'the report: how many, from an index'],
  ['SELECT count(*) AS n FROM listings AS l WHERE EXISTS', 'the report: of each, is it fresh'],
  ['SELECT count(DISTINCT listing_id) AS n FROM listings_dynamic', 'the report: an index of gone ones alone'],
  ['SELECT count(*) AS meta_data FROM meta_data', 'the report: entries'],
  ["SELECT strftime('%Y', at, 'unixepoch')", 'the report: reviews by month, from their index'],
  ['SELECT count(*) AS reviews FROM reviews', 'the report: how many, from an index'],
  ['SELECT count(*) AS shops FROM shops', 'the report: how many; there are few shops'],
  ['SELECT count(DISTINCT coalesce(shop_location_country_iso', 'the report: countries'],
  ['SELECT rating, count(*) AS n', 'the report: the newest reviews, as many as LIMIT says'],
  [
    'SELECT o.listing_id, l.title, l.url, o.price, o.currency, o.favorites, gained',
    'the report: the growth of each listing',
  ],
  ['SELECT (snapshot_timestamp / 86400 + 3) / 7', 'the report: readings of a sample, from their index'],
  ["SELECT 1 AS n FROM images WHERE state = 'done'", 'the report: the first image with a hash'],
  ['SELECT *, count(*) OVER () AS "all"', 'the report: images by hash'],
  ['SELECT coalesce(shop_location_country_iso', 'the report: shops by country'],
];

/** What a run does only where something is out of the ordinary: how the statement begins, and what that is. */
const UNCOMMON: readonly (readonly [statement: string, what: string])[] = [
  ['INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state)', 'a listing that is gone'],
  ["INSERT INTO images (listing_id, state, reason) SELECT r.value ->> 0, 'none'", 'a listing without image'],
  ["INSERT INTO images (listing_id, state, reason) SELECT r.value ->> 0, 'unknown'", 'an image that is lost'],
  ['UPDATE images SET state = r.value ->> 1', 'an image that cannot be had'],
  ['INSERT INTO review_sync (shop_id, pass)', 'a shop with more than a page of reviews'],
  ['SELECT transaction_id AS id FROM reviews', 'reviews of the early system'],
  ['UPDATE reviews SET transaction_id', 'reviews of the early system'],
];

interface Offender {
  readonly statement: string;
  readonly scans: readonly string[];
}

describe('the plans of all statements that the five stages and the status run', () => {
  let rig: Rig;
  let statements: string[] = [];
  const scanned = new Set<string>();

  before(async () => {
    rig = await Rig.open({ market: { viewsOnPages: false, reviews: { big: { shop: 0, count: 150 } } } });
    const env = { STATEMENTS: rig.path('statements.json') };
    const run = async (): Promise<void> => {
      const { code, stderr } = await rig.run({ report: true, imports: [WATCH], env });
      assert.equal(code, 0, stderr);
    };
    await run();
    await makeWork(rig);
    await rig.advance(8);
    const status = { qps: 'exact', args: ['status'], imports: [WATCH], env } as const;
    assert.equal((await rig.run(status)).code, 0);
    await run();
    const recorded = JSON.parse(await readFile(env.STATEMENTS, 'utf8')) as string[];
    statements = [...recorded, ...(await beyondReach())].map(oneLine);
    await grow(rig.path('etsy_data.db'), LISTINGS);
    await fillLedger(rig);
  });

  after(() => rig.close());

  it('were recorded in every stage', () => {
    for (const table of ['listings', 'shops', 'images', 'meta_data', 'reviews', 'review_sync', 'findings']) {
      const written = statements.some((sql) => new RegExp(`^(INSERT INTO|UPDATE) ${table}\\b`).test(sql));
      assert.ok(written, `nothing was written to ${table}`);
    }
    for (const [start, what] of UNCOMMON) {
      assert.ok(
        statements.some((sql) => sql.startsWith(start)),
        `nothing was done about ${what}`,
      );
    }
  });

  for (const analyzed of [false, true]) {
    it(`read no data table from end to end, ${analyzed ? 'with' : 'without'} statistics`, async () => {
      const offenders = await scanning(rig.path('etsy_data.db'), statements, analyzed);
      const unmeant = offenders.filter(
        ({ statement }) => !MEANT.some(([start]) => statement.startsWith(start)),
      );
      const told = unmeant.map(({ statement, scans }) => `${statement}\n    ${scans.join('\n    ')}`);
      assert.deepEqual(told, []);
      for (const { statement } of offenders) scanned.add(statement);
    });
  }

  it('are excused nowhere without need', () => {
    // Statistics may have SQLite skip about in an index that it reads from end to end without them.
    const idle = MEANT.filter(([start]) => ![...scanned].some((statement) => statement.startsWith(start)));
    assert.deepEqual(idle, [], 'exceptions that nothing needs');
  });
});

/** Something for the statements that mend and take over: rows that are missing, and reviews of the early system. */
async function makeWork(rig: Rig): Promise<void> {
  const database = await Database.open(rig.path('etsy_data.db'));
  try {
    await database.write(async (tx) => {
      await tx.run('DELETE FROM listings WHERE listing_id = (SELECT min(listing_id) FROM listings)');
      await tx.run('DELETE FROM shops WHERE shop_id = (SELECT max(shop_id) FROM listings)');
      await tx.run('DELETE FROM meta_data WHERE listing_id = (SELECT max(listing_id) FROM listings)');
      await tx.run('UPDATE reviews SET transaction_id = NULL WHERE id % 3 = 0');
      await tx.run('UPDATE review_sync SET started_at = NULL');
    });
  } finally {
    await database.close();
  }
}

/** As many requests as a day has: a table of a few rows may well be read from end to end. */
async function fillLedger(rig: Rig): Promise<void> {
  const database = await Database.open(rig.path('etsy_data.db'));
  try {
    await database.write((tx) =>
      tx.run(
        `INSERT INTO ledger (at_ms, run_id, endpoint, status) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         SELECT i * 1000, 1, 'listings/active', 200 FROM n`,
      ),
    );
  } finally {
    await database.close();
  }
}

/** What is asked only where more listings cost the same than one search can reach: more than these worlds have. */
async function beyondReach(): Promise<string[]> {
  const asked: string[] = [];
  const note =
    <T>(answer: T) =>
    async (sql: string): Promise<T> => {
      asked.push(sql);
      return answer;
    };
  const unanswered: Sql = { get: note(undefined), all: note([]) };
  await allSeen(unanswered, 1, 967, { low: 0, high: -1 }, [70]);
  return asked;
}

async function scanning(path: string, statements: readonly string[], analyzed: boolean): Promise<Offender[]> {
  const database = await Database.open(path);
  try {
    if (analyzed) await database.write((tx) => tx.run('ANALYZE'));
    // The report makes this table for itself.
    await makeOffers(database);
    const found: Offender[] = [];
    for (const statement of statements) {
      // `holder`, `worked_on` and `started_with` are in the lock's own file.
      if (!/^(?:SELECT|WITH|INSERT|UPDATE|DELETE|REPLACE)\b/i.test(statement)) continue;
      if (/\b(holder|worked_on|started_with)\b/.test(statement)) continue;
      const plan = await database.read.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`);
      const scans = scansOf(
        statement,
        plan.map((row) => row.detail),
      );
      if (scans.length > 0) found.push({ statement, scans });
    }
    return found;
  } finally {
    await database.close();
  }
}
