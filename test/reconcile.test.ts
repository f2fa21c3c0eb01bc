import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { BatchListing } from '../lib/etsy/api.ts';
import type { Sorted } from '../lib/etsy/schemas.ts';
import type { Step, TaskContext } from '../lib/task/task.ts';
import { nowSeconds } from '../lib/time.ts';
import type { Services } from '../lib/services.ts';
import { Database } from '../lib/store/database.ts';
import type { Tx } from '../lib/store/database.ts';
import { BATCH, WINDOW } from '../lib/task/window.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import reconcile from '../tasks/reconcile.ts';
import { Etsy, fill, KNOWN, RUN, WEEK } from './reconcile-etsy.ts';
import type { Known, Listing } from './reconcile-etsy.ts';

const NEVER = new AbortController().signal;

let folder = '';
let database: Database;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reconcile-'));
  database = await Database.open(join(folder, 'data.db'));
  await migrate(database);
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

/** Whether it has to be asked for, and nothing else may be. */
function isDue({ entry, seen, row, stored, wanted, setAside }: Known): boolean {
  const isKept = entry === 'since' || (entry !== 'none' && stored && !row.startsWith('gone'));
  return wanted || setAside || (isKept && !seen && !row.endsWith('fresh'));
}

type Cursor = { after: number; done: number };
type ReconcileStep = Step<Tx, Cursor>;

function steps(
  etsy: Etsy,
  cursor: Cursor | undefined,
  stop: AbortSignal,
  runId = RUN,
): AsyncGenerator<ReconcileStep, void, undefined> {
  const services: Pick<Services, 'sql' | 'rules' | 'imagesFolder' | 'imageHosts'> & {
    api: Pick<Services['api'], 'batch'>;
  } = {
    api: etsy,
    sql: database.read,
    rules: { madeSince: 2000, refreshAfter: WEEK },
    imagesFolder: folder,
    imageHosts: [],
  };
  const context: TaskContext<Record<string, never>, Services> = {
    options: {},
    folder: '/',
    services: services as Services,
    runId,
    stop,
    companionsActive: () => false,
    warn: () => undefined,
  };
  return reconcile.run({ id: 'entries', title: '' }, cursor && reconcile.cursor.parse(cursor), context);
}

/** How a process ends: a stop commits what is on its way; a kill may come before a step is committed or after. */
interface Ending {
  readonly how: 'stop' | 'killed before' | 'killed after';
  readonly steps: number;
}

interface Ran {
  cursor: Cursor | undefined;
  readonly finished: boolean;
}

/** Commits steps as the stage runner does, until the process ends. */
async function run(etsy: Etsy, cursor: Cursor | undefined, ending?: Ending, runId = RUN): Promise<Ran> {
  const stop = new AbortController();
  const all = steps(etsy, cursor, ending?.how === 'stop' ? stop.signal : NEVER, runId);
  const ran: Ran = { cursor, finished: false };
  let count = 0;
  try {
    for (;;) {
      const next = await all.next();
      if (next.done) return { ...ran, finished: true };
      const { write, cursor: following, pending } = next.value;
      count += 1;
      if (count === ending?.steps && ending.how === 'killed before') return ran;
      await database.write(async (tx) => write?.(tx));
      ran.cursor = following ?? ran.cursor;
      if (count === ending?.steps && ending.how === 'killed after') return ran;
      if (count === ending?.steps && ending.how === 'stop') stop.abort(new Error('KILL was found'));
      if (stop.signal.aborted && !pending) return ran;
    }
  } finally {
    await all.return();
  }
}

/** Listings alike, side by side. */
const some = fc.record(
  {
    size: fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 20 }) }, fc.nat({ max: 350 })),
    entry: fc.constantFrom(
      'since' as const,
      'since' as const,
      'since' as const,
      'before' as const,
      'unsaid' as const,
      'none' as const,
    ),
    seen: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.boolean()),
    row: fc.constantFrom(
      'none' as const,
      'stale' as const,
      'fresh' as const,
      'gone, stale' as const,
      'gone, fresh' as const,
    ),
    stored: fc.boolean(),
    wanted: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.boolean()),
    setAside: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.boolean()),
    says: fc.constantFrom(
      'shown' as const,
      'shown' as const,
      'missing' as const,
      'unusable' as const,
      'old after all' as const,
    ),
  },
  { noNullPrototype: true },
);
const groups = fc.array(some, { minLength: 1, maxLength: 14 });
type Some = typeof some extends fc.Arbitrary<infer T> ? T : never;

