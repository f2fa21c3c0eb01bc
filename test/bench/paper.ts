import { MAX_OFFSET } from '../../lib/etsy/api.ts';
import { PAGE } from '../../lib/limits.ts';
import { advance, nextPage, placeOf, wholeRange } from '../../tasks/rules/price-slices.ts';
import type { Slice } from '../../tasks/rules/price-slices.ts';
import { advancePass, wholePass } from '../../tasks/rules/review-pass.ts';
import { BATCH } from '../../lib/task/window.ts';
import { find } from '../marketplace/search.ts';
import { currencyOf, money } from '../marketplace/shops.ts';
import { madeSince2000 } from '../marketplace/when-made.ts';
import type { World } from '../marketplace/world.ts';

// The planners of the stages, run against the marketplace's world without HTTP and without a database: what they ask
// for depends on counts, prices and ids alone.

/** A crawl of one taxonomy. Listings are serial numbers of the world's. */
export interface Crawl {
  /** What each request showed, in the order of the requests. */
  readonly pages: readonly Uint32Array[];
  /** How many each price range held that was read through. */
  readonly slices: readonly number[];
}

export function crawlOf(world: World, taxonomy: number): Crawl {
  const pages: Uint32Array[] = [];
  const slices = new Map<string, number>();
  let open: readonly Slice[] = [wholeRange()];
  for (let next; (next = nextPage(open, new Set()));) {
    const { low, high } = next.slice;
    const found = find(world, {
      taxonomy,
      min: low > 0 ? low / 100 : undefined,
      max: high < 0 ? undefined : (high + 0.99) / 100,
      sortOn: 'created',
      ascending: placeOf(next.page).order === 'asc',
    });
    const { offset } = placeOf(next.page);
    const rows = found.slice(offset, offset + PAGE);
    const cents = Array.from(rows, (listing) => shownCents(world, listing));
    const after = advance(open, next, found.length, cents, false);
    open = after.open;
    pages.push(rows);
    if (!after.split) slices.set(`${low}-${high}`, found.length);
  }
  return { pages, slices: [...slices.values()] };
}

/** The number that the planner takes for cents, whatever the currency. */
function shownCents(world: World, listing: number): number {
  const shop = world.listings.shop.get(listing);
  const { amount, divisor } = money(world.listings.cents.get(listing), currencyOf(world, shop));
  return Math.round((amount * 100) / divisor);
}

export type Request =
  { readonly page: Uint32Array } | { readonly batch: readonly number[] } | { readonly reviewsOf: number };

/**
 * The requests of crawl and reconcile: full batches of what only they tell in between the pages, or after all of them,
 * and at the end what is left and what the crawl did not show.
 * @param known listings in the database before the run, with nothing fresh of them or of their shops
 */
export function* requestsFor(
  world: World,
  pages: Iterable<Uint32Array>,
  known: ReadonlySet<number>,
  order: 'in turn' | 'pages first' = 'in turn',
): Generator<Request, void, undefined> {
  const { made, shop: shopOf } = world.listings;
  const seen = new Set<number>();
  const wanted: number[] = [];
  const shops = new Set<number>();
  for (const page of pages) {
    yield { page };
    const since = Array.from(page).filter(
      (listing) => madeSince2000(made.get(listing)) && !seen.has(listing),
    );
    for (const listing of since) {
      seen.add(listing);
      if (known.has(listing)) continue;
      wanted.push(listing);
      shops.add(shopOf.get(listing));
    }
    // The shops of what is wanted come along; of each other shop that is due one listing is asked for.
    for (const listing of since) {
      if (shops.has(shopOf.get(listing))) continue;
      shops.add(shopOf.get(listing));
      wanted.push(listing);
    }
    while (order === 'in turn' && wanted.length >= BATCH) yield { batch: wanted.splice(0, BATCH) };
  }
  for (const listing of known) if (!seen.has(listing)) wanted.push(listing);
  for (let at = 0; at < wanted.length; at += BATCH) yield { batch: wanted.slice(at, at + BATCH) };
}

/** Requests for the reviews of one shop, by the pass that the stage makes. @param count not in yet, over `days` */
export function reviewRequests(count: number, days: number, now: number): number {
  let current = wholePass(now);
  let below = count;
  for (let requests = 1; ; requests += 1) {
    const rows = Math.max(0, Math.min(PAGE, below - current.offset));
    // Spread evenly over the days; only the oldest of a page that ends a window matters.
    const rank = count - below + current.offset + rows;
    const oldest = rows > 0 ? now - Math.floor((rank / count) * days * 86_400) : undefined;
    const following = advancePass(current, { rows, count: below, fresh: rows, oldest });
    if (!following.next) return requests;
    if (current.offset === MAX_OFFSET) below -= MAX_OFFSET + PAGE;
    current = following.next;
  }
}
