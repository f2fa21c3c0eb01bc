import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import {
  FIRST_FROM_THE_END,
  REACH,
  advance,
  nextPage,
  placeOf,
  slice,
  wholeRange,
} from '../tasks/rules/price-slices.ts';
import type { PageRequest, Slice } from '../tasks/rules/price-slices.ts';

const PAGE = 100;
const WINDOW = 16;
const plan = z.array(slice);

/** Numbers from 0 to below 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function nameOf({ low, high }: Slice): string {
  return `${low}-${high}`;
}

/** What the API can tell of a set of listings that stands still. A listing is its place in `prices`, newest first. */
class Search {
  readonly #prices: readonly number[];
  readonly #turnsRound: boolean;
  readonly #matching = new Map<string, readonly number[]>();

  constructor(prices: readonly number[], turnsRound: boolean) {
    this.#prices = prices;
    this.#turnsRound = turnsRound;
  }

  page({ slice, page }: PageRequest): { count: number | undefined; listings: number[] } {
    const all = this.#all(slice);
    const { offset, order } = placeOf(page);
    assert.ok(offset >= 0 && offset <= 12_000, `offset ${offset}`);
    if (offset > all.length) return { count: undefined, listings: [] };
    const listings =
      order === 'asc' && this.#turnsRound
        ? all.slice(Math.max(0, all.length - offset - PAGE), all.length - offset).toReversed()
        : all.slice(offset, offset + PAGE);
    return { count: all.length, listings };
  }

  #all(slice: Slice): readonly number[] {
    const { low, high } = slice;
    const known = this.#matching.get(nameOf(slice));
    if (known) return known;
    const all: number[] = [];
    for (const [listing, price] of this.#prices.entries()) {
      if (price >= low && (high < 0 || price <= high)) all.push(listing);
    }
    this.#matching.set(nameOf(slice), all);
    return all;
  }
}

interface Drive {
  readonly prices: readonly number[];
  readonly seed?: number;
  /** Chance, after each answer, that the process is killed and another goes on from the plan. */
  readonly killed?: number;
  /** Whether the API honours the order from the oldest on. */
  readonly turnsRound?: boolean;
  /** What a listing's price looks like in its page: in its shop's currency, not that of the filter. */
  readonly shown?: (cents: number) => number;
  /** What Etsy says of a count that moves. */
  readonly counts?: (count: number) => number;
}

interface Driven {
  readonly requests: number;
  readonly cuts: number;
  readonly seen: ReadonlySet<number>;
  /** Answers that were asked for a second time although the first had been taken in. */
  readonly twice: string[];
  /** Ranges that were read through, in order of price. */
  readonly read: readonly Slice[];
}

/** Plays the crawl: up to 16 requests going, answers in any order, a kill now and then. */
function drive({
  prices,
  seed = 0,
  killed = 0,
  turnsRound = true,
  shown = Number,
  counts = Number,
}: Drive): Driven {
  const random = randomFrom(seed);
  const search = new Search(prices, turnsRound);
  const enough = 2000 + prices.length;
  const flying = new Set<string>();
  const air: PageRequest[] = [];
  const seenIn = new Map<number, string>();
  const landed = new Set<string>();
  const twice: string[] = [];
  const read = new Map<string, Slice>([['0--1', wholeRange()]]);
  let open: readonly Slice[] = [wholeRange()];
  let [requests, cuts] = [0, 0];

  for (;;) {
    for (let next; air.length < WINDOW && (next = nextPage(open, flying));) {
      const key = `${nameOf(next.slice)} ${next.page}`;
      flying.add(key);
      air.push(next);
      requests += 1;
      if (landed.has(key)) twice.push(key);
      assert.ok(requests < enough, 'the crawl does not end');
    }
    const [request] = air.splice(Math.floor(random() * air.length), 1);
    if (!request) break;
    const name = nameOf(request.slice);
    const { count, listings } = search.page(request);
    const nothingNew =
      request.page === FIRST_FROM_THE_END && listings.every((listing) => seenIn.get(listing) === name);
    const sample = listings.map((listing) => shown(prices[listing] ?? 0));
    const after = advance(open, request, count === undefined ? count : counts(count), sample, nothingNew);
    if (after.split) {
      cuts += 1;
      const parts = after.open.filter((part) => !open.includes(part));
      assertTiles(parts, request.slice);
      read.delete(name);
      for (const part of parts) read.set(nameOf(part), part);
    }
    flying.delete(`${name} ${request.page}`);
    landed.add(`${name} ${request.page}`);
    for (const listing of listings) seenIn.set(listing, name);
    open = after.open;
    if (random() < killed) {
      open = plan.parse(JSON.parse(JSON.stringify(open)));
      flying.clear();
      air.length = 0;
    }
  }
  assert.deepEqual(open, []);
  const ranges = [...read.values()].toSorted((a, b) => a.low - b.low);
  return { requests, cuts, seen: new Set(seenIn.keys()), twice, read: ranges };
}