function listingsOf(all: readonly Some[]): Listing[] {
  const kinds = all.flatMap(({ size, ...kind }) => Array.from({ length: size }, () => kind));
  return kinds.map((kind, index) => ({ ...kind, id: index * 3 + 1 }));
}
const luck = fc.infiniteStream(fc.nat({ max: 1000 }));
const endings = fc.array(
  fc.record({
    how: fc.constantFrom('stop' as const, 'killed before' as const, 'killed after' as const),
    steps: fc.integer({ min: 1, max: 8 }),
  }),
  { minLength: 1, maxLength: 3 },
);

function dueOf(listings: readonly Listing[]): Set<number> {
  return new Set(listings.filter(isDue).map(({ id }) => id));
}

function timesAsked(etsy: Etsy): Map<number, number> {
  const times = new Map<number, number>();
  for (const id of etsy.batches.flat()) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

/** What the stage is for: of all that was answered, the rows say so; of all that was not, nothing is said. */
async function assertOutcome(listings: readonly Listing[], etsy: Etsy): Promise<void> {
  const due = dueOf(listings);
  const asked = new Set(etsy.batches.flat());
  assert.deepEqual(
    [...due].filter((id) => !asked.has(id)),
    [],
    'not asked for',
  );
  assert.deepEqual(
    [...asked].filter((id) => !due.has(id)),
    [],
    'asked for without need',
  );

  const answered = new Set(etsy.batches.flat());
  const rows = await database.read.all<{ id: number; state: string; fresh: number; n: number }>(
    `SELECT listing_id AS id, state, max(snapshot_timestamp) > ? AS fresh, count(*) AS n
     FROM listings_dynamic GROUP BY listing_id`,
    [nowSeconds() - WEEK],
  );
  const newest = new Map(rows.map((row) => [row.id, row]));
  for (const { id, says: one, row, seen, entry, stored } of listings) {
    const before = row === 'none' ? undefined : row.startsWith('gone') ? 'removed' : 'active';
    // Of what the search has shown in this run nobody says that it is gone.
    const isShown = seen && entry !== 'none';
    const says = one === 'old after all' && stored ? 'shown' : one;
    const said = answered.has(id) && !(says === 'missing' && isShown) ? says : undefined;
    const expected = said === 'shown' ? 'active' : said === 'missing' ? 'removed' : before;
    const found = newest.get(id);
    assert.equal(found?.state, expected, `${id}: ${row}, Etsy says: ${said}`);
    if (said === 'shown' || said === 'missing') assert.equal(found?.fresh, 1, `${id} is not fresh`);
    const had = row === 'none' ? 0 : 1;
    assert.ok((found?.n ?? 0) <= had + 1, `${id} has ${found?.n} rows`);
  }
  const wanted = await database.read.all<{ id: number }>('SELECT listing_id AS id FROM wanted');
  assert.deepEqual(
    wanted.filter(({ id }) => answered.has(id)),
    [],
    'answered, and wanted still',
  );
}

describe('what the crawl did not show', () => {
  it('is asked for, once, in batches that are full but for the last', async () => {
    await fc.assert(
      fc.asyncProperty(groups, luck, async (groups, luck) => {
        const listings = listingsOf(groups);
        await fill(database, listings);
        const etsy = new Etsy(listings, luck);
        assert.ok((await run(etsy, undefined)).finished);
        await assertOutcome(listings, etsy);
        // One that was wanted and came in unusable is as overdue as before, and may be looked for once more.
        const mayBe = new Set(listings.flatMap(({ id, says }) => (says === 'unusable' ? [id] : [])));
        // What is missing for the first time is asked for once more.
        const most = new Map(listings.map(({ id, says }) => [id, says === 'missing' ? 2 : 1]));
        const often = [...timesAsked(etsy)].filter(
          ([id, times]) => times > (most.get(id) ?? 0) && !mayBe.has(id),
        );
        assert.deepEqual(often, []);
        const sizes = etsy.batches.map((ids) => ids.length);
        // The last ones hold what was missing in those before them; one place may be that of a known listing.
        const least = Math.ceil(etsy.batches.flat().length / (BATCH - 1)) + 1;
        assert.ok(sizes.length <= least, `batches of ${sizes.join(', ')}`);
        assert.ok(etsy.most <= WINDOW, `${etsy.most} at once`);
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('is asked for again, after any end, only where the answer was on its way', async () => {
    await fc.assert(
      fc.asyncProperty(groups, luck, endings, async (groups, luck, endings) => {
        const listings = listingsOf(groups);
        await fill(database, listings);
        const etsy = new Etsy(listings, luck);
        /** Ids that were asked for by processes which did not live to take in the answer. */
        let lost = 0;
        let cursor: Cursor | undefined;
        for (const ending of [...endings, undefined]) {
          const [begun, done] = [etsy.batches.length, cursor?.done ?? 0];
          const ran = await run(etsy, cursor, ending);
          ({ cursor } = ran);
          const leftHere = etsy.batches.slice(begun).flat().length - ((cursor?.done ?? 0) - done);
          assert.ok(leftHere <= WINDOW * BATCH, `${leftHere} ids of more than ${WINDOW} batches`);
          if (ran.finished || ending?.how === 'stop') assert.equal(leftHere, 0);
          lost += leftHere;
        }
        await assertOutcome(listings, etsy);
        const says = new Map(listings.map(({ id, says }) => [id, says]));
        // Of what came in unusable nothing is known, and what is missing is asked for twice.
        const again = [...timesAsked(etsy)].filter(
          ([id]) => says.get(id) !== 'unusable' && says.get(id) !== 'missing',
        );
        const repeated = again.reduce((sum, [, times]) => sum + times - 1, 0);
        assert.ok(repeated <= lost, `${repeated} asked for again, ${lost} on their way`);
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('is had but for what spoils a batch, which is found, set aside and asked for by itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 350 }),
        fc.array(fc.nat({ max: 349 }), { maxLength: 4 }),
        async (size, places) => {
          const kind = {
            entry: 'since',
            seen: false,
            row: 'none',
            stored: false,
            wanted: false,
            setAside: false,
            says: 'shown',
          } as const;
          const listings = listingsOf([{ size, ...kind }]);
          await fill(database, listings);
          const etsy = new Etsy(listings, fc.sample(luck, 1)[0] ?? [][Symbol.iterator]());
          for (const place of places) etsy.poison.add(listings[place % size]?.id ?? 0);
          assert.ok((await run(etsy, undefined)).finished);
          const rows = await database.read.all<{ id: number }>(
            'SELECT listing_id AS id FROM listings_dynamic WHERE listing_id <> ?',
            [KNOWN],
          );
          assert.equal(rows.length, size - etsy.poison.size);
          const open = await database.read.all<{ id: number; tries: number }>(
            'SELECT listing_id AS id, tries FROM set_aside WHERE settled_at IS NULL AND retry_at IS NOT NULL',
          );
          assert.deepEqual(new Set(open.map(({ id }) => id)), etsy.poison);
          assert.ok(open.every(({ tries }) => tries === 1));

          // In the next run they spoil nothing.
          const before = etsy.batches.length;
          assert.ok((await run(etsy, undefined, undefined, RUN + 1)).finished);
          assert.equal(etsy.batches.length, before);
          etsy.poison.clear();
          await database.write((tx) => tx.run('UPDATE set_aside SET retry_at = 0'));
          assert.ok((await run(etsy, undefined, undefined, RUN + 2)).finished);
          const all = await database.read.all(
            'SELECT DISTINCT listing_id FROM listings_dynamic WHERE listing_id <> ?',
            [KNOWN],
          );
          assert.equal(all.length, size);
          assert.deepEqual(await database.read.all('SELECT * FROM set_aside WHERE settled_at IS NULL'), []);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  });

  it('is not believed to be gone where an answer names nothing at all', async () => {
    const kind = {
      entry: 'since',
      seen: false,
      row: 'stale',
      stored: false,
      wanted: false,
      setAside: false,
      says: 'shown',
    } as const;
    const listings = listingsOf([{ size: 150, ...kind }]);
    for (const answers of [1, 2, 50]) {
      await fill(database, listings);
      const etsy = new Etsy(listings, fc.sample(luck, 1)[0] ?? [][Symbol.iterator]());
      let left = answers;
      const silent = Object.create(etsy, {
        batch: {
          value: (ids: readonly number[]): Promise<Sorted<BatchListing>> => {
            left -= 1;
            return left >= 0 ? Promise.resolve({ good: [], rejected: [], misfits: [] }) : etsy.batch(ids);
          },
        },
      }) as Etsy;
      assert.ok((await run(silent, undefined)).finished);
      const gone = await database.read.all("SELECT * FROM listings_dynamic WHERE state = 'removed'");
      assert.deepEqual(gone, [], `after ${answers} empty answers`);
    }
  });
});
