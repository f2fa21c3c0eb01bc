import type { Ledger } from '../store/ledger.ts';
import { DAY_MS, MINUTE_MS, sleep } from '../time.ts';

const SECOND_MS = 1000;
/** Etsy's sliding day is made of buckets, of two hours in older documents: by then some calls have come back. */
const LONGEST_WAIT_MS = 120 * MINUTE_MS;
/** The share of the day's calls that the ledger must know of to agree that none is left: others may use the key, too. */
const AGREES = 0.9;

export interface QuotaOptions {
  readonly ledger: Ledger;
  readonly onQuota: 'wait' | 'stop';
  readonly signal: AbortSignal;
  /** Asks the run to stop, to be resumed later. */
  readonly stop: (reason: string) => void;
  /** Tells of a wait, until (epoch ms) it ends; what is returned ends it. */
  readonly hold: (reason: string, until: number) => () => void;
}

/** The daily limit. Knows from Etsy's headers that nothing is left, and from the ledger when calls come back. */
export class Quota {
  readonly #options: QuotaOptions;
  /** Epoch ms before which no request may go out; undefined: none. */
  #until: number | undefined;
  /** The wait that is shown. */
  #told: { readonly until: number; readonly end: () => void } | undefined;
  /** Requests that wait, of all stages. */
  #waiting = 0;
  /** Waits since the last good answer. */
  #inVain = 0;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Takes up where the last process ended, where calls are not back by now. */
  async restore(now: number): Promise<void> {
    const { ledger } = this.#options;
    const last = await ledger.remaining(now);
    if (last?.calls !== 0) return;
    const { oldestMs } = await ledger.day(last.atMs);
    const until = callsBackAt(last.atMs, oldestMs, undefined);
    if (until > now) this.#until = until;
  }

  /**
   * Whether an x-remaining-today means what it says: a 0 beside an answer that was not refused has been seen by mistake,
   * and is taken for one unless the ledger agrees.
   * @param limit x-limit-per-day; undefined where the answer did not say
   */
  async believes(
    left: number | undefined,
    status: number,
    limit: number | undefined,
    now: number,
  ): Promise<boolean> {
    if (left !== 0 || status === 429) return left !== undefined;
    return limit !== undefined && (await this.#options.ledger.day(now)).used >= limit * AGREES;
  }

  /** @param left x-remaining-today of a good answer, where it is to be believed; undefined where it did not say */
  async answered(left: number | undefined, now: number): Promise<void> {
    this.#inVain = 0;
    if (left === 0) await this.spent(undefined, now);
  }

  /**
   * Nothing is left, or a request was refused for the day.
   * @param retryAfter milliseconds, Etsy's own estimate
   */
  async spent(retryAfter: number | undefined, now: number): Promise<void> {
    const { oldestMs } = await this.#options.ledger.day(now);
    // Of several refused at once only the first counts.
    if (this.#until !== undefined && this.#until > now) return;
    this.#until = callsBackAt(now, oldestMs, retryAfter, this.#inVain);
    this.#inVain += 1;
  }

  /**
   * Resolves when a request may go out: who has none to send need neither wait nor stop.
   * @param signal of who asks; the run's if there is none
   * @throws the signal's reason when the run, or the stage that asks, is to stop.
   */
  async ready(signal = this.#options.signal): Promise<void> {
    const { onQuota, stop, hold } = this.#options;
    this.#waiting += 1;
    try {
      while (this.#until !== undefined) {
        const now = Date.now();
        // Later than that it can only be because the clock was set back.
        this.#until = Math.min(this.#until, now + LONGEST_WAIT_MS);
        const wait = this.#until - now;
        if (wait <= 0) {
          this.#until = undefined;
          break;
        }
        if (onQuota === 'stop') stop(`the daily quota is used up; calls return from ${clock(this.#until)}`);
        signal.throwIfAborted();
        if (this.#told?.until !== this.#until) {
          this.#told?.end();
          this.#told = { until: this.#until, end: hold('the daily quota is used up', this.#until) };
        }
        // In short naps: the clock may be set, and a laptop may sleep, while we wait.
        await sleep(Math.min(wait, MINUTE_MS), signal);
      }
    } finally {
      this.#waiting -= 1;
      // A stage that stops leaves the others waiting.
      if (this.#waiting === 0 || this.#until === undefined) {
        this.#told?.end();
        this.#told = undefined;
      }
    }
  }
}

/**
 * When to ask again after the day's calls are used up. All in milliseconds, epoch where it is a time.
 * @param oldest the oldest attempt of the last 24 hours: when the sliding day lets go of it, a call comes back
 * @param retryAfter Etsy's own estimate; beyond two hours it tells of the whole day, not of the next call
 * @param inVain waits before this one that brought nothing: calls come back in blocks, later than one by one
 */
export function callsBackAt(
  now: number,
  oldest: number | undefined,
  retryAfter: number | undefined,
  inVain = 0,
): number {
  if (retryAfter !== undefined && retryAfter <= LONGEST_WAIT_MS) return now + Math.max(retryAfter, SECOND_MS);
  const released = (oldest ?? now) + DAY_MS;
  return Math.min(Math.max(released, now + MINUTE_MS * 2 ** inVain), now + LONGEST_WAIT_MS);
}

function clock(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
}
