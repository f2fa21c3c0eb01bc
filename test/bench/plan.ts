import { OVERLAP } from '../../tasks/rules/review-pass.ts';
import { advance } from '../marketplace/change.ts';
import { settle } from '../marketplace/options.ts';
import { createRandom } from '../marketplace/random.ts';
import { seedWorld } from '../marketplace/seed.ts';
import { withDescendants } from '../marketplace/taxonomy.ts';
import { madeSince2000 } from '../marketplace/when-made.ts';
import type { World } from '../marketplace/world.ts';
import { leastRequests, sumOf } from '../../lib/status/requests.ts';
import type { Requests } from '../../lib/status/requests.ts';
import { ORDERS, sharesAfter, shopsOf, totalsOf } from './orders.ts';
import type { Job, Shares, Totals } from './orders.ts';
import { crawlOf, requestsFor, reviewRequests } from './paper.ts';
import type { Crawl } from './paper.ts';
import { DAYS, QUOTAS, linesOf } from './plan-table.ts';
import type { Weekly } from './plan-table.ts';
import type { Section } from './section.ts';

const FURNITURE = 967;
const WEEK = 7;
const OVERLAP_DAYS = OVERLAP / 86_400;

/**
 * What is not known of the real job and taken as it is here: reviews are spread so among shops (a typical shop has a
 * dozen, one of a hundred a thousand), and came in over so many days.
 */
const REVIEWS = { median: 12, deviation: 1.9, days: 6 * 365 };

/** The real job on paper: how many requests it takes, and how many days under a quota. */
export async function plan(listings = 1_200_000, shops = 150_000): Promise<Section> {
  const random = createRandom(7);
  const now = Date.UTC(2026, 7, 20);
  const world = seedWorld(settle({ now, categories: categories(listings), shops, reviews: { perShop: 0 } }));
  const reviews = Uint32Array.from({ length: shops }, () =>
    Math.floor(REVIEWS.median * Math.exp(REVIEWS.deviation * random.normal())),
  );
  const job: Job = {
    world,
    all: crawlOf(world, FURNITURE),
    categories: Object.keys(categories(listings)).map((id) => crawlOf(world, Number(id))),
    reviews,
    reviewRequests: reviews.map((count) => reviewRequests(count, REVIEWS.days, now / 1000)),
  };
  const synced = shopsOf(job, [job.all]);
  const known = sinceOf(world, job.all);
  const cold = sumOf(
    ...countRequests(world, job.all, new Set()),
    synced.reduce((sum, shop) => sum + (job.reviewRequests[shop] ?? 1), 0),
  );
  const coldLeast = leastRequests({
    slices: job.all.slices,
    batch: known.size,
    reviews: synced.map((shop) => reviews[shop] ?? 0),
  });
  const orders = sharesByOrder(job, totalsOf(job, known, synced));
  const { weekly, weeklyLeast } = aWeekLater(job, known, synced, random.poisson);
  const figures = {
    listings,
    kept: known.size,
    shops: synced.length,
    reviews: synced.reduce((sum, shop) => sum + (reviews[shop] ?? 0), 0),
    slices: job.all.slices.length,
    cold,
    coldLeast,
    weekly,
    weeklyLeast,
    orders,
  };
  return { title: 'Plan on paper', lines: linesOf(figures), figures };
}

/** By quota and order, after each of DAYS. */
function sharesByOrder(job: Job, totals: Totals): Record<number, Record<string, Shares[]>> {
  const marks = [...new Set(QUOTAS.flatMap((quota) => DAYS.map((day) => day * quota)))].toSorted(
    (a, b) => a - b,
  );
  const byOrder = Object.entries(ORDERS).map(([name, order]) => {
    const shares = sharesAfter(job, totals, order(job), marks);
    return [name, new Map(marks.map((mark, index) => [mark, shares[index]]))] as const;
  });
  const of = (quota: number): Record<string, Shares[]> =>
    Object.fromEntries(
      byOrder.map(([name, shares]) => [name, DAYS.flatMap((day) => shares.get(day * quota) ?? [])]),
    );
  return Object.fromEntries(QUOTAS.map((quota) => [quota, of(quota)]));
}

/** Sizes as categories have them: the tenth is a fifth of the first. */
function categories(listings: number): Record<number, { listings: number }> {
  const leaves = [...withDescendants(FURNITURE)].filter((id) => withDescendants(id).size === 1);
  const weights = leaves.map((_, rank) => 1 / (rank + 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Object.fromEntries(
    leaves.map((id, rank) => [id, { listings: Math.round((listings * (weights[rank] ?? 0)) / total) }]),
  );
}

function sinceOf(world: World, { pages }: Crawl): Set<number> {
  const { made } = world.listings;
  return new Set(
    pages.flatMap((page) => Array.from(page).filter((listing) => madeSince2000(made.get(listing)))),
  );
}

function countRequests(world: World, crawl: Crawl, known: ReadonlySet<number>): [number, number] {
  let [pages, batches] = [0, 0];
  for (const request of requestsFor(world, crawl.pages, known)) {
    if ('page' in request) pages += 1;
    else batches += 1;
  }
  return [pages, batches];
}

function aWeekLater(
  { world, reviews }: Job,
  known: ReadonlySet<number>,
  before: readonly number[],
  poisson: (mean: number) => number,
): { weekly: Weekly; weeklyLeast: Requests } {
  advance(world, WEEK);
  const crawl = crawlOf(world, FURNITURE);
  const listings = sinceOf(world, crawl);
  const { shop } = world.listings;
  const fresh = [...listings].filter((listing) => !known.has(listing));
  const withFresh = new Set(fresh.map((listing) => shop.get(listing)));
  const shown = shopsOf({ world }, [crawl]);
  const due = [...new Set([...before, ...shown])];
  // The shops' figures tell which have news; what the overlap shows again comes with the same pages.
  const ofLate = due.flatMap((one) => {
    const aDay = (reviews[one] ?? 0) / REVIEWS.days;
    const news = poisson(aDay * WEEK);
    return news > 0 ? [news + poisson(aDay * OVERLAP_DAYS)] : [];
  });
  const requests = ofLate.map((count) => reviewRequests(count, WEEK + OVERLAP_DAYS, world.clock.world()));
  const total = requests.reduce((sum, n) => sum + n, 0);
  return {
    weekly: {
      ...sumOf(...countRequests(world, crawl, known), total),
      shops: due.length,
      shopsWithNews: ofLate.length,
    },
    weeklyLeast: leastRequests({
      slices: crawl.slices,
      batch: fresh.length + shown.filter((one) => !withFresh.has(one)).length,
      reviews: ofLate,
    }),
  };
}
