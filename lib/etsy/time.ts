import { setTimeout as delay } from 'node:timers/promises';

/** A timer for longer than this fires at once. Milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

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
 * `retry-after`: seconds or an HTTP date.
 * @returns milliseconds from `now` (epoch ms), undefined where the header is missing or no time
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
