import { duration } from '../text/format.ts';

/** Requests a second that Etsy allows a key, where its headers do not say. */
const ALLOWED = 5;
/** One may be a whim of Etsy's; so many within `WITHIN_MS` are not. */
const MANY = 3;
const WITHIN_MS = 60_000;
/** How long half as many requests are made then. Milliseconds. */
export const SLOW_MS = 300_000;

/** What is said of it, once a run. */
export const ELSEWHERE = `Etsy refused requests as too many (HTTP 429), though this run made no more than it may: the API key seems to be in use elsewhere. From now on, each time this happens, half as many requests are made for ${duration(SLOW_MS)}.`;

/** A request that was refused as one too many in its second. */
export interface Refusal {
  /** Milliseconds, of any one clock that is not set. */
  readonly at: number;
  /** Requests of ours in the second that ended when it was sent, itself included. */
  readonly own: number;
  /** x-limit-per-second; undefined: Etsy has not said. */
  readonly allowed: number | undefined;
}

/**
 * Notices that others use the key. Two datasets on one computer, or on two, cannot know of each other otherwise: the
 * limit is the key's, and each keeps it by itself.
 */
export class Elsewhere {
  #refusals: number[] = [];

  /** @returns of how many refusals it is certain now; 0: not yet, or this run was at fault */
  refused({ at, own, allowed = ALLOWED }: Refusal): number {
    if (own > allowed) return 0;
    this.#refusals = [...this.#refusals.filter((before) => before > at - WITHIN_MS), at];
    if (this.#refusals.length < MANY) return 0;
    return this.#refusals.splice(0).length;
  }
}