/** Every cent of `whole` lies in exactly one of `parts`. */
function assertTiles(parts: readonly Slice[], whole: Slice): void {
  assert.equal(parts[0]?.low, whole.low);
  assert.equal(parts.at(-1)?.high, whole.high);
  for (const [index, part] of parts.entries()) {
    assert.ok(part.high === -1 || part.low <= part.high, `an empty part: ${nameOf(part)}`);
    const next = parts[index + 1];
    if (next) assert.equal(next.low, part.high + 1, `${nameOf(part)}, then ${nameOf(next)}`);
  }
}

/** Of the listings at one price only the newest and the oldest 12,100 can be had. */
function reachable(prices: readonly number[]): number {
  const crowds = new Map<number, number>();
  for (const price of prices) crowds.set(price, (crowds.get(price) ?? 0) + 1);
  return [...crowds.values()].reduce((sum, crowd) => sum + Math.min(crowd, 2 * REACH), 0);
}

function logNormal(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.max(20, Math.round(35_000 * Math.exp(1.1 * normal)));
}

/** Prices as they come: a spread, crowds at one price, neighbours one cent apart, and a few that nobody would pay. */
const group = fc.oneof(
  fc.record({ kind: fc.constant('spread'), at: fc.nat({ max: 1e6 }), size: fc.nat({ max: 14_000 }) }),
  fc.record({ kind: fc.constant('crowd'), at: fc.nat({ max: 5e6 }), size: fc.nat({ max: 26_000 }) }),
  fc.record({ kind: fc.constant('neighbours'), at: fc.nat({ max: 1e5 }), size: fc.nat({ max: 14_000 }) }),
  fc.record({ kind: fc.constant('dear'), at: fc.integer({ min: 1e8, max: 3e11 }), size: fc.nat({ max: 3 }) }),
);
const market = fc
  .tuple(fc.array(group, { minLength: 1, maxLength: 5 }), fc.integer())
  .map(([groups, seed]) => {
    const random = randomFrom(seed);
    const prices = groups.flatMap(({ kind, at, size }) =>
      Array.from({ length: size }, () => {
        if (kind === 'spread') return logNormal(random);
        return kind === 'neighbours' ? at + Math.floor(random() * 3) : at;
      }),
    );
    for (let last = prices.length - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [prices[last], prices[other]] = [prices[other] ?? 0, prices[last] ?? 0];
    }
    return prices;
  });

const RUNS = { numRuns: 20 };

describe('price slices', () => {
  it('cover every cent once, show every listing that can be reached, and ask for no page twice', () => {
    fc.assert(
      fc.property(market, fc.integer(), (prices, seed) => {
        const { seen, twice, read } = drive({ prices, seed });
        assertTiles(read, wholeRange());
        assert.equal(seen.size, reachable(prices));
        assert.deepEqual(twice, []);
      }),
      RUNS,
    );
  });

  it('lose nothing by kills, and repeat nothing but what was on its way', () => {
    fc.assert(
      fc.property(market, fc.integer(), (prices, seed) => {
        const { seen, twice, read } = drive({ prices, seed, killed: 0.03 });
        assertTiles(read, wholeRange());
        assert.equal(seen.size, reachable(prices));
        assert.deepEqual(twice, []);
      }),
      RUNS,
    );
  });

  it('are cut by count alone: a sample in other currencies only makes them less even', () => {
    fc.assert(
      fc.property(market, fc.integer(), fc.double({ min: 0.01, max: 200 }), (prices, seed, rate) => {
        const random = randomFrom(seed);
        const shown = (cents: number): number => (random() < 0.5 ? cents : Math.round(cents * rate));
        const { seen, read } = drive({ prices, seed, shown });
        assertTiles(read, wholeRange());
        assert.equal(seen.size, reachable(prices));
      }),
      RUNS,
    );
  });

  it('come to an end though counts move while they are read', () => {
    fc.assert(
      fc.property(market, fc.integer(), fc.boolean(), (prices, seed, turnsRound) => {
        const random = randomFrom(seed);
        const counts = (count: number): number => Math.round(count * (0.9 + 0.2 * random()));
        const { read } = drive({ prices, seed, killed: 0.01, turnsRound, counts });
        assertTiles(read, wholeRange());
      }),
      RUNS,
    );
  });

  it('waste few requests on counting: at most 2 % for 100,000 listings', (t) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const random = randomFrom(seed);
      const prices = Array.from({ length: 100_000 }, () => logNormal(random));
      const { requests, cuts, seen, read } = drive({ prices, seed });
      assert.equal(seen.size, prices.length);
      const least = prices.length / PAGE;
      t.diagnostic(`${requests} requests for ${least} full pages: ${cuts} cuts, ${read.length} ranges`);
      assert.ok(cuts <= 0.02 * least, `${cuts} cuts`);
      assert.ok(requests - least <= cuts + read.length, 'beside the cuts, one page not full in each range');
    }
  });
});

