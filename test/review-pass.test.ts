import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  EARLIEST,
  OVERLAP,
  advancePass,
  newestPass,
  olderPass,
  pass,
  queryOf,
  wholePass,
} from '../tasks/rules/review-pass.ts';
import type { Pass } from '../tasks/rules/review-pass.ts';

const DAY = 24 * 3600;
const START = 1_790_000_000;

interface Review {
  readonly createdAt: number;
  /** Etsy shows a review up to a day after the time it carries. */
  readonly shownAt: number;
}

interface Page {
  readonly count: number | undefined;
  readonly rows: Review[];
}

/** One shop's reviews as the API pages them. */
class Shop {
  readonly #reviews: readonly Review[];

  /** @param reviews in any order */
  constructor(reviews: readonly Review[]) {
    this.#reviews = reviews.toSorted((a, b) => b.createdAt - a.createdAt);
  }

  shown(now: number): Review[] {
    return this.#reviews.filter((review) => review.shownAt <= now);
  }

  page(current: Pass, now: number): Page {
    const { offset, minCreated = EARLIEST, maxCreated = Infinity } = queryOf(current);
    assert.ok(offset >= 0 && offset <= 12_000, `offset ${offset}`);
    assert.ok(minCreated >= EARLIEST, `min_created ${minCreated}`);
    assert.ok(minCreated <= maxCreated, `min_created ${minCreated}, max_created ${maxCreated}`);
    const window = this.shown(now).filter(
      ({ createdAt }) => createdAt >= minCreated && createdAt <= maxCreated,
    );
    return { count: window.length, rows: window.slice(offset, offset + 100) };
  }
}

const HOW = [
  'empty',
  'short',
  'count lower',
  'count 0',
  'count a million',
  'repeated',
  'past the end',
  'second page empty',
] as const;
interface OddAnswer {
  /** The number of the request, from 1 on. */
  readonly at: number;
  readonly how: (typeof HOW)[number];
}
/** The first answers, one after the other. */
function oddAnswers(...how: (typeof HOW)[number][]): OddAnswer[] {
  return how.map((one, index) => ({ at: index + 1, how: one }));
}
const oddAnswer = fc.record({ at: fc.integer({ min: 1, max: 12 }), how: fc.constantFrom(...HOW) });

/** Answers some of its requests oddly. */
class OddShop extends Shop {
  readonly #odd: readonly OddAnswer[];
  #requests = 0;
  #first: Review[] = [];

  constructor(reviews: readonly Review[], odd: readonly OddAnswer[]) {
    super(reviews);
    this.#odd = odd;
  }

