import { setImmediate as turn } from 'node:timers/promises';
import type { ReviewPage, ReviewQuery } from '../lib/etsy/api.ts';
import { ApiError } from '../lib/etsy/errors.ts';

export const DAY = 24 * 3600;
export const START = 1_790_000_000;

/** Of the shops and of who asks. Epoch seconds. */
export const clock = { now: START };

export interface Review {
  readonly shopId: number;
  readonly id: number;
  readonly createdAt: number;
  /** Etsy shows a review up to seven days after the time it carries. */
  readonly shownAt: number;
  /** Its record cannot be used before. */
  readonly goodFrom: number;
  /** Its rating cannot be read in the first answer that shows it. */
  readonly isOddFirst?: boolean;
}

/** The reviews of all shops, as the API pages them; answers come in any order, and time passes with each. */
export class Etsy {
  readonly #reviews: readonly Review[];
  readonly #luck: Iterator<number>;
  /** Answers everything from now on. */
  isWell = false;
  /** Sent in this run. */
  requests = 0;
  /** Shops asked for in this run. */
  readonly asked = new Set<number>();
  /** Shops of which something could not be used in this run. */
  readonly spoilt = new Set<number>();
  readonly #shownOnce = new Set<number>();
  /** Shops that showed a review in this run: a watermark moves only where one did. */
  readonly shown = new Set<number>();

  constructor(reviews: readonly Review[], luck: Iterator<number>) {
    this.#reviews = reviews.toSorted((a, b) => b.createdAt - a.createdAt);
    this.#luck = luck;
  }

  #draw(): number {
    return Number(this.#luck.next().value ?? 0);
  }

  beginRun(): void {
    this.asked.clear();
    this.requests = 0;
    this.spoilt.clear();
    this.shown.clear();
  }

  /** As the shop's figures say it: of the past year, and shown by now. */
  counted(shopId: number, at = clock.now): number {
    return this.#reviews.filter(
      (one) => one.shopId === shopId && one.shownAt <= at && one.createdAt > at - 365 * DAY,
    ).length;
  }

  readonly reviews = async (shopId: number, query: ReviewQuery): Promise<ReviewPage | undefined> => {
    this.asked.add(shopId);
    this.requests += 1;
    for (let left = this.#draw() % 8; left > 0; left -= 1) await turn();
    clock.now += this.#draw() % 8 === 0 ? this.#draw() * 100 : this.#draw() % 100;
    if (!this.isWell && this.#draw() % 40 === 0) {
      this.spoilt.add(shopId);
      throw new ApiError('hopeless', `shops/${shopId}/reviews`, 'HTTP 500');
    }
    // As if there were no such shop, for a moment.
    if (!this.isWell && this.#draw() % 40 === 0) {
      this.spoilt.add(shopId);
      return undefined;
    }
    const { minCreated = 0, maxCreated = Infinity, offset } = query;
    const window = this.#reviews.filter(
      (one) =>
        one.shopId === shopId &&
        one.shownAt <= clock.now &&
        one.createdAt >= minCreated &&
        one.createdAt <= maxCreated,
    );
    const page = window.slice(offset, offset + 100);
    const bad = page.filter(({ goodFrom }) => goodFrom > clock.now);
    if (bad.length > 0) this.spoilt.add(shopId);
    if (page.length > 0) this.shown.add(shopId);
    const odd = new Set(page.filter(({ id, isOddFirst }) => isOddFirst && !this.#shownOnce.has(id)));
    for (const { id } of page) this.#shownOnce.add(id);
    return {
      count: window.length,
      rows: page.length,
      misfits: [...odd].map(() => ({ field: 'rating', example: '"odd"', isRead: false })),
      good: page
        .filter(({ goodFrom }) => goodFrom <= clock.now)
        .map((one) => ({
          shop_id: shopId,
          listing_id: 70,
          transaction_id: one.id,
          create_timestamp: one.createdAt,
          review: null,
          ...(!odd.has(one) && { rating: 1 + (one.id % 5) }),
        })),
      rejected: bad.map(({ id }) => ({
        raw: { transaction_id: id, rating: 'odd' },
        reason: 'rating: is odd',
      })),
    };
  };
}
