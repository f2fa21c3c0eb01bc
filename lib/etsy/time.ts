import { setTimeout as delay } from 'node:timers/promises';

/** A timer for longer than this fires at once. Milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;
const NAP_MS = 1000;

/**
 * Waits, or throws the signal's reason as soon as it is aborted.
 * @param ms milliseconds
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  try {
    for (let left = ms; left > 0; left -= LONGEST_MS) {
      await delay(Math.min(left, LONGEST_MS), undefined, signal ? { signal } : {});
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Waits in short naps: by the wall clock a closed laptop's sleep counts, and by the other one a clock that is set back
 * does not prolong it.
 * @param ms milliseconds
 * @throws the signal's reason as soon as it is aborted
 */
export async function nap(ms: number, signal: AbortSignal): Promise<void> {
  const [steady, wall] = [performance.now() + ms, Date.now() + ms];
  signal.throwIfAborted();
  for (let left = ms; left > 0; left = Math.min(steady - performance.now(), wall - Date.now())) {
    await sleep(Math.min(left, NAP_MS), signal);
  }
}

/** A header's whole number, 0 or more; undefined where it is missing, empty or anything else. */
export function headerNumber(header: string | null): number | undefined {
  const text = header?.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * `retry-after`: seconds or an HTTP date.
 * @returns milliseconds from `now` (epoch ms, as the server has it), undefined where the header is missing or neither
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  // What begins with anything else, Date.parse takes for a date all too easily.
  const date = /^(?:mon|tue|wed|thu|fri|sat|sun)\w*,? |^\d{4}-\d\d-\d\dT/i.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
