import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { TaskContext } from '../lib/task/task.ts';
import type { Services } from '../lib/services.ts';
import { Database } from '../lib/store/database.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import reviews from '../tasks/reviews.ts';
import { clock, DAY, Etsy, START } from './reviews-etsy.ts';
import type { Review } from './reviews-etsy.ts';

const REFRESH_AFTER = 3 * DAY;
const NEVER = new AbortController().signal;

let folder = '';
let database: Database;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reviews-'));
  database = await Database.open(join(folder, 'data.db'));
  await migrate(database);
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  mock.method(Date, 'now', () => clock.now * 1000);
});
afterEach(() => {
  mock.restoreAll();
});

type Ending = { readonly how: 'stop' | 'killed before' | 'killed after'; readonly steps: number };

/** Commits steps as the stage runner does, until the process ends. @returns whether the stage is finished */
async function run(etsy: Etsy, runId: number, ending?: Ending): Promise<boolean> {
  const stop = new AbortController();
  const services = { api: etsy, sql: database.read, rules: { madeSince: 2000, refreshAfter: REFRESH_AFTER } };
  const context: TaskContext<Record<string, never>, Services> = {
    options: {},
    folder: '/',
    services: services as unknown as Services,
    runId,
    stop: ending?.how === 'stop' ? stop.signal : NEVER,
    companionsActive: () => false,
    warn: () => undefined,
  };
  const all = reviews.run({ id: 'shops', title: '' }, undefined, context);
  try {
    for (let count = 1; ; count += 1) {
      const next = await all.next();
      if (next.done) return true;
      if (count === ending?.steps && ending.how === 'killed before') return false;
      await database.write(async (tx) => next.value.write?.(tx));
      if (count === ending?.steps && ending.how === 'killed after') return false;
      if (count === ending?.steps && ending.how === 'stop') stop.abort(new Error('KILL was found'));
      if (stop.signal.aborted && !next.value.pending) return false;
    }
  } finally {
    await all.return();
    // What the process had on the wire when it ended is still answered, to nobody.
    for (let round = 0; round < 10; round += 1) await turn();
  }
}

/** What a crawl leaves: the run, and a row of each shop. @param said what Etsy says in place of the true count */
async function crawl(
  etsy: Etsy,
  runId: number,
  shops: number,
  said: (counted: number, shopId: number) => number | null = (counted) => counted,
): Promise<void> {
  await database.write(async (tx) => {
    await tx.run('INSERT INTO runs (id, started_at) VALUES (?, ?)', [runId, clock.now * 1000]);
    for (let id = 1; id <= shops; id += 1)
      await tx.run(
        'INSERT INTO shops_dynamic (shop_id, snapshot_timestamp, review_count, transaction_sold_count) VALUES (?, ?, ?, ?)',
        [id, clock.now, said(etsy.counted(id), id), 5000],
      );
  });
  clock.now += 1;
}

async function shopsWithOlderPages(): Promise<number[]> {
  const rows = await database.read.all<{ id: number }>(
    'SELECT shop_id AS id FROM review_sync WHERE older_than IS NOT NULL',
  );
  return rows.map(({ id }) => id);
}

async function empty(shops: number): Promise<void> {
  await database.write(async (tx) => {
    for (const table of ['shops', 'shops_dynamic', 'runs', 'reviews', 'review_sync', 'set_aside'])
      await tx.run(`DELETE FROM ${table}`);
    for (let id = 1; id <= shops; id += 1) await tx.run('INSERT INTO shops (shop_id) VALUES (?)', [id]);
  });
}

/** Of the shops' watermarks: what lies before them is stored, each review once. */
async function assertStored(all: readonly Review[]): Promise<Map<number, number | null>> {
  const rows = await database.read.all<{ id: number; n: number }>(
    'SELECT transaction_id AS id, count(*) AS n FROM reviews GROUP BY transaction_id',
  );
  assert.deepEqual(
    rows.filter(({ n }) => n !== 1),
    [],
    'stored more than once',
  );
  const stored = new Set(rows.map(({ id }) => id));
  const marks = await database.read.all<{
    shop_id: number;
    started_at: number | null;
    older_than: number | null;
    short_run: number | null;
  }>('SELECT shop_id, started_at, older_than, short_run FROM review_sync');
  const watermarks = new Map(marks.map((row) => [row.shop_id, row.started_at]));
  // Older pages are still to be read, or all of the shop's once more.
  const since = new Map(
    marks.map((row) => [row.shop_id, row.short_run === null ? (row.older_than ?? -Infinity) : Infinity]),
  );
  const passed = all.filter(
    ({ shopId, shownAt, createdAt, id }) =>
      shownAt <= (watermarks.get(shopId) ?? 0) &&
      createdAt > (since.get(shopId) ?? -Infinity) &&
      !stored.has(id),
  );
  assert.deepEqual(passed, [], 'the watermark has passed a review that is not stored');
  return watermarks;
}

