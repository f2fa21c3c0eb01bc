import { before } from './world.ts';
import type { Shop } from './world.ts';

const YEAR = 365;
/** A review counts as in soon when it comes in within so many days. */
const SOON = 14;

export interface Measured {
  /** Of the reviews written from the start on: share in within 14 days; their age when they come in, days. */
  readonly soon: number;
  readonly meanAge: number;
  readonly p95: number;
  readonly requests: number;
  /** Share of the requests that brought nothing. */
  readonly vain: number;
  /** By day: share of the past year's reviews, and of all, that are in. */
  readonly ofYear: ReadonlyMap<number, number>;
  readonly ofAll: ReadonlyMap<number, number>;
}

export const DAYS_OF_YEAR = [7, 14] as const;
export const DAYS_OF_ALL = [30, 60] as const;

/** When each review came in. */
export class Figures {
  readonly #shops: readonly Shop[];
  readonly #cameAt = new Map<Shop, Float32Array>();
  #requests = 0;
  #vain = 0;

  constructor(shops: readonly Shop[]) {
    this.#shops = shops;
    for (const shop of shops) this.#cameAt.set(shop, new Float32Array(shop.reviews.length).fill(Infinity));
  }

  /** A request has brought the reviews from `from` up to `to`, by position. */
  came(shop: Shop, from: number, to: number, now: number): void {
    this.#requests += 1;
    if (to <= from) this.#vain += 1;
    this.#cameAt.get(shop)?.fill(now, from, Math.max(from, to));
  }

  measured(end: number): Measured {
    const ages: number[] = [];
    let soon = 0;
    for (const shop of this.#shops) {
      const cameAt = this.#cameAt.get(shop);
      // Those of the last weeks have not had their time.
      for (let at = before(shop.reviews, 0); at < before(shop.reviews, end - 2 * SOON); at += 1) {
        const age = Math.min(end, cameAt?.[at] ?? end) - (shop.reviews[at] ?? 0);
        ages.push(age);
        if (age <= SOON) soon += 1;
      }
    }
    const sorted = Float64Array.from(ages).sort();
    return {
      soon: soon / ages.length,
      meanAge: ages.reduce((sum, age) => sum + age, 0) / ages.length,
      p95: sorted[Math.floor(0.95 * sorted.length)] ?? 0,
      requests: this.#requests,
      vain: this.#vain / this.#requests,
      ofYear: new Map(DAYS_OF_YEAR.map((day) => [day, this.#share(day, day - YEAR)])),
      ofAll: new Map(DAYS_OF_ALL.map((day) => [day, this.#share(day, -Infinity)])),
    };
  }

  #share(day: number, since: number): number {
    let [all, there] = [0, 0];
    for (const shop of this.#shops) {
      const cameAt = this.#cameAt.get(shop);
      const last = before(shop.reviews, day);
      for (let at = before(shop.reviews, since); at < last; at += 1) {
        all += 1;
        if ((cameAt?.[at] ?? Infinity) <= day) there += 1;
      }
    }
    return there / all;
  }
}