describe('a price at which more stand than one query reaches', () => {
  const crowd = (size: number): number[] => Array.from({ length: size }, () => 9900);

  it('is read from both ends', () => {
    for (const [size, seen, fromTheEnd] of [
      [12_100, 12_100, 0],
      [12_101, 12_101, 1],
      [20_000, 20_000, 79],
      [24_200, 24_200, 121],
      [30_000, 24_200, 121],
    ] as const) {
      const driven = drive({ prices: crowd(size), seed: size });
      assert.equal(driven.seen.size, seen);
      assert.equal(driven.requests - driven.cuts, 121 + fromTheEnd + (driven.read.length - 1), `${size}`);
    }
  });

  it('is set apart from its neighbours', () => {
    const prices = [...crowd(15_000), ...crowd(15_000).map((cents) => cents + 1), 9898, 9902];
    const { seen, read } = drive({ prices });
    assert.equal(seen.size, prices.length);
    assert.ok(read.some(({ low, high }) => low === 9900 && high === 9900));
    assert.ok(read.some(({ low, high }) => low === 9901 && high === 9901));
  });

  it('is given up after one page from the other end where Etsy does not turn the order round', () => {
    const single: Slice = { low: 9900, high: 9900, count: -1, done: 0, ahead: [] };
    for (const seed of [1, 2, 3, 4, 5]) {
      const { seen, twice, requests, cuts, read } = drive({ prices: crowd(20_000), seed, turnsRound: false });
      assert.equal(seen.size, REACH);
      assert.deepEqual(twice, [], 'asked for again');
      assert.equal(requests - cuts, 121 + 1 + (read.length - 1));
    }
    const first = advance([single], { slice: single, page: 0 }, 20_000, [9900], false);
    const { open } = advance(first.open, { slice: single, page: FIRST_FROM_THE_END }, 20_000, [9900], true);
    const later = advance(open, { slice: single, page: 1 }, 20_000, [9900], false);
    const pages = new Set<number>();
    const flying = new Set<string>();
    for (let next; (next = nextPage(later.open, flying)); flying.add(`9900-9900 ${next.page}`)) {
      pages.add(next.page);
    }
    assert.deepEqual([Math.min(...pages), Math.max(...pages)], [2, FIRST_FROM_THE_END - 1]);
  });
});

describe('the plan of a crawl', () => {
  it('opens a range with one page alone: its count decides the rest', () => {
    const open = [wholeRange()];
    const first = nextPage(open, new Set());
    assert.deepEqual(first, { slice: wholeRange(), page: 0 });
    assert.equal(nextPage(open, new Set(['0--1 0'])), undefined);
  });

  it('is done with an empty range after one page', () => {
    const { open, split } = advance([wholeRange()], { slice: wholeRange(), page: 0 }, 0, [], false);
    assert.deepEqual([open, split], [[], false]);
  });

  it('refuses the page of a range that is not part of it', () => {
    const stray: Slice = { ...wholeRange(), low: 5 };
    assert.throws(() => advance([wholeRange()], { slice: stray, page: 0 }, 0, [], false), /internal/);
  });
});
