import type { Gauges } from '../events.ts';

const DAY = 24 * 3_600_000;

/**
 * How long work takes that waits whenever the day's calls are used up. All in milliseconds.
 * @param left how long it would take without such waits
 * @param rate requests a second while it works; undefined: not known yet
 */
export function withQuota(left: number, rate: number | undefined, api: Gauges['api'] | undefined): number {
  if (rate === undefined || api?.leftToday === undefined) return left;
  const waiting = (left / 1000) * rate - api.leftToday;
  const perDay = api.usedToday + api.leftToday;
  if (waiting <= 0 || perDay <= 0) return left;
  return Math.max(left, (waiting / perDay) * DAY);
}

/** When the calls that are left will be used up, at this rate; undefined: not to be seen. Milliseconds. */
export function lasts(rate: number | undefined, api: Gauges['api']): number | undefined {
  if (rate === undefined || rate <= 0 || api.leftToday === undefined) return undefined;
  return (api.leftToday / rate) * 1000;
}
