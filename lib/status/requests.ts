import { PAGE } from '../limits.ts';

/** What a sync has to find out. */
export interface Need {
  /** How many listings each price range holds that is read through. */
  readonly slices: readonly number[];
  /** Price ranges that turned out too large to be read through, each after its first page. */
  readonly cut?: number;
  /**
   * Listings that only the batch endpoint tells of: new ones, those that are due where pages lack views, and one of each
   * shop that is due and comes along with none of these.
   */
  readonly batch: number;
  /** For each shop whose reviews are due, those that are not in yet. */
  readonly reviews: Iterable<number>;
}

export interface Requests {
  readonly pages: number;
  readonly batches: number;
  readonly reviews: number;
  readonly total: number;
}

/** The fewest requests that tell all of it, whoever asks: of everything 100 at a time, and an empty answer is one too. */
export function leastRequests({ slices, cut = 0, batch, reviews }: Need): Requests {
  return sumOf(cut + pagesFor(slices), Math.ceil(batch / PAGE), pagesFor(reviews));
}

export function sumOf(pages: number, batches: number, reviews: number): Requests {
  return { pages, batches, reviews, total: pages + batches + reviews };
}

function pagesFor(counts: Iterable<number>): number {
  let pages = 0;
  for (const count of counts) pages += Math.max(1, Math.ceil(count / PAGE));
  return pages;
}
