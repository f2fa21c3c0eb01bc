import pLimit from 'p-limit';
import pThrottle from 'p-throttle';
import { sleep, unlessAborted } from '../time.ts';

/** p-throttle hands out turns this much further apart than the limit says: 205.5 ms at 5 a second, so 4.87 a second. */
const SLACK_MS = 5.5;

/** Requests per second that the throttle lets through, of so many that it may. */
export function paceOf(qps: number): number {
  return 1000 / (1000 / qps + SLACK_MS);
}

/**
 * No window of one second plus this holds more requests than the limit, as they leave here: a server that is held up
 * notes an arrival late, and the sixth after it must not come within the second all the same.
 */
const MARGIN_MS = 26;
/** A turn comes this much before its request is sent, so that a stamp which waits for a commit does not delay it. */
const LEAD_MS = 25;
/** A stamp of the ledger is older than the arrival it stands for by less than this, a busy thread and a handshake included. */
const STAMP_TO_ARRIVAL_MS = 600;

export interface ThrottleOptions {
  /** Requests a second; Infinity lifts the throttle (benchmarks only). */
  readonly qps: number;
  /** Rejects all who wait, with its reason. */
  readonly signal: AbortSignal;
  /** Epoch ms of requests sent before this process started, from the ledger. */
  readonly recent?: readonly number[];
  /**
   * Half as many in the first second, until Etsy's headers tell whether others use the key or how much more it allows:
   * two that start together would each take all of it. Costs 0.6 s a start.
   */
  readonly startsGently?: boolean;
}

/**
 * The one gate to the API. Two rules in a row:
 * p-throttle spaces the turns evenly; then, at the moment of sending, the request waits until the last `qps` requests
 * that really went out are more than a second old. The first gives the mean, the second holds when a timer, a
 * handshake or a garbage collection came late and the even spacing alone would let six into one second.
 */
export class Throttle {
  readonly #qps: number;
  readonly #signal: AbortSignal;
  readonly #one = pLimit(1);
  /** performance.now() of the last requests on the wire, oldest first, at most `#burst`. */
  readonly #sent: number[] = [];
  #burst: number;
  #turn: () => Promise<void>;
  /** performance.now() terms. */
  #slowUntil = -Infinity;
  /** The same for a gentle start; undefined: nothing was sent yet. */
  #gentleUntil: number | undefined;
  #clockOffset = Date.now() - performance.now();

  constructor(options: ThrottleOptions) {
    this.#qps = options.qps;
    this.#signal = options.signal;
    this.#burst = Math.max(1, Math.floor(options.qps));
    this.#turn = this.#newTurns();
    if (!options.startsGently) this.#gentleUntil = -Infinity;
    const [wall, now] = [Date.now(), performance.now()];
    for (const at of options.recent ?? []) this.#note(Math.min(now, now - (wall - at) + STAMP_TO_ARRIVAL_MS));
  }

  /** Etsy's x-limit-per-second, where it is lower than ours. */
  limitTo(perSecond: number): void {
    if (!this.takes(perSecond)) this.#gentleUntil = -Infinity;
    if (perSecond >= 1 && perSecond < this.#burst) this.#burst = Math.floor(perSecond);
  }

  /** Half as many for so long (ms), and no more than half in any second: two who share a key keep to its limit so. */
  slowDown(ms: number): void {
    this.#slowUntil = Math.max(this.#slowUntil, performance.now() + ms);
  }

  /** Whether it takes all of so many a second, and leaves nothing to others. */
  takes(perSecond: number): boolean {
    return this.#qps >= perSecond;
  }

  /** Requests on the wire within the last second. */
  inLastSecond(): number {
    const since = performance.now() - 1000;
    return this.#sent.filter((at) => at > since).length;
  }

  /**
   * Waits for the turn, then calls `launch`, which starts one request and resolves once it is on the wire. Launches
   * never overlap: a connection still being set up is not yet counted, so nobody may pass it.
   *
   * @param prepare runs before, while the others wait; `sendAt` tells it when the request will be sent (epoch ms)
   * @param signal of who asks: once it is aborted, the request is not sent if it is not on the wire yet
   */
  async enter<T>(
    launch: () => Promise<T>,
    prepare: (sendAt: () => number) => Promise<void> = () => Promise.resolve(),
    signal = this.#signal,
  ): Promise<T> {
    if (this.#qps === Infinity) {
      signal.throwIfAborted();
      await prepare(Date.now);
      return launch();
    }
    this.#mindTheClock();
    await unlessAborted(this.#turn(), signal);
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const flight = this.#one(async () => {
      signal.throwIfAborted();
      begin();
      let planned = performance.now() + LEAD_MS;
      await prepare(() => {
        planned = Math.max(planned, performance.now(), this.#clearAt());
        return Math.round(Date.now() + planned - performance.now());
      });
      await this.#until(() => Math.max(planned, this.#clearAt()), signal);
      this.#gentleUntil ??= performance.now() + 1000 + MARGIN_MS;
      try {
        return await launch();
      } finally {
        this.#note(performance.now());
      }
    });
    // Behind the request of a stage that still waits for the quota, too.
    await unlessAborted(Promise.race([begun, flight]), signal);
    return flight;
  }

  #note(at: number): void {
    this.#sent.push(at);
    while (this.#sent.length > 10) this.#sent.shift();
  }

  /** When the window has room for another, in performance.now() terms. */
  #clearAt(): number {
    const isSlow = performance.now() < Math.max(this.#slowUntil, this.#gentleUntil ?? -Infinity);
    const { most, windowMs } = windowOf(this.#burst, this.#qps, isSlow);
    return (this.#sent.at(-most) ?? -Infinity) + windowMs;
  }

  async #until(time: () => number, signal: AbortSignal): Promise<void> {
    // A timer may come early by a fraction.
    for (let wait = time() - performance.now(); wait > 0; wait = time() - performance.now()) {
      await sleep(wait, signal);
    }
  }

  #newTurns(): () => Promise<void> {
    const interval = this.#qps === Infinity ? 0 : 1000 / this.#qps + SLACK_MS;
    return pThrottle({ limit: 1, interval, signal: this.#signal })(() => Promise.resolve());
  }

  /** p-throttle plans in wall-clock time: after the clock was set back an hour it would wait that hour. */
  #mindTheClock(): void {
    const offset = Date.now() - performance.now();
    if (Math.abs(offset - this.#clockOffset) > 500) this.#turn = this.#newTurns();
    this.#clockOffset = offset;
  }
}

/** At most so many in any such time. @param burst whole requests a second */
export function windowOf(
  burst: number,
  qps: number,
  isSlow: boolean,
): { readonly most: number; readonly windowMs: number } {
  const most = isSlow ? Math.max(1, Math.floor(burst / 2)) : burst;
  const perSecond = isSlow ? qps / 2 : qps;
  return { most, windowMs: Math.max(1000, (most / perSecond) * 1000) + MARGIN_MS };
}
