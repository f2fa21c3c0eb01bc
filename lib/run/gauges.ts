import type { Gauges } from '../progress/events.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Figures } from '../task/telling.ts';
import { DAY_MS } from '../time.ts';

/** Requests a second are shown over the last so many seconds. */
const OVER_S = 5;
/** What takes long (counting a million rows) is asked for seldom: at most this share of the time goes into it. */
const SHARE = 1 / 30;

export interface GaugeSources {
  readonly ledger: Ledger;
  /** Undefined where no stage makes requests. */
  readonly api: { readonly label: string; readonly limit: number } | undefined;
  /** Each reads the lines of a stage. */
  readonly figures: readonly (() => Promise<readonly Figures[]>)[];
  /** How long the rest of the run takes; undefined: unknown. */
  readonly toGo?: (() => Promise<ToGo | undefined>) | undefined;
}

/** An estimate of the whole: milliseconds, and whether it is the day's quota that makes it so long. */
export interface ToGo {
  readonly ms: number;
  readonly isQuota: boolean;
}

/** How long a run is under way before its end is estimated, and how often that is repeated. Milliseconds. */
const FIRST_ESTIMATE_MS = 20_000;
const ESTIMATE_MS = 60_000;

/** The figures of the screen, each read no more often than it is cheap to. */
export function gauges({ ledger, api, figures, toGo }: GaugeSources): (isLast?: boolean) => Promise<Gauges> {
  const own = figures.map(seldom);
  const day = seldom(async () => {
    const { used, oldestMs } = await ledger.day(Date.now());
    const left = (await ledger.remaining(Date.now()))?.calls;
    return { usedToday: used, leftToday: left, backAt: oldestMs && oldestMs + DAY_MS };
  });
  const whole = toGo && estimated(toGo);
  const budget = async (isLast: boolean): Promise<Gauges['api']> => {
    if (!api) return undefined;
    const now = Date.now();
    const recent = await ledger.countSince(now - OVER_S * 1000, now);
    return { ...api, ...(await day(isLast)), perSecond: recent / OVER_S };
  };
  return async (isLast = false) => {
    const [requests, ...lines] = await Promise.all([budget(isLast), ...own.map((read) => read(isLast))]);
    return { api: requests, figures: lines.flat(), toGo: whole?.() };
  };
}

/** Nothing waits for it: it is shown once known. */
function estimated(read: () => Promise<ToGo | undefined>): () => Gauges['toGo'] {
  let known: Gauges['toGo'];
  let next = performance.now() + FIRST_ESTIMATE_MS;
  return () => {
    const began = performance.now();
    if (began < next) return known;
    next = Infinity;
    const done = (toGo?: ToGo): void => {
      known = toGo && { isQuota: toGo.isQuota, until: Date.now() + toGo.ms };
      next = performance.now() + Math.max(ESTIMATE_MS, (performance.now() - began) / SHARE);
    };
    void read().then(done, () => done());
    return known;
  };
}

/** @returns what is read, or was a short while ago; at the end of a run what is true then, as the summary has it */
function seldom<T>(read: () => Promise<T>): (isLast: boolean) => Promise<T> {
  let next = 0;
  let last: T | undefined;
  return async (isLast) => {
    const began = performance.now();
    if (!isLast && last !== undefined && began < next) return last;
    last = await read();
    const took = performance.now() - began;
    next = performance.now() + Math.max(900, took / SHARE);
    return last;
  };
}
