import { PAGE } from '../limits.ts';
import { DAY_S } from '../time.ts';

/** Shops count the reviews of so many seconds. */
export const YEAR = 365 * DAY_S;

/** Shops unread for longer are read whatever their figures say: first of all, after those with news, last of all. Seconds. */
const FORGOTTEN = 182 * DAY_S;
const QUIET = 91 * DAY_S;
/** What was counted and never listed may be a count that was wrong once: after so long it is looked at again. Seconds. */
const DOUBTFUL = 28 * DAY_S;
const SILENT = 364 * DAY_S;

/** Of a hundred sales so many are reviewed, as a first guess; reviews older than a year are worth a third. */
const REVIEWED = 0.2;
const WORTH_OF_OLD = 1 / 3;
/** Guesses for a shop whose figures are null: reviews in all for each in the past year, and reviews in all. */
const ALL_PER_YEAR = 3;
const ALL_UNKNOWN = 20;
/** Reviews that may be missing from a count of any size. */
const FEW = 2;
/** A review that was edited is worth less than any new one. */
const WORTH_OF_EDIT = 0.5;

/** What is stored about a shop. Times are epoch seconds; null: not known. */
export interface ShopFacts {
  /** Of its newest dynamic row: when it was written, and what it says. */
  readonly at: number | null;
  /** Reviews of the past year, as Etsy counts them. */
  readonly counted: number | null;
  readonly average: number | null;
  readonly sold: number | null;
  /** Reviews stored that were written in the year before `at`. */
  readonly have: number;
  /** The watermark: when the last pass that found everything began. */
  readonly startedAt: number | null;
  /** When the last pass ended. */
  readonly completedAt: number | null;
  /** The figures of the row that was the newest then. */
  readonly countedThen: number | null;
  readonly averageThen: number | null;
  readonly soldThen: number | null;
  /** `counted - have` that no pass can make up for. */
  readonly drift: number;
  /** Reviews older than what has been read so far; 0: all are in. */
  readonly olderLeft: number;
  /** The newest pages were being read when a run stopped. */
  readonly isUnderWay: boolean;
  /** Something of its last pass could not be used. */
  readonly isSpoilt: boolean;
}

/** Epoch seconds. */
export interface Moment {
  readonly now: number;
  /** When the run began: what it has read is not read again. */
  readonly runStartedAt: number;
  /** A shop without a row since then was in neither of the last two runs: it is closed, or sells nothing any more. */
  readonly seenSince: number;
}

/** @param refreshAfter seconds: a row younger than that is not written again, so runs in between do not count */
export function momentOf(
  now: number,
  run: { readonly startedAt: number; readonly previousStartedAt: number | undefined },
  refreshAfter: number,
): Moment {
  const seenSince = Math.min(run.previousStartedAt ?? 0, now - 2 * refreshAfter);
  return { now, runStartedAt: run.startedAt, seenSince };
}

/** What a visit reads: the newest pages of a shop never read, what is new since the watermark, the older pages. */
export type VisitKind = 'first' | 'news' | 'older';

/** A lower tier comes first; within it the higher value, then the earlier `since`. */
export interface Visit {
  readonly kind: VisitKind;
  readonly tier: number;
  /** Reviews expected per request. */
  readonly value: number;
  /** That it takes, as far as the figures tell. */
  readonly requests: number;
  /** When the shop was last read, epoch seconds; 0: never. */
  readonly since: number;
}

export const TIERS = { underWay: 0, forgotten: 1, byValue: 2, quiet: 3, silent: 4 } as const;

export function compareVisits(a: Visit, b: Visit): number {
  return a.tier - b.tier || b.value - a.value || a.since - b.since;
}

/**
 * The visits that a shop is due: none, one, or the newest and the older pages.
 *
 * Etsy counts the reviews of the past year with each shop, so what is new shows without a request: those counted less
 * those stored of the same year. An unchanged count hides one that came while another fell out of the year; this does not.
 */
export function visitsDue(shop: ShopFacts, moment: Moment): Visit[] {
  const newest = newestVisit(shop, moment);
  const older = olderVisit(shop);
  return [...(newest ? [newest] : []), ...(older ? [older] : [])];
}

