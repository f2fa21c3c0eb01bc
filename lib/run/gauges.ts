import type { Gauges } from '../progress/events.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Figures } from '../task/telling.ts';

/** Requests a second are shown over the last so many seconds. */
const OVER_S = 5;
/** What takes long (counting a million rows) is asked for seldom: at most this share of the time goes into it. */
const SHARE = 1 / 30;
const DAY_MS = 86_400_000;

export interface GaugeSources {
  readonly ledger: Ledger;
  /** Undefined where no stage makes requests. */
  readonly api: { readonly label: string; readonly limit: number } | undefined;
  /** Each reads the lines of a stage. */
  readonly figures: readonly (() => Promise<readonly Figures[]>)[];
}

/** The figures of the screen, each read no more often than it is cheap to. */
export function gauges({ ledger, api, figures }: GaugeSources): () => Promise<Gauges> {
  const own = figures.map(seldom);
  const day = seldom(async () => {
    const { used, oldestMs } = await ledger.day(Date.now());
    const left = (await ledger.remaining(Date.now()))?.calls;
    return { usedToday: used, leftToday: left, backAt: oldestMs && oldestMs + DAY_MS };
  });
  const budget = async (): Promise<Gauges['api']> => {
    if (!api) return undefined;
    const now = Date.now();
    const recent = await ledger.countSince(now - OVER_S * 1000, now);
    return { ...api, ...(await day()), perSecond: recent / OVER_S };
  };
  return async () => {
    const [requests, ...lines] = await Promise.all([budget(), ...own.map((read) => read())]);
    return { api: requests, figures: lines.flat() };
  };
}

function seldom<T>(read: () => Promise<T>): () => Promise<T> {
  let next = 0;
  let last: T | undefined;
  return async () => {
    const began = performance.now();
    if (last !== undefined && began < next) return last;
    last = await read();
    const took = performance.now() - began;
    next = performance.now() + Math.max(900, took / SHARE);
    return last;
  };
}
