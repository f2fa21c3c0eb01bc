import { setTimeout as delay } from 'node:timers/promises';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Seconds, as in the tables. */
export const DAY_S = 86_400;
export const WEEK_S = 7 * DAY_S;

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

/** Epoch seconds, the unit of every timestamp in the data tables. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Where a screen gets its time from; a test winds its own. */
export interface Clock {
  now(): number;
  /** Runs something again and again; the answer ends that. */
  every(milliseconds: number, run: () => void): () => void;
  wait(milliseconds: number): Promise<void>;
}

/** Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds).unref();
    return () => {
      clearInterval(timer);
    };
  },
  wait: (milliseconds) => delay(milliseconds, undefined, { ref: false }),
};

/** What `work` comes to, unless `signal` is aborted before: then its reason is thrown, and nobody waits for the work. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  let stopListening = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const tell = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', tell, { once: true });
    stopListening = () => signal.removeEventListener('abort', tell);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening();
  }
}