function newestVisit(shop: ShopFacts, { now, runStartedAt, seenSince }: Moment): Visit | undefined {
  const { startedAt, completedAt, counted, sold, at } = shop;
  const kind = startedAt === null ? 'first' : 'news';
  const since = completedAt ?? 0;
  const missing = startedAt === null ? (counted ?? 0) : expectedNews(shop, now);
  const requests = Math.max(1, Math.ceil(missing / PAGE));
  const visit = (tier: keyof typeof TIERS, value = 0): Visit => ({
    kind,
    tier: TIERS[tier],
    value,
    requests,
    since,
  });
  if (shop.isUnderWay) return visit('underWay');
  if (completedAt !== null && completedAt >= runStartedAt) return undefined;
  if (shop.isSpoilt) return visit('byValue', Math.max(WORTH_OF_EDIT, Math.min(missing, PAGE)));
  const unread = now - since;
  const isSilent = at !== null && ((sold === 0 && (counted ?? 0) === 0) || at < seenSince);
  if (isSilent) return unread > SILENT ? visit('silent') : undefined;
  if (startedAt === null) return visit('byValue', valueOfFirst(shop, requests));
  if (unread > FORGOTTEN) return visit('forgotten');
  if (missing >= 1) return visit('byValue', Math.min(missing, PAGE));
  const isDoubtful = isContradicted(shop) || (unread > DOUBTFUL && isHiddenByDrift(shop));
  if (isEdited(shop) || isDoubtful) return visit('byValue', WORTH_OF_EDIT);
  return unread > QUIET ? visit('quiet') : undefined;
}

function olderVisit({ startedAt, olderLeft, completedAt }: ShopFacts): Visit | undefined {
  if (startedAt === null || olderLeft <= 0) return undefined;
  const value = Math.min(PAGE, olderLeft) * WORTH_OF_OLD;
  const requests = Math.ceil(olderLeft / PAGE);
  return { kind: 'older', tier: TIERS.byValue, value, requests, since: completedAt ?? 0 };
}

/** New reviews since the watermark: as the shop's figures tell, and at its pace where they tell nothing. */
export function expectedNews(shop: ShopFacts, now: number): number {
  const { at, counted, have, drift, startedAt, completedAt, sold, soldThen } = shop;
  const atItsPace = (since: number): number => (have / YEAR) * Math.max(0, now - since);
  const read = startedAt ?? now;
  // Figures from before the last pass say nothing of the time after it.
  if (at === null || (completedAt !== null && at <= completedAt)) return atItsPace(read) / 2;
  if (counted !== null) return counted - have - drift + atItsPace(at);
  if (sold === null || soldThen === null) return atItsPace(read);
  return (REVIEWED * Math.max(0, sold - soldThen) + atItsPace(read)) / 2;
}

/**
 * Reviews that a first visit brings per request. It reads the newest pages, until one reaches back past a year; what
 * of them is older is worth less.
 */
function valueOfFirst({ counted, sold }: ShopFacts, requests: number): number {
  const ofYear = counted ?? 0;
  const all =
    sold !== null
      ? Math.max(ofYear, REVIEWED * sold)
      : counted !== null
        ? ALL_PER_YEAR * counted
        : ALL_UNKNOWN;
  const old = Math.min(PAGE * requests, all) - ofYear;
  return (ofYear + Math.max(0, old) * WORTH_OF_OLD) / requests;
}

/** Etsy counts more than is stored, which the last pass could not find. */
function isHiddenByDrift({ counted, have, drift }: ShopFacts): boolean {
  return drift > 0 && counted !== null && counted - have >= 1;
}

/** The average has changed and the count has not: a buyer gave other stars. */
function isEdited({ at, completedAt, counted, countedThen, average, averageThen }: ShopFacts): boolean {
  if (at === null || (completedAt !== null && at <= completedAt)) return false;
  return counted !== null && counted === countedThen && average !== averageThen;
}

/** Etsy deletes a few reviews, but not half of a year's: figures that say so do not tell whether there is news. */
function isContradicted({ at, completedAt, counted, have }: ShopFacts): boolean {
  if (at === null || (completedAt !== null && at <= completedAt)) return false;
  return counted !== null && counted < have / 2 && have - counted > FEW;
}

/**
 * What of `counted - have` to take for Etsy's count differing from what it lists. A count that includes what is never
 * listed costs one visit in vain, not one with every row.
 * @param have stored after the pass
 */
export function driftAfter(counted: number | null, have: number, before: number, brought: number): number {
  if (counted === null) return before;
  return brought === 0 ? counted - have : Math.min(0, counted - have);
}
