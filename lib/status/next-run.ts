import { withWaits } from '../screen/budget.ts';
import type { Sql } from '../store/database.ts';
import { listingsToRetry } from '../dataset/set-aside.ts';
import { crawledSlices, firstSliceOfLastCrawl } from '../dataset/slices.ts';
import { unseenDue } from '../dataset/due.ts';
import type { FreshSpan } from '../dataset/due.ts';
import { pagesLackViews } from '../dataset/standing.ts';
import type { ReviewPlan } from '../dataset/review-queue.ts';
import type { Tally } from '../dataset/tally.ts';
import { paceOf } from '../etsy/throttle.ts';
import { leastRequests, sumOf } from './requests.ts';
import type { NextRun, QuotaStatus, RunStatus, Sync } from './shape.ts';

export interface NextRunOptions {
  readonly sql: Sql;
  readonly rules: { readonly madeSince: number; readonly refreshAfter: number; readonly every?: number };
  readonly run: RunStatus | null;
  /** Rows written earlier are due. Epoch seconds. */
  readonly fresh: FreshSpan;
  /** Stages that crawl: their units are taxonomies. */
  readonly crawls: readonly string[];
  readonly counts: Tally;
  readonly due: Sync['due'];
  readonly reviews: ReviewPlan;
  readonly quota: QuotaStatus;
}

/**
 * The requests that the next start would make, by the rules that the stages plan by: a page for every 100 listings that
 * the last crawl counted, a batch for every 100 listings that only a batch tells of, and for reviews as
 * lib/dataset/review-order.ts has it. What is new on Etsy since is not known and comes on top; in the rest of a run it is taken to go on as it did.
 */
export async function nextRun(options: NextRunOptions): Promise<NextRun> {
  const { sql, rules, run, fresh, counts, due } = options;
  const rest = run !== null && run.finishedAt === null;
  const crawl = await crawlLeft(options, rest);
  const news = rest && crawl.read > 0 ? crawl.left / crawl.read : 0;
  const unread = rest ? crawl.left / Math.max(1, crawl.left + crawl.read) : 1;

  const first = await firstSliceOfLastCrawl(sql, rest && crawl.left > 0 ? (run?.id ?? 0) : undefined);
  const isAsked = first !== undefined && due.listings > 0;
  const unseen = isAsked ? await unseenDue(sql, rules.madeSince, first, fresh) : 0;
  const waiting = (await sql.get<{ n: number }>('SELECT count(*) AS n FROM wanted'))?.n ?? 0;
  const again = (await listingsToRetry(sql, rest ? (run?.id ?? 0) : Number.MAX_SAFE_INTEGER)).length;
  // Where pages lack the views, every listing that is due is asked for, and brings its shop along.
  const known = (await pagesLackViews(sql)) ? Math.max(due.listings - unseen, due.shops) : due.shops;

  const parts = options.reviews.requests;
  const forReviews =
    parts.first + parts.news + parts.older + parts.unread + Math.round(counts.shops.new * news);
  const listings = leastRequests({
    slices: crawl.slices,
    cut: crawl.cut,
    batch: waiting + again + unseen + Math.round(counts.listings.new * news) + Math.round(known * unread),
    reviews: [],
  });
  const requests = sumOf(listings.pages, listings.batches, forReviews);
  return {
    of: rest ? 'rest' : 'whole',
    ...requests,
    beginsAt: beginsAt(options),
    reviewParts: parts,
    days: daysOf({ listings: listings.pages + listings.batches, ...parts }, options.quota),
    uncounted: crawl.uncounted,
    seconds: Math.ceil(secondsFor(requests.total, options.quota)),
  };
}

function daysOf(
  requests: Readonly<Record<'listings' | keyof ReviewPlan['requests'], number>>,
  { perDay }: QuotaStatus,
): NextRun['days'] {
  if (perDay === null || perDay === 0) return null;
  const days = (n: number): number => Math.round((100 * n) / perDay) / 100;
  const { listings, first, news, older, unread } = requests;
  return {
    listings: days(listings),
    first: days(first),
    news: days(news),
    older: days(older),
    unread: days(unread),
  };
}

function beginsAt({ run, rules: { every } }: NextRunOptions): string | null {
  if (every === undefined || run === null || run.finishedAt === null || run.onlyStage !== null) return null;
  return new Date(Date.parse(run.startedAt) + every * 1000).toISOString();
}

interface CrawlLeft {
  /** Listings of each price range that is still to be read, and ranges to be cut. */
  readonly slices: readonly number[];
  readonly cut: number;
  readonly uncounted: readonly number[];
  /** Listings read in this run, and those left. */
  readonly read: number;
  readonly left: number;
}

async function crawlLeft({ sql, run, crawls }: NextRunOptions, rest: boolean): Promise<CrawlLeft> {
  const slices: number[] = [];
  const uncounted: number[] = [];
  let [cut, read] = [0, 0];
  const units = run?.stages.filter(({ id }) => crawls.includes(id)).flatMap((stage) => stage.units) ?? [];
  for (const unit of units) {
    const taxonomy = Number(unit.id);
    if (rest && unit.state !== 'to come' && unit.done !== null && unit.total !== null) {
      read += unit.done;
      if (unit.state === 'begun') slices.push(unit.total - unit.done);
      continue;
    }
    const last = await crawledSlices(sql, taxonomy, rest ? (run?.id ?? 0) : undefined);
    if (last.length === 0) uncounted.push(taxonomy);
    slices.push(...last.filter((slice) => slice.split === 0).map((slice) => slice.counted));
    cut += last.filter((slice) => slice.split !== 0).length;
  }
  return { slices, cut, uncounted, read, left: slices.reduce((sum, count) => sum + count, 0) };
}

/** At the pace of the throttle, or of the day's quota where that is slower. */
function secondsFor(requests: number, { perSecond, perDay, used }: QuotaStatus): number {
  const atOnce = requests / paceOf(perSecond);
  if (perDay === null) return atOnce;
  return withWaits(atOnce * 1000, requests, Math.max(0, perDay - used), perDay) / 1000;
}
