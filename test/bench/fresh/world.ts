import { createRandom } from '../../marketplace/random.ts';
import type { Random } from '../../marketplace/random.ts';

/** Weeks that are simulated. */
export const WEEKS = 58;
/** The real job's shops: those there are at the start, and those that open while it is simulated. */
const SHOPS = 145_000;
const ARRIVALS = 25_230;
const WEEK = 7;
const YEAR = 365;
const OLDEST = 5060;
/** The week of the year in which t = 0 is: 20 August. */
const FIRST_WEEK = 33;

/** How reviews and what Etsy says of them differ. */
export interface Noise {
  /** Share of a shop's reviews that Etsy deletes later, at most. */
  readonly deleted: number;
  /** Days by which a count may lag. */
  readonly lag: number;
  /** Days by which the year that is counted may be longer or shorter. */
  readonly window: number;
  /** Share of rows that are one off. */
  readonly oneOff: number;
  /** Share of rows without a count, and without sales. */
  readonly nulls: number;
}
export const QUIET: Noise = { deleted: 0, lag: 0, window: 0, oneOff: 0, nulls: 0 };
export const HEAVY: Noise = { deleted: 0.05, lag: 2, window: 5, oneOff: 0.1, nulls: 0.05 };

/** A shop. Times are days from the start of the simulation. */
export interface Shop {
  readonly opened: number;
  /** Infinity: it stays. */
  readonly closed: number;
  /** When each of its sales was made, ascending. */
  readonly sales: Float32Array;
  /** When each of its reviews was written, ascending. */
  readonly reviews: Float64Array;
}

/** Shops, their sales and their reviews. @param scale of the real job, from 0 to 1 */
export function makeWorld(seed: number, scale: number): Shop[] {
  const [there, arriving] = [Math.round(SHOPS * scale), Math.round(ARRIVALS * scale)];
  const random = createRandom(seed);
  const end = WEEKS * WEEK;
  const closing = (from: number): number => {
    const weeks = Math.floor(Math.log(1 - random.next()) / Math.log(1 - 0.002));
    const at = from + (weeks + random.next()) * WEEK;
    return at < end ? at : Infinity;
  };
  const shops: Shop[] = [];
  for (let index = 0; index < there; index += 1) {
    const opened = -Math.min(OLDEST, 60 + exponential(random, 1500));
    const isIdle = random.chance(0.28);
    const starts = isIdle && random.chance(0.15);
    const begins = isIdle ? (starts ? random.next() * YEAR : Infinity) : opened;
    const stops = !isIdle && random.chance(0.22) ? opened * random.next() : Infinity;
    shops.push(makeShop(random, { opened, closed: closing(0), begins, stops, damp: starts ? 0.7 : 0 }));
  }
  for (let index = 0; index < arriving; index += 1) {
    const opened = ((index + 0.5) / arriving) * end;
    const begins = opened + exponential(random, 40);
    shops.push(makeShop(random, { opened, closed: closing(opened), begins, stops: Infinity, damp: 0.7 }));
  }
  return shops;
}

interface Fate {
  readonly opened: number;
  readonly closed: number;
  /** First and last day of its sales. */
  readonly begins: number;
  readonly stops: number;
  /** Taken off the exponent of its sales. */
  readonly damp: number;
}

function makeShop(random: Random, { opened, closed, begins, stops, damp }: Fate): Shop {
  const level = -2.95 + 1.75 * random.normal() - damp;
  const reviewed = within(random, 0.22, 0.06, 0.05, 0.6);
  const processing = Math.min(70, Math.max(1, 7 * Math.exp(0.8 * random.normal())));
  const transit = random.chance(0.7) ? 5 : 12;
  const sales: number[] = [];
  const reviews: number[] = [];
  const last = Math.min(closed, stops, WEEKS * WEEK);
  let drift = 0.8 * random.normal();
  for (let week = Math.floor(begins / WEEK); week * WEEK < last; week += 1) {
    drift = 0.97 * drift + 0.8 * Math.sqrt(1 - 0.97 ** 2) * random.normal();
    const season = 1 + 0.35 * Math.cos((2 * Math.PI * (week + FIRST_WEEK - 48)) / 52);
    const sold = random.poisson(Math.exp(level + drift) * season * WEEK);
    for (let sale = 0; sale < sold; sale += 1) {
      const at = (week + random.next()) * WEEK;
      if (at < begins || at >= last) continue;
      sales.push(at);
      if (!random.chance(reviewed)) continue;
      const written = at + delay(random, processing, transit);
      if (written < closed && written < WEEKS * WEEK) reviews.push(written);
    }
  }
  return {
    opened,
    closed,
    sales: Float32Array.from(sales).sort(),
    reviews: Float64Array.from(reviews).sort(),
  };
}

/** From sale to review: made, sent, thought about. Days. */
function delay(random: Random, processing: number, transit: number): number {
  for (;;) {
    const days =
      processing * (0.7 + 0.6 * random.next()) +
      transit * (0.8 + 0.6 * random.next()) +
      5 * Math.exp(1.1 * random.normal());
    if (days <= 100) return days;
  }
}

function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}

function within(random: Random, mean: number, deviation: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, mean + deviation * random.normal()));
}

/** How many of the ascending `times` are at or before `time`. */
export function before(times: Float64Array | Float32Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What Etsy says of a shop at a time; null: nothing. */
export interface Row {
  readonly at: number;
  readonly counted: number | null;
  readonly sold: number | null;
}

export function rowOf(shop: Shop, index: number, at: number, noise: Noise, random: Random): Row {
  const until = at - random.next() * noise.lag;
  const from = at - YEAR + (random.next() * 2 - 1) * noise.window;
  let counted = before(shop.reviews, until) - before(shop.reviews, from);
  // Each shop has its own share of reviews that are deleted.
  const share = (((index * 2654435761) >>> 8) % 1000) / 1000;
  counted -= Math.floor(counted * share * noise.deleted);
  if (random.next() < noise.oneOff) counted = Math.max(0, counted + (random.next() < 0.5 ? 1 : -1));
  const [noCount, noSales] = [random.next() < noise.nulls, random.next() < noise.nulls];
  return { at, counted: noCount ? null : counted, sold: noSales ? null : before(shop.sales, at) };
}