  override page(current: Pass, now: number): Page {
    const page = super.page(current, now);
    this.#requests += 1;
    if (current.offset === 0) this.#first = page.rows;
    const how = this.#odd.find(({ at }) => at === this.#requests)?.how;
    const { count = 0, rows } = page;
    if (how === 'empty') return { count, rows: [] };
    if (how === 'short') return { count, rows: rows.slice(0, Math.floor(rows.length / 3)) };
    if (how === 'count lower') return { count: Math.floor(count / 4), rows };
    if (how === 'count 0') return { count: 0, rows: [] };
    if (how === 'count a million') return { count: 1_000_000, rows };
    if (how === 'repeated') return { count, rows: this.#first };
    if (how === 'past the end' && current.offset > 0) return { count: undefined, rows: [] };
    if (how === 'second page empty' && current.offset === 100) return { count, rows: [] };
    return page;
  }
}

interface Read {
  readonly requests: number;
  readonly seen: Set<Review>;
  /** When the last page came. */
  readonly now: number;
  /** Counted by Etsy, and not shown. */
  readonly missing: number;
  /** Left by a pass over the newest pages. */
  readonly older: { readonly than: number; readonly left: number } | undefined;
}

/**
 * Reads one pass to its end, as the reviews stage does. `tick` says how long each request takes; `killed` whether the
 * process dies before its answer is stored, and another goes on from what is kept with the shop.
 */
function readPass(
  shop: Shop,
  first: Pass,
  {
    tick = () => 1,
    killed = () => false,
    known = 0,
    accounted,
  }: { tick?: () => number; killed?: () => boolean; known?: number; accounted?: number } = {},
): Read {
  const seen = new Set<Review>();
  let now = first.startedAt;
  let requests = 0;
  for (let current = first; ;) {
    assert.equal(current.startedAt, first.startedAt);
    now += tick();
    requests += 1;
    assert.ok(requests < 2000, 'the pass does not end');
    const { count, rows } = shop.page(current, now);
    if (killed()) {
      current = pass.parse(JSON.parse(JSON.stringify(current)));
      continue;
    }
    const before = seen.size;
    for (const review of rows) seen.add(review);
    const oldest = rows.at(-1)?.createdAt;
    const { next, ...over } = advancePass(current, {
      rows: rows.length,
      count,
      fresh: seen.size - before,
      oldest,
      known: current.offset === 0 ? known : 0,
      ...(accounted !== undefined && { accounted }),
    });
    if (!next) {
      const { missing, older } = { missing: 0, older: undefined, ...over };
      return { requests, seen, now, missing, older };
    }
    current = next;
  }
}

function reviewsAt(times: readonly number[]): Review[] {
  return times.map((createdAt) => ({ createdAt, shownAt: createdAt }));
}

/** `size` reviews, the last at START; `apart` seconds between them, 0: all in one second. */
function inARow(size: number, apart: number): Review[] {
  return reviewsAt(Array.from({ length: size }, (_, index) => START - Math.floor(index * apart)));
}

/** Bursts of reviews: many in the same second, or spread over years. */
const burst = fc.record({
  at: fc.integer({ min: EARLIEST, max: START }),
  size: fc.oneof(fc.nat({ max: 150 }), fc.nat({ max: 6000 })),
  apart: fc.constantFrom(0, 0.01, 1, 3600),
});
const past = fc
  .array(burst, { maxLength: 5 })
  .map((bursts) =>
    reviewsAt(
      bursts.flatMap(({ at, size, apart }) =>
        Array.from({ length: size }, (_, index) => Math.max(EARLIEST, at - Math.floor(index * apart))),
      ),
    ),
  );
/** Reviews that come while passes are read, shown up to a day late. */
const arrivals = fc
  .array(fc.tuple(fc.nat({ max: 14 * DAY }), fc.nat({ max: 7 * DAY })), { maxLength: 300 })
  .map((all) => all.map(([after, late]) => ({ createdAt: START + after, shownAt: START + after + late })));

describe('a pass over the reviews of a shop', () => {
  it('has seen, when it ends, every review that was there when it began', () => {
    fc.assert(
      fc.property(past, arrivals, fc.infiniteStream(fc.nat({ max: 3600 })), (old, coming, ticks) => {
        const shop = new Shop([...old, ...coming]);
        const { seen } = readPass(shop, wholePass(START), {
          tick: () => Number(ticks.next().value ?? 1),
        });
        assert.ok(shop.shown(START).every((review) => seen.has(review)));
      }),
      { numRuns: 25 },
    );
  });

  it('asks for a page a hundred reviews, for one where there is none, and for one more after a full last page', () => {
    for (const size of [0, 1, 99, 100, 101, 200, 12_000, 12_001, 12_099, 12_100]) {
      const { requests } = readPass(new Shop(inARow(size, 60)), wholePass(START));
      assert.equal(requests, Math.floor(size / 100) + 1, `${size} reviews`);
    }
    fc.assert(
      // 12,100 within one second fill every offset there is, and are read a second time by time.
      fc.property(fc.nat({ max: 12_099 }), fc.constantFrom(0, 0.5, 3600), (size, apart) => {
        const { requests, seen } = readPass(new Shop(inARow(size, apart)), wholePass(START));
        assert.equal(seen.size, size);
        assert.equal(requests, Math.floor(size / 100) + 1);
      }),
      { numRuns: 25 },
    );
  });

  it('goes on by time where offsets end, with hardly a request more', () => {
    for (const [size, apart] of [
      [12_101, 60],
      [30_000, 60],
      [30_000, 0.01],
      [30_000, 0.0002],
    ] as const) {
      const { requests, seen } = readPass(new Shop(inARow(size, apart)), wholePass(START));
      assert.equal(seen.size, size);
      const windows = Math.ceil(size / 12_000);
      const inOneSecond = Math.min(size, Math.ceil(1 / apart));
      const repeated = Math.ceil(inOneSecond / 100) * (windows - 1);
      assert.ok(requests <= Math.ceil(size / 100) + windows + repeated, `${requests} requests for ${size}`);
    }
  });

  it('gets past a second that holds more reviews than one query reaches', () => {
    const crowded = reviewsAt(Array.from({ length: 13_000 }, () => START));
    const older = reviewsAt(Array.from({ length: 250 }, (_, index) => START - 1 - index));
    const { seen } = readPass(new Shop([...crowded, ...older]), wholePass(START));
    assert.ok(older.every((review) => seen.has(review)));
    assert.equal(seen.size, 12_100 + older.length);
  });

  it('is not over before it has shown as many reviews as the largest count, whatever single answers say', () => {
    const size = fc.integer({ min: 1, max: 700 });
    fc.assert(
      fc.property(size, fc.array(oddAnswer, { minLength: 1, maxLength: 6 }), (size, odd) => {
        const { missing, seen } = readPass(new OddShop(inARow(size, 60), odd), wholePass(START));
        // Of one that shows nothing the watermark does not move.
        const isComplete = missing === 0 && seen.size > 0;
        assert.ok(!isComplete || seen.size === size, `${seen.size} of ${size} and ${missing} missing`);
      }),
      // Where answers that are wrong bear each other out (100 of 100, then past the end) nothing can tell.
      { numRuns: 300, seed: 7, examples: [[236, oddAnswers('count lower', 'count 0')]] },
    );
  });

  it('asks once more for a page that is empty, short, repeated or counts less, and is complete then', () => {
    for (const how of ['empty', 'short', 'count lower', 'count 0', 'repeated', 'past the end'] as const) {
      for (const at of [1, 2, 3, 4]) {
        // That a first page is repeated cannot be, and that one counts less only shows in what it holds.
        if (at === 1 && (how === 'repeated' || how === 'past the end')) continue;
        const shop = new OddShop(inARow(350, 60), [{ at, how }]);
        const { missing, seen, requests } = readPass(shop, wholePass(START), { known: 3 });
        assert.deepEqual([missing, seen.size], [0, 350], `${how} at request ${at}`);
        assert.ok(requests <= 5, `${how} at request ${at}: ${requests} requests`);
      }
    }
  });

  it('tells how many are missing where the contradiction stays, and does not read on for ever', () => {
    for (const pages of [2, 4, 12]) {
      const always = Array.from({ length: 500 }, (_, at) => ({
        at: at + 1,
        how: 'second page empty' as const,
      }));
      const shop = new OddShop(inARow(pages * 100 - 50, 60), always);
      const { missing, requests } = readPass(shop, wholePass(START));
      assert.equal(missing, pages === 2 ? 50 : 100);
      assert.ok(requests <= 2 * pages + 2, `${requests} requests`);
    }
    const counts = new OddShop(inARow(30, 60), [
      { at: 1, how: 'count a million' },
      { at: 2, how: 'count a million' },
    ]);
    const { requests } = readPass(counts, wholePass(START));
    assert.ok(requests <= 12, `${requests} requests`);
  });
});

describe('a pass over the newest pages', () => {
  it('stops at the page that passes the watermark, for no more requests than a query with a lower end', () => {
    for (const [fresh, old] of [
      [0, 350],
      [1, 350],
      [99, 350],
      [100, 350],
      [250, 0],
      [250, 30],
    ] as const) {
      const news = reviewsAt(Array.from({ length: fresh }, (_, at) => START + DAY + at));
      const known = reviewsAt(Array.from({ length: old }, (_, at) => START - OVERLAP - 60 - at * 60));
      const { requests, seen } = readPass(new Shop([...news, ...known]), newestPass(START + 2 * DAY, START));
      assert.ok(news.every((review) => seen.has(review)));
      assert.equal(requests, Math.floor(fresh / 100) + 1, `${fresh} new, ${old} known`);
    }
  });

  it('reads back over a year where the shop was never read, and the older pages bring the rest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 40 }), (size, hours) => {
        const all = inARow(size, hours * 3600);
        const shop = new Shop(all);
        const first = readPass(shop, newestPass(START, undefined));
        const ofYear = all.filter(({ createdAt }) => createdAt >= START - 365 * DAY);
        assert.ok(ofYear.every((review) => first.seen.has(review)));
        assert.equal(first.missing, 0);
        const than = Math.min(...Array.from(first.seen, ({ createdAt }) => createdAt));
        assert.equal(first.older?.left ?? 0, size - first.seen.size);
        if (!first.older) return;
        assert.equal(first.older.than, than);
        const rest = readPass(shop, olderPass(START + DAY, than));
        assert.equal(rest.missing, 0);
        assert.equal(new Set([...first.seen, ...rest.seen]).size, size);
      }),
    );
  });

  it('reads on where fewer are accounted for than Etsy counts', () => {
    const shop = new Shop(inARow(350, DAY));
    const { requests, seen } = readPass(shop, newestPass(START + 2 * DAY, START), { accounted: 349 });
    assert.deepEqual([requests, seen.size], [4, 350]);
    const known = readPass(shop, newestPass(START + 2 * DAY, START), { accounted: 350 });
    assert.equal(known.requests, 1);
  });
});

