import { PAGE } from '../../lib/etsy/api.ts';

/** What a sync has to find out, whoever does it. */
export interface Need {
  /** How many listings each price range holds that is read through. */
  readonly slices: readonly number[];
  /** Listings that only the batch endpoint tells of: new ones, and one for each shop that is due without one. */
  readonly batch: number;
  /** For each shop whose reviews are due, those that are not in yet. */
  readonly reviews: Iterable<number>;
  /** Listings due a dynamic row where search pages carry no `views`, beside those of `batch`. */
  readonly withoutViews?: number;
}

export interface Requests {
  readonly pages: number;
  readonly batches: number;
  readonly reviews: number;
  readonly total: number;
}

/** The fewest requests by which any client could find that out. */
export function least({ slices, batch, reviews, withoutViews = 0 }: Need): Requests {
  let [pages, asked] = [0, 0];
  for (const count of slices) pages += Math.max(1, Math.ceil(count / PAGE));
  for (const count of reviews) asked += Math.max(1, Math.ceil(count / PAGE));
  const batches = Math.ceil(batch / PAGE) + Math.ceil(withoutViews / PAGE);
  return sumOf(pages, batches, asked);
}

export function sumOf(pages: number, batches: number, reviews: number): Requests {
  return { pages, batches, reviews, total: pages + batches + reviews };
}