/** Shops with something set aside, but for those that were refused again and again and are not due yet. */
async function openShops(at = Number.MAX_SAFE_INTEGER): Promise<number[]> {
  const rows = await database.read.all<{ id: number }>(
    `SELECT shop_id AS id FROM set_aside WHERE settled_at IS NULL
     GROUP BY shop_id HAVING coalesce(max(retry_at), 0) <= ? ORDER BY shop_id`,
    [at],
  );
  return rows.map(({ id }) => id);
}

const burst = fc.record({
  /** Seconds from START. */
  at: fc.integer({ min: -400 * DAY, max: 20 * DAY }),
  size: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 130 })),
  apart: fc.constantFrom(0, 1, 600, 7200),
  late: fc.nat({ max: 7 * DAY }),
  /** How long, from START, its first record cannot be used. */
  bad: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, fc.nat({ max: 20 * DAY })),
  oddFirst: fc.boolean(),
});
type Burst = typeof burst extends fc.Arbitrary<infer T> ? T : never;
const shops = fc.array(fc.array(burst, { maxLength: 4 }), { minLength: 1, maxLength: 20 });

function reviewsOf(shops: readonly (readonly Burst[])[]): Review[] {
  const all = shops.flatMap((bursts, shop) =>
    bursts.flatMap(({ at, size, apart, late, bad, oddFirst }) =>
      Array.from({ length: size }, (_, index) => {
        const createdAt = START + at - index * apart;
        const goodFrom = index === 0 && bad !== undefined ? START + bad : 0;
        const isOddFirst = index === size - 1 && oddFirst;
        return { shopId: shop + 1, createdAt, shownAt: createdAt + late, goodFrom, isOddFirst };
      }),
    ),
  );
  return all.map((one, index) => ({ ...one, id: index + 1 }));
}

const ending = fc.record({
  how: fc.constantFrom('stop' as const, 'killed before' as const, 'killed after' as const),
  steps: fc.integer({ min: 1, max: 25 }),
});
/** How long after the last one a run begins, never in the same second, and how its processes end before the one that finishes it. */
const runs = fc.array(
  fc.record({ gap: fc.integer({ min: 1, max: 6 * DAY }), endings: fc.array(ending, { maxLength: 2 }) }),
  { minLength: 1, maxLength: 5 },
);
const luck = fc.infiniteStream(fc.nat({ max: 1000 }));

describe('the reviews of all shops', () => {
  it('are stored once each, and no watermark passes one that is not; what was spoilt is asked for again', async () => {
    await fc.assert(
      fc.asyncProperty(shops, runs, luck, async (shops, runs, luck) => {
        clock.now = START;
        await empty(shops.length);
        const all = reviewsOf(shops);
        const etsy = new Etsy(all, luck);
        let spoilt: number[] = [];
        let runId = 0;
        for (const { gap, endings } of runs) {
          runId += 1;
          clock.now += gap;
          etsy.beginRun();
          await crawl(etsy, runId, shops.length);
          const before = await assertStored(all);
          const withOlder = await shopsWithOlderPages();
          const due = await openShops(clock.now);
          for (const ending of endings) {
            if (await run(etsy, runId, ending)) break;
            await assertStored(all);
          }
          assert.ok(await run(etsy, runId));
          assert.deepEqual(
            due.filter((id) => !etsy.asked.has(id)),
            [],
            'spoilt in the last run, and not asked for',
          );
          const watermarks = await assertStored(all);
          for (const shop of etsy.asked) {
            const moved = watermarks.get(shop) !== before.get(shop);
            // A pass that an earlier run left half done may have been spoilt there.
            assert.ok(
              [etsy.spoilt, new Set(spoilt), new Set(withOlder)].some((set) => set.has(shop)) ||
                moved ||
                !etsy.shown.has(shop),
              `shop ${shop} is where it was`,
            );
          }
          spoilt = await openShops();
        }

        // Once Etsy has nothing bad to tell: one run may still have to end a pass that was spoilt, the next one cannot.
        etsy.isWell = true;
        // The longest that a refused shop waits is sixteen times `refreshAfter`.
        clock.now += 60 * DAY;
        for (const last of [1, 2]) {
          await crawl(etsy, runId + last, shops.length);
          assert.ok(await run(etsy, runId + last));
          clock.now += DAY;
        }
        await assertStored(all);
        assert.deepEqual(await openShops(), []);
        const row = await database.read.get<{ n: number }>('SELECT count(*) AS n FROM reviews');
        assert.equal(row?.n, all.length);
        assert.deepEqual(
          await database.read.all(
            'SELECT transaction_id FROM reviews WHERE rating IS NOT 1 + transaction_id % 5',
          ),
          [],
          'a rating that one answer had odd is unknown for good',
        );
      }),
      // To shrink an endless stream takes hours and all memory; the seed is told.
      { numRuns: 30, endOnFailure: true },
    );
  });
});

