import { duration } from '../text/format.ts';

/** Requests a second that Etsy allows a key, where its headers do not say. */
export const ALLOWED = 5;
/** One may be a whim of Etsy's; so many within `WITHIN_MS` are not. */
const MANY = 3;
const WITHIN_MS = 60_000;
/** How long half as many requests are made then. Milliseconds. */
export const SLOW_MS = 300_000;
/** Counts of Etsy's that are compared with each other are no further apart. Milliseconds. */
const COMPARED_MS = 10_000;
/** How long half as many are made after a call of others: a lone one, and one of many. Milliseconds. */
const LONE_MS = 3000;
const SHARED_MS = 60_000;

/** What is said of it, once a run. */
export const REFUSED = `Etsy refused requests as too many (HTTP 429), though this run made no more than it may: the API key seems to be in use elsewhere. From now on, each time this happens, half as many requests are made for ${duration(SLOW_MS)}.`;
export const COUNTED =
  'Etsy counts more requests than this run makes: the API key seems to be in use elsewhere. While that lasts, half as many requests are made.';

/** A request that was refused as one too many in its second. */
export interface Refusal {
  /** Milliseconds, of any one clock that is not set. */
  readonly at: number;
  /** Requests of ours in the second that ended when it was sent, itself included. */
  readonly own: number;
  /** x-limit-per-second; undefined: Etsy has not said. */
  readonly allowed: number | undefined;
}

/** What to do, and what to report. */
export interface Suspicion {
  /** How long half as many requests are to be made. Milliseconds. */
  readonly slowMs: number;
  /** Requests refused, or made by others, not reported yet; 0: too early to say. */
  readonly n: number;
}

/** Of one attempt, from when it is sent. */
export interface Sent {
  /** Attempts that were over by then. */
  readonly before: number;
}

/**
 * Notices that others use the key. Two datasets on one computer, or on two, cannot know of each other otherwise: the
 * limit is the key's, and each keeps it by itself.
 */
export class Elsewhere {
  #refusals: number[] = [];
  #sent = 0;
  #over = 0;
  /** Times of counts that others had a part in. */
  #signs: number[] = [];
  /** Calls of others not reported yet, and when the last were reported. */
  #calls = 0;
  #toldAt = -Infinity;
  /** Ascending: the first is the lowest of the last `COMPARED_MS`. */
  #counts: { readonly at: number; readonly most: number }[] = [];

  refused({ at, own, allowed = ALLOWED }: Refusal): Suspicion | undefined {
    if (own > allowed) return undefined;
    this.#refusals = [...this.#refusals.filter((before) => before > at - WITHIN_MS), at];
    if (this.#refusals.length < MANY) return undefined;
    return { slowMs: SLOW_MS, n: this.#refusals.splice(0).length };
  }

  /** To be called when an attempt is sent. */
  send(): Sent {
    this.#sent += 1;
    return { before: this.#over };
  }

  /**
   * To be called when an attempt is over, in whatever way.
   *
   * @param at milliseconds, of any one clock that is not set
   * @param left x-remaining-today of a good answer; undefined: it did not say
   * @returns undefined where all that Etsy counted can be this run's own
   */
  over({ before }: Sent, at: number, left: number | undefined): Suspicion | undefined {
    this.#over += 1;
    if (left === undefined) return undefined;
    // Of our own attempts Etsy has counted all that were over when this one was sent, and itself; at most all that are sent.
    const most = left + before + 1;
    const least = left + this.#sent;
    while ((this.#counts[0]?.at ?? at) < at - COMPARED_MS) this.#counts.shift();
    const calls = (this.#counts[0]?.most ?? least) - least;
    while ((this.#counts.at(-1)?.most ?? -Infinity) >= most) this.#counts.pop();
    this.#counts.push({ at, most });
    return calls > 0 ? this.#suspect(at, calls) : undefined;
  }

  #suspect(at: number, calls: number): Suspicion {
    this.#calls += calls;
    this.#signs = [...this.#signs.filter((before) => before > at - COMPARED_MS), at];
    if (this.#signs.length < MANY) return { slowMs: LONE_MS, n: 0 };
    if (at - this.#toldAt < COMPARED_MS) return { slowMs: SHARED_MS, n: 0 };
    const n = this.#calls;
    this.#calls = 0;
    this.#toldAt = at;
    return { slowMs: SHARED_MS, n };
  }
}
