import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { REACH, advance, nextPage, pagesOf, placeOf, wholeRange } from '../tasks/rules/price-slices.ts';
import type { Slice } from '../tasks/rules/price-slices.ts';

const PAGE = 100;
/** A range is cut where its sample says, or in the middle by ratio: from there on it halves its exponent each time. */
const CUTS_TO_ANY_PRICE = 45;

/** How many listings stand at each price, in cents; the newest first within a page is of no matter here. */
type Market = ReadonlyMap<number, number>;

function countIn(market: Market, { low, high }: Slice): number {
  let count = 0;
  for (const [price, size] of market) if (price >= low && (high < 0 || price <= high)) count += size;
  return count;
}

/** Prices of a first page: as many of each as its share of the range. */
function sampleOf(market: Market, slice: Slice): number[] {
  const count = countIn(market, slice);
  const { low, high } = slice;
  const within = [...market].filter(([price]) => price >= low && (high < 0 || price <= high));
  return within.flatMap(([price, size]) =>
    Array.from({ length: Math.round((PAGE * size) / Math.max(PAGE, count)) }, () => price),
  );
}

interface Cost {
  readonly requests: number;
  readonly cuts: number;
  /** Ranges that were read through, with what each held. */
  readonly leaves: readonly number[];
}

/** Reads a market that stands still, one request after the other. */
function read(market: Market, sample: (slice: Slice) => number[]): Cost {
  let open: readonly Slice[] = [wholeRange()];
  let [requests, cuts] = [0, 0];
  const leaves = new Map<string, number>();
  const asked = new Set<string>();
  for (let next; (next = nextPage(open, new Set()));) {
    const { slice, page } = next;
    const key = `${slice.low}-${slice.high}`;
    assert.ok(!asked.has(`${key} ${page}`), 'asked for twice');
    asked.add(`${key} ${page}`);
    requests += 1;
    const count = countIn(market, slice);
    // An offset past the end would be a request for nothing; a full page is never taken for the last one.
    assert.ok(placeOf(page).offset <= count, `offset ${placeOf(page).offset} of ${count}`);
    const { offset } = placeOf(page);
    const rows = Math.max(0, Math.min(PAGE, count - offset));
    const after = advance(open, next, count, sample(slice), false, { rows });
    if (after.split) cuts += 1;
    else leaves.set(key, count);
    open = after.open;
    assert.ok(requests < 20_000, 'the crawl does not end');
  }
  return { requests, cuts, leaves: [...leaves.values()] };
}

const crowd = fc.record({
  at: fc.oneof(fc.integer({ min: 20, max: 200_000 }), fc.integer({ min: 20, max: 1e10 })),
  size: fc.oneof(fc.nat({ max: 150 }), fc.nat({ max: 30_000 })),
  /** At so many prices, this far apart. */
  prices: fc.integer({ min: 1, max: 40 }),
  apart: fc.constantFrom(1, 50, 999),
});
const market = fc.array(crowd, { minLength: 1, maxLength: 6 }).map((crowds): Market => {
  const sizes = new Map<number, number>();
  for (const { at, size, prices, apart } of crowds) {
    for (let index = 0; index < prices; index += 1) {
      const price = at + index * apart;
      sizes.set(price, (sizes.get(price) ?? 0) + Math.ceil(size / prices));
    }
  }
  return sizes;
});

/** The pages without which what can be had of a range cannot be had, and the one that shows that nothing follows a full one. */
function pagesFor(count: number): number {
  const beyond = Math.min(Math.max(0, count - REACH), REACH);
  const oneMore = count > 0 && count < REACH && count % PAGE === 0 ? 1 : 0;
  return Math.max(1, Math.ceil(Math.min(count, REACH) / PAGE)) + Math.ceil(beyond / PAGE) + oneMore;
}

function least(leaves: readonly number[]): number {
  return leaves.reduce((sum, count) => sum + pagesFor(count), 0);
}

describe('the price of reading by slices', () => {
  it('is the pages of every slice, and one request for each cut', () => {
    fc.assert(
      fc.property(market, (market) => {
        const { requests, cuts, leaves } = read(market, (slice) => sampleOf(market, slice));
        const total = [...market.values()].reduce((sum, size) => sum + size, 0);
        assert.equal(
          leaves.reduce((sum, count) => sum + count, 0),
          total,
        );
        assert.equal(requests, least(leaves) + cuts);
      }),
      { numRuns: 60 },
    );
  });

  it('counts few cuts: for each price that has to be set apart, and for each full reach, a bounded number', () => {
    const samples = fc.constantFrom('fair' as const, 'none' as const, 'of other currencies' as const);
    fc.assert(
      fc.property(market, samples, fc.double({ min: 0.01, max: 200, noNaN: true }), (market, kind, rate) => {
        const sample = (slice: Slice): number[] => {
          if (kind === 'none') return [];
          const fair = sampleOf(market, slice);
          return kind === 'fair' ? fair : fair.map((cents) => Math.round(cents * rate));
        };
        const { cuts } = read(market, sample);
        const total = [...market.values()].reduce((sum, size) => sum + size, 0);
        assert.ok(cuts <= CUTS_TO_ANY_PRICE * Math.ceil(total / REACH), `${cuts} cuts of ${total}`);
        if (total <= REACH) assert.equal(cuts, 0);
      }),
      { numRuns: 60 },
    );
  });

  it('is known from the count of a slice', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40_000 }), (count) => {
        assert.equal(pagesOf({ ...wholeRange(), count }), pagesFor(count));
      }),
    );
  });
});
