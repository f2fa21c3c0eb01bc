import { compareVisits, driftAfter, momentOf, visitsDue } from '../../../lib/dataset/review-order.ts';
import type { Visit, VisitKind } from '../../../lib/dataset/review-order.ts';
import { OVERLAP } from '../../../tasks/rules/review-pass.ts';
import { createRandom } from '../../marketplace/random.ts';
import { Figures } from './figures.ts';
import type { Measured } from './figures.ts';
import { WEEKS, before, rowOf } from './world.ts';
import type { Noise, Row, Shop } from './world.ts';

const DAY = 86_400;
const EVERY = 7;
const YEAR = 365;
const PAGE = 100;
/** Days of each run that are for reviews, whatever is due. */
const LEAST = 1;
/** Simulated times are days; the product's are epoch seconds, and 0 is none of them. */
const EPOCH = 1_790_000_000;
const seconds = (days: number): number => EPOCH + days * DAY;

/** Requests for listings in the first run of the real job, and in every other. */
const LISTINGS = { first: 12_150 + 10_720, other: 12_150 + 2040 };

export interface Settings {
  /** Of the real job, as the world was made with. */
  readonly scale: number;
  /** Requests per day of the real job. */
  readonly quota: number;
  readonly noise: Noise;
  /** Knows each review that is there, in place of what the product has stored. */
  readonly oracle?: boolean;
}

/** What is stored of a shop: its reviews from `low` up to `high`, by position, are in. */
interface State {
  row: Row | undefined;
  low: number;
  high: number;
  startedAt: number | undefined;
  completedAt: number | undefined;
  then: Row | undefined;
  drift: number;
  hasOlder: boolean;
}

type Queued = Visit & { readonly shop: number };

/** Runs begin every week, read the listings, then reviews until the next one is due. */
export function simulate(
  shops: readonly Shop[],
  { scale, quota, noise, oracle = false }: Settings,
): Measured {
  /** Days. */
  const perRequest = 1 / (quota * scale);
  const random = createRandom(11);
  const figures = new Figures(shops);
  const states: State[] = shops.map(() => ({
    row: undefined,
    low: 0,
    high: 0,
    startedAt: undefined,
    completedAt: undefined,
    then: undefined,
    drift: 0,
    hasOlder: false,
  }));
  const end = WEEKS * EVERY;
  let [now, lastBegan] = [0, -Infinity];
  for (let run = 0; now < end; run += 1) {
    const began = now;
    const crawl = (run === 0 ? LISTINGS.first : LISTINGS.other) / quota;
    for (const [index, shop] of shops.entries()) {
      const at = began + random.next() * crawl;
      const state = states[index];
      if (state && at >= shop.opened && at < shop.closed) state.row = rowOf(shop, index, at, noise, random);
    }
    now += crawl;
    const cut = Math.max(began + EVERY, now + LEAST);
    for (let rounds = 0, queue: Queued[]; now < cut; rounds += 1) {
      queue = oracle ? knowing(rounds) : due(began, lastBegan);
      if (queue.length === 0 || rounds > 50) break;
      for (const visit of queue) {
        if (now >= cut) break;
        read(visit.shop, visit.kind);
      }
    }
    now = Math.max(now, cut);
    lastBegan = began;
  }
  return figures.measured(end);

  function due(began: number, lastBegan: number): Queued[] {
    const previousStartedAt = Number.isFinite(lastBegan) ? seconds(lastBegan) : undefined;
    const moment = momentOf(seconds(now), { startedAt: seconds(began), previousStartedAt }, EVERY * DAY);
    const queue: Queued[] = [];
    for (const [index, shop] of shops.entries()) {
      const state = states[index];
      if (!state?.row) continue;
      const { row, then } = state;
      const have =
        Math.min(before(shop.reviews, row.at), state.high) -
        Math.max(before(shop.reviews, row.at - YEAR), state.low);
      const facts = {
        at: seconds(row.at),
        counted: row.counted,
        average: null,
        sold: row.sold,
        have: Math.max(0, have),
        startedAt: state.startedAt === undefined ? null : seconds(state.startedAt),
        completedAt: state.completedAt === undefined ? null : seconds(state.completedAt),
        countedThen: then?.counted ?? null,
        averageThen: null,
        soldThen: then?.sold ?? null,
        drift: state.drift,
        olderLeft: state.hasOlder ? state.low : 0,
        isUnderWay: false,
        isSpoilt: false,
      };
      for (const visit of visitsDue(facts, moment)) queue.push({ ...visit, shop: index });
    }
    return queue.toSorted(compareVisits);
  }

  /** The same values, of what is really there now. It orders once a run; older pages come to light as they do for all. */
  function knowing(round: number): Queued[] {
    const queue: Queued[] = [];
    for (const [index, shop] of shops.entries()) {
      const state = states[index];
      if (!state?.row || now >= shop.closed) continue;
      const there = before(shop.reviews, now);
      const base = { tier: 0, requests: 1, since: state.completedAt ?? -1, shop: index };
      if (state.startedAt === undefined) {
        if (there === 0) continue;
        const ofYear = there - before(shop.reviews, now - YEAR);
        const requests = Math.max(1, Math.ceil(ofYear / PAGE));
        const old = Math.min(PAGE * requests, there) - ofYear;
        queue.push({ ...base, kind: 'first', value: (ofYear + old / 3) / requests });
        continue;
      }
      if (there > state.high && round === 0)
        queue.push({ ...base, kind: 'news', value: Math.min(PAGE, there - state.high) });
      if (state.hasOlder) queue.push({ ...base, kind: 'older', value: Math.min(PAGE, state.low) / 3 });
    }
    return queue.toSorted(compareVisits);
  }

  function read(index: number, kind: VisitKind): void {
    const [shop, state] = [shops[index], states[index]];
    if (!shop || !state) return;
    if (kind === 'older') readOlder(shop, state);
    else readNewest(shop, state);
  }

  function readOlder(shop: Shop, state: State): void {
    while (state.low > 0) {
      now += perRequest;
      if (now >= shop.closed) break;
      const from = Math.max(0, state.low - PAGE);
      figures.came(shop, from, state.low, now);
      state.low = from;
    }
    state.hasOlder = false;
  }

  /** Newest first, to the page that passes the watermark, or a year where there is none. */
  function readNewest(shop: Shop, state: State): void {
    const begun = now;
    const isFirst = state.startedAt === undefined;
    const until = isFirst ? begun - YEAR : (state.startedAt ?? 0) - OVERLAP / DAY;
    const all = before(shop.reviews, now);
    let [from, brought] = [all, 0];
    do {
      now += perRequest;
      if (now >= shop.closed) {
        figures.came(shop, 0, 0, now);
        break;
      }
      const to = from;
      from = Math.max(0, from - PAGE);
      const first = isFirst ? from : Math.max(from, state.high);
      brought += Math.max(0, to - first);
      figures.came(shop, first, Math.max(first, to), now);
    } while (from > 0 && (shop.reviews[from] ?? 0) >= until);
    if (isFirst) state.low = from;
    state.hasOlder ||= isFirst && from > 0;
    state.high = Math.max(state.high, all);
    state.startedAt = begun;
    state.completedAt = now;
    state.then = state.row;
    const { row } = state;
    if (!row) return;
    const have =
      Math.min(before(shop.reviews, row.at), state.high) -
      Math.max(before(shop.reviews, row.at - YEAR), state.low);
    state.drift = driftAfter(row.counted, Math.max(0, have), state.drift, brought);
  }
}
