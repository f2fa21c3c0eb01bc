import { madeSince2000 } from '../marketplace/when-made.ts';
import type { World } from '../marketplace/world.ts';
import { requestsFor } from './paper.ts';
import type { Crawl, Request } from './paper.ts';

/** How much of the dataset is there, each from 0 to 1. */
export interface Shares {
  /** Listings with rows. */
  readonly listings: number;
  /** Listings with rows, known image and shop. */
  readonly whole: number;
  readonly shops: number;
  /** Shops with all their reviews. */
  readonly reviewed: number;
  readonly reviews: number;
  /** Categories of which all listings are whole. */
  readonly categories: number;
}

/** The real job, and what there is to do of it. */
export interface Job {
  readonly world: World;
  /** Everything in one crawl. */
  readonly all: Crawl;
  readonly categories: readonly Crawl[];
  /** Of each shop, by serial number. */
  readonly reviews: Uint32Array;
  readonly reviewRequests: Uint32Array;
}

const NONE: ReadonlySet<number> = new Set();

/** Orders in which the first full sync can be worked off. The first is what sync-data does. */
export const ORDERS: Readonly<Record<string, (job: Job) => Iterable<Request>>> = {
  *'pages and batches in turn, then reviews, largest sellers first'(job) {
    yield* requestsFor(job.world, job.all.pages, NONE);
    const shops = shopsOf(job, [job.all]);
    yield* reviewsOf(
      job,
      shops.toSorted((a, b) => (job.reviews[b] ?? 0) - (job.reviews[a] ?? 0)),
    );
  },
  *'pages and batches in turn, then reviews by shop id'(job) {
    yield* requestsFor(job.world, job.all.pages, NONE);
    yield* reviewsOf(job, shopsOf(job, [job.all]));
  },
  *'all pages, then batches, then reviews'(job) {
    yield* requestsFor(job.world, job.all.pages, NONE, 'pages first');
    yield* reviewsOf(job, shopsOf(job, [job.all]));
  },
  *'category by category, then reviews'(job) {
    for (const one of job.categories) yield* requestsFor(job.world, one.pages, NONE);
    yield* reviewsOf(job, shopsOf(job, job.categories));
  },
  *'category by category, each with its reviews'(job) {
    const done = new Set<number>();
    for (const one of job.categories) {
      yield* requestsFor(job.world, one.pages, NONE);
      const shops = shopsOf(job, [one]).filter((shop) => !done.has(shop));
      for (const shop of shops) done.add(shop);
      yield* reviewsOf(job, shops);
    }
  },
};

/** Shops with something made since 2000: all that are synced. */
export function shopsOf({ world }: Pick<Job, 'world'>, crawls: readonly Crawl[]): number[] {
  const { made, shop } = world.listings;
  const shops = new Set<number>();
  for (const { pages } of crawls) {
    for (const page of pages) {
      for (const listing of page) if (madeSince2000(made.get(listing))) shops.add(shop.get(listing));
    }
  }
  return [...shops].toSorted((a, b) => a - b);
}

function* reviewsOf(job: Job, shops: readonly number[]): Generator<Request, void, undefined> {
  for (const shop of shops) {
    for (let left = job.reviewRequests[shop] ?? 1; left > 0; left -= 1) yield { reviewsOf: shop };
  }
}

/** Adds members to a set of listings or shops, and counts them. */
class Marks {
  size = 0;
  readonly #has: Uint8Array;

  constructor(of: number) {
    this.#has = new Uint8Array(of);
  }

  /** @returns whether it was not in it yet */
  add(member: number): boolean {
    if (this.#has[member]) return false;
    this.#has[member] = 1;
    this.size += 1;
    return true;
  }
}

/** What the shares are shares of. */
export interface Totals {
  readonly byCategory: ReadonlyMap<number, number>;
  readonly listings: number;
  readonly shops: number;
  readonly reviews: number;
}

export function totalsOf(job: Job, listings: ReadonlySet<number>, shops: readonly number[]): Totals {
  const { taxonomy } = job.world.listings;
  const byCategory = new Map<number, number>();
  for (const listing of listings) {
    byCategory.set(taxonomy.get(listing), (byCategory.get(taxonomy.get(listing)) ?? 0) + 1);
  }
  const reviews = shops.reduce((sum, shop) => sum + (job.reviews[shop] ?? 0), 0);
  return { byCategory, listings: listings.size, shops: shops.length, reviews };
}

/** @param at after so many requests, ascending */
export function sharesAfter(
  job: Job,
  totals: Totals,
  requests: Iterable<Request>,
  at: readonly number[],
): Shares[] {
  const { made, shop: shopOf, taxonomy } = job.world.listings;
  const [rows, whole] = [new Marks(shopOf.length), new Marks(shopOf.length)];
  const shops = new Marks(job.reviews.length);
  const left = new Map(totals.byCategory);
  const asked = new Uint32Array(job.reviews.length);
  let [count, reviewed, reviews, complete] = [0, 0, 0, 0];
  const shares = (): Shares => ({
    listings: rows.size / totals.listings,
    whole: whole.size / totals.listings,
    shops: shops.size / totals.shops,
    reviewed: reviewed / totals.shops,
    reviews: reviews / totals.reviews,
    categories: complete / totals.byCategory.size,
  });
  const fetched = (listing: number): void => {
    if (!whole.add(listing)) return;
    shops.add(shopOf.get(listing));
    const more = (left.get(taxonomy.get(listing)) ?? 0) - 1;
    left.set(taxonomy.get(listing), more);
    if (more === 0) complete += 1;
  };
  const found: Shares[] = [];
  for (const request of requests) {
    if (count++ === at[found.length]) found.push(shares());
    if (found.length === at.length) break;
    if ('page' in request) {
      for (const listing of request.page) if (madeSince2000(made.get(listing))) rows.add(listing);
    } else if ('batch' in request) {
      for (const listing of request.batch) fetched(listing);
    } else {
      const shop = request.reviewsOf;
      const needed = job.reviewRequests[shop] ?? 1;
      const times = (asked[shop] ?? 0) + 1;
      asked[shop] = times;
      reviews += (job.reviews[shop] ?? 0) / needed;
      if (times === needed) reviewed += 1;
    }
  }
  while (found.length < at.length) found.push(shares());
  return found;
}