describe('a database of the version before', () => {
  it('resumes the pass it was in, where it was, and reads no other shop again', async () => {
    clock.now = START;
    await empty(3);
    const all = Array.from({ length: 250 }, (_, index) => {
      const createdAt = START - 10 * DAY - index * 60;
      return { shopId: 1, id: index + 1, createdAt, shownAt: createdAt, goodFrom: 0 };
    });
    const etsy = new Etsy(all, (function* () {})());
    etsy.isWell = true;
    const [kept] = [all.slice(0, 100)];
    await database.write(async (tx) => {
      const rows = kept.map((one) => [one.id, one.createdAt]);
      await tx.run(
        `INSERT INTO reviews (shop_id, listing_id, transaction_id, create_timestamp)
         SELECT 1, 70, r.value ->> 0, r.value ->> 1 FROM json_each(?) AS r`,
        [JSON.stringify(rows)],
      );
      const pass = { startedAt: START - DAY, minCreated: 946_684_800, offset: 100 };
      await tx.run('INSERT INTO review_sync (shop_id, pass) VALUES (1, ?)', [JSON.stringify(pass)]);
      for (const id of [2, 3])
        await tx.run('INSERT INTO review_sync (shop_id, started_at, completed_at) VALUES (?, ?, ?)', [
          id,
          START - 8 * DAY,
          START - 8 * DAY,
        ]);
    });
    etsy.beginRun();
    await crawl(etsy, 1, 3);
    assert.ok(await run(etsy, 1));
    assert.deepEqual([...etsy.asked], [1]);
    assert.equal(etsy.requests, 2);
    const row = await database.read.get<{ n: number }>('SELECT count(*) AS n FROM reviews');
    assert.equal(row?.n, 250);
    assert.equal((await assertStored(all)).get(1), START - DAY);
  });
});

describe('ten weeks in which a fifth of the shops get reviews', () => {
  const SHOPS = 50;
  const WEEKS = 10;

  /** As they come in: each week a fifth of the shops gets one to three. */
  function weeks(draw: () => number): Review[] {
    const all: Review[] = [];
    const add = (shopId: number, createdAt: number): void => {
      all.push({ shopId, id: all.length + 1, createdAt, shownAt: createdAt, goodFrom: 0 });
    };
    for (let shop = 1; shop <= SHOPS; shop += 1)
      for (let n = draw() % 150; n > 0; n -= 1) add(shop, START - (draw() % 500) * DAY - n);
    for (let week = 0; week < WEEKS; week += 1) {
      for (let shop = 1 + (draw() % 5); shop <= SHOPS; shop += 5)
        for (let n = 1 + (draw() % 3); n > 0; n -= 1)
          add(shop, START + week * 7 * DAY + DAY + (draw() % (5 * DAY)));
    }
    return all;
  }

  async function live(
    draw: () => number,
    said: (counted: number, shopId: number, week: number, etsy: Etsy) => number | null,
  ): Promise<{ all: Review[]; vain: number[]; etsy: Etsy }> {
    clock.now = START;
    await empty(SHOPS);
    const all = weeks(draw);
    const quiet = function* (): Generator<number, never, undefined> {
      for (;;) yield 1;
    };
    const etsy = new Etsy(all, quiet());
    etsy.isWell = true;
    const vain: number[] = [];
    for (let week = 0; week <= WEEKS; week += 1) {
      clock.now = START + week * 7 * DAY;
      etsy.beginRun();
      await crawl(etsy, week + 1, SHOPS, (counted, shop) => said(counted, shop, week, etsy));
      assert.ok(await run(etsy, week + 1));
      const since = clock.now - 7 * DAY - DAY;
      const withNews = new Set(
        all.filter((one) => one.createdAt > since && one.createdAt <= clock.now).map((one) => one.shopId),
      );
      if (week > 0) vain.push(etsy.requests / Math.max(1, withNews.size));
    }
    return { all, vain, etsy };
  }

  async function lost(all: readonly Review[]): Promise<number> {
    const row = await database.read.get<{ n: number }>('SELECT count(*) AS n FROM reviews');
    return all.length - (row?.n ?? 0);
  }

  it('has every one of them after each run, for at most one and a half requests per shop with news', async () => {
    const { all, vain } = await live(numbers(3), (counted) => counted);
    assert.equal(await lost(all), 0);
    assert.ok(
      vain.every((perShop) => perShop <= 1.5),
      vain.join(', '),
    );
  });

  it('loses nothing where counts lag, fall or are null', async () => {
    const draw = numbers(4);
    const { all, etsy } = await live(numbers(5), (counted, shop, week, market) => {
      if (week === WEEKS) return counted;
      const fate = draw() % 10;
      if (fate === 0) return null;
      if (fate === 1) return Math.max(0, counted - 1 - (draw() % 3));
      return fate < 5 ? market.counted(shop, clock.now - (draw() % (2 * DAY))) : counted;
    });
    // What a wrong count has hidden is found a month later.
    assert.ok((await lost(all)) <= all.length / 100, `${await lost(all)} of ${all.length} are late`);
    clock.now = START + (WEEKS * 7 + 29) * DAY;
    await crawl(etsy, WEEKS + 2, SHOPS);
    assert.ok(await run(etsy, WEEKS + 2));
    assert.equal(await lost(all), 0);
  });
});

/** The same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) >>> 8;
}
