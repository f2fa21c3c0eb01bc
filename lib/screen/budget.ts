import type { Api } from '../progress/events.ts';
import { DAY_MS } from '../time.ts';

/**
 * How long work takes that waits whenever the day's calls are used up. All in milliseconds.
 * @param left how long it would take without such waits
 * @param rate requests a second while it works; undefined: not known yet
 */
export function withQuota(left: number, rate: number | undefined, api: Api | undefined): number {
  if (rate === undefined || api?.leftToday === undefined) return left;
  return withWaits(left, (left / 1000) * rate, api.leftToday, api.usedToday + api.leftToday);
}

/**
 * The same of so many requests. Milliseconds.
 * @param left requests that can be made at once, and of `perDay` in a day
 */
export function withWaits(atOnce: number, requests: number, left: number, perDay: number): number {
  const waiting = requests - left;
  if (waiting <= 0 || perDay <= 0) return atOnce;
  return Math.max(atOnce, (waiting / perDay) * DAY_MS);
}

/** When the calls that are left will be used up, at this rate; undefined: not to be seen. Milliseconds. */
export function lasts(rate: number | undefined, api: Api): number | undefined {
  if (rate === undefined || rate <= 0 || api.leftToday === undefined) return undefined;
  return (api.leftToday / rate) * 1000;
}