describe('passes one after the other', () => {
  it('miss nothing: after each, all that was shown when it began is seen, through kills and late arrivals', () => {
    const pauses = fc.array(fc.nat({ max: 5 * DAY }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        past,
        arrivals,
        pauses,
        fc.infiniteStream(fc.nat({ max: 1000 })),
        (old, coming, gaps, luck) => {
          const shop = new Shop([...old, ...coming]);
          const draw = (): number => Number(luck.next().value ?? 0);
          const everSeen = new Set<Review>();
          let now = START;
          let watermark: number | undefined;
          for (const gap of [0, ...gaps]) {
            now += gap;
            const first = watermark === undefined ? wholePass(now) : newestPass(now, watermark);
            const tick = (): number => (draw() < 20 ? 2 * DAY : draw());
            const { seen, missing, now: end } = readPass(shop, first, { tick, killed: () => draw() < 100 });
            for (const review of seen) everSeen.add(review);
            if (missing === 0 && seen.size > 0) watermark = first.startedAt;
            const begun = watermark ?? 0;
            assert.ok(
              shop.shown(begun).every((review) => everSeen.has(review)),
              'the watermark has passed a review that was not seen',
            );
            now = end;
          }
        },
      ),
      { numRuns: 25, endOnFailure: true },
    );
  });
});
