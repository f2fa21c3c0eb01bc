import { PAGE } from '../../lib/etsy/api.ts';

/** What a sync has to find out, whoever does it. */
export interface Need {
  /** How many listings each price range holds that is read through. */
  readonly slices: readonly number[];
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

/** The fewest requests by which any client could find that out. */
export function least({ slices, batch, reviews }: Need): Requests {
  let [pages, asked] = [0, 0];
  for (const count of slices) pages += Math.max(1, Math.ceil(count / PAGE));
  for (const count of reviews) asked += Math.max(1, Math.ceil(count / PAGE));
  return sumOf(pages, Math.ceil(batch / PAGE), asked);
}

export function sumOf(pages: number, batches: number, reviews: number): Requests {
  return { pages, batches, reviews, total: pages + batches + reviews };
}
