import { z } from 'zod';
import { MAX_OFFSET } from '../../lib/etsy/api.ts';
import { PAGE } from '../../lib/limits.ts';

/** Rows that one query can reach: the last page begins at the largest offset. */
export const REACH = MAX_OFFSET + PAGE;
const PAGES = REACH / PAGE;
/** Page numbers from here on count from the oldest listing. */
export const FIRST_FROM_THE_END = PAGES;
/** Parts are cut this large where there is a choice: a little below the reach, for counts move while one reads. */
const AIM = 10_000;
/** A slice is cut into so many at once, at most: a sample of 100 prices says no more. */
const MOST_PARTS = 4;
/** Pages without a row after which a slice is at its end, whatever its count says. */
const MOST_EMPTY = 2;
/** Cuts of one category: with all of Furniture it takes 200. A count that is never small enough ends there. */
export const MOST_CUTS = 1000;
/** In cents. No furniture costs more; above it a slice is not cut any further. */
const CEILING = 100_000_000_000;

/** A price range, in whole cents, both ends inclusive; high -1: no upper end. Plain data: it is part of the cursor. */
export const slice = z.object({
  low: z.int(),
  high: z.int(),
  /** What Etsy counted; -1: not asked yet. */
  count: z.int(),
  /** All pages before this one are done… */
  done: z.int(),
  /** …and these after it. */
  ahead: z.array(z.int()),
  /** Pages that came without a row, although the count says that there are more. */
  empty: z.int().optional(),
  /** Etsy does not turn the order round: what the newest-first pages cannot reach cannot be had. */
  oneWay: z.boolean().optional(),
});

export type Slice = z.infer<typeof slice>;

export interface PageRequest {
  readonly slice: Slice;
  /** From 0 on, newest first; from PAGES on, the oldest first, for what the first reach cannot. */
  readonly page: number;
}

/** Where a page's rows are in Etsy's terms. */
export function placeOf(page: number): { offset: number; order: 'desc' | 'asc' } {
  return page < PAGES
    ? { offset: page * PAGE, order: 'desc' }
    : { offset: (page - PAGES) * PAGE, order: 'asc' };
}

export function wholeRange(): Slice {
  return { low: 0, high: -1, count: -1, done: 0, ahead: [] };
}

/** Pages to ask of a slice: one until its count is known, two passes from both ends where one cannot reach all. */
export function pagesOf(slice: Slice): number {
  if (slice.count < 0) return 1;
  // A full page is not taken for the last one: the count may be no more than what it holds.
  const isFull = slice.count > 0 && slice.count < REACH && slice.count % PAGE === 0;
  const first = Math.max(1, Math.ceil(Math.min(slice.count, REACH) / PAGE)) + (isFull ? 1 : 0);
  const rest = slice.oneWay ? 0 : Math.ceil(Math.min(Math.max(0, slice.count - REACH), REACH) / PAGE);
  return first + rest;
}

/**
 * The next page to ask for that is not under way; undefined while none can be. A slice opens with its first page
 * alone, for its count decides the rest; so does its pass from the other end, which may turn out to show nothing new.
 */
export function nextPage(open: readonly Slice[], flying: ReadonlySet<string>): PageRequest | undefined {
  for (const slice of open) {
    const done = new Set(slice.ahead);
    const isDone = (page: number): boolean => page < slice.done || done.has(page);
    const last = slice.count < 0 ? 1 : isDone(PAGES) ? pagesOf(slice) : Math.min(pagesOf(slice), PAGES + 1);
    for (let page = slice.done; page < last; page += 1) {
      if (!isDone(page) && !flying.has(`${slice.low}-${slice.high} ${page}`)) return { slice, page };
    }
  }
  return undefined;
}

/**
 * The open slices with one page of `slice` done, and its slice cut where the count says that it is too large. A count
 * that pages contradict is not believed for ever: of a range whose first page is half empty nothing is cut off, and one
 * that has shown two pages without a row is at its end.
 *
 * @param more.rows of the page, usable or not. @param more.mayCut whether the category may be cut once more
 */
export function advance(
  open: readonly Slice[],
  request: PageRequest,
  count: number | undefined,
  sampleCents: readonly number[],
  nothingNew: boolean,
  { rows = PAGE, mayCut = true }: { readonly rows?: number; readonly mayCut?: boolean } = {},
): { readonly open: Slice[]; readonly split: boolean } {
  const index = open.findIndex(
    (slice) => slice.low === request.slice.low && slice.high === request.slice.high,
  );
  const slice = open[index];
  if (!slice) throw new Error('internal: a page of a slice that is not open');
  const counted = { ...slice, count: Math.max(slice.count, count ?? 0) };
  const isCut = mayCut && slice.count < 0 && counted.count > REACH && rows > PAGE / 2;
  const parts = isCut ? cut(counted, sampleCents) : undefined;
  // A pass from the other end that begins with known rows: Etsy did not turn the order round, so it leads nowhere new.
  const inVain = nothingNew && request.page === PAGES;
  const rest =
    parts ?? stillOpen(inVain ? { ...counted, oneWay: true } : markDone(counted, request.page, rows));
  return { open: [...open.slice(0, index), ...rest, ...open.slice(index + 1)], split: parts !== undefined };
}

/** What a page of the search shows, to be held against what is known. */
export interface PageShown {
  readonly rows: number;
  /** Different listings in it. */
  readonly distinct: number;
  /** The slice had shown every one of them before. */
  readonly isRepeat: boolean;
  /** Undefined: the offset is past the end. */
  readonly count: number | undefined;
  /** What the last run counted in the same range; undefined: it did not. */
  readonly before: number | undefined;
}

/** A live index moves while it is read: so many listings more or less contradict nothing. */
const SLACK = 10;

/**
 * Whether an answer is far from what is known, so that it is asked for once more before it is believed: a page that is
 * empty, short or repeats others, or a count far below that of another page or of the last run.
 */
export function contradicts({ slice, page }: PageRequest, shown: PageShown): boolean {
  const { rows, distinct, isRepeat, count, before = 0 } = shown;
  if (page >= PAGES) return false;
  const { offset } = placeOf(page);
  if (count !== undefined && isFarBelow(count, Math.max(slice.count, slice.count < 0 ? before : 0)))
    return true;
  // A whole category without a single listing.
  if (count === 0 && rows === 0 && slice.count < 0 && slice.low === 0 && slice.high < 0) return true;
  if (count !== undefined && count < offset + rows - SLACK) return true;
  const expected = Math.min(PAGE, Math.min(count ?? slice.count, REACH) - offset);
  if (distinct < expected - SLACK || (rows === 0 && expected > 0)) return true;
  return distinct > SLACK && isRepeat;
}

/** @param known undefined: nothing is */
export function isFarBelow(count: number, known: number | undefined): boolean {
  return known !== undefined && known >= 2 * SLACK && count * 2 < known;
}

function markDone(slice: Slice, page: number, rows: number): Slice {
  const empty = (slice.empty ?? 0) + (rows === 0 ? 1 : 0);
  const ahead = new Set([...slice.ahead, page]);
  let { done } = slice;
  while (ahead.delete(done)) done += 1;
  const isEmpty = empty > 0 ? { empty } : {};
  return { ...slice, done, ahead: [...ahead].toSorted((a, b) => a - b), ...isEmpty };
}

function stillOpen(slice: Slice): Slice[] {
  return slice.done >= pagesOf(slice) || (slice.empty ?? 0) >= MOST_EMPTY ? [] : [slice];
}

/**
 * Cuts a range into parts that touch and do not overlap. The sample only proposes where; whether a part fits is for
 * its own count to say. Undefined where nothing is left to cut: a single price.
 */
function cut(slice: Slice, sampleCents: readonly number[]): Slice[] | undefined {
  const { low, high } = slice;
  if (low === high || low >= CEILING) return undefined;
  const within = sampleCents
    .filter((cents) => cents >= low && (high < 0 || cents <= high))
    .toSorted((a, b) => a - b);
  const parts = Math.min(MOST_PARTS, Math.max(2, Math.ceil(slice.count / AIM)));
  const proposed = Array.from(
    { length: parts - 1 },
    (_, part) => within[Math.floor(((part + 1) * within.length) / parts)],
  );
  // The last cent of the range is no place to cut after; just before it is, and sets a crowded price apart.
  const ends = proposed.map((cents) =>
    cents === undefined ? middle(low, high) : Math.min(cents, lastCut(high)),
  );
  const places = [...new Set(ends.map((end) => Math.max(low, end)))].toSorted((a, b) => a - b);
  const starts = [low, ...places.map((end) => end + 1)];
  return starts.map((start, part) => ({
    low: start,
    high: places[part] ?? high,
    count: -1,
    done: 0,
    ahead: [],
  }));
}

function lastCut(high: number): number {
  return high < 0 ? CEILING : high - 1;
}

/** Halfway by ratio, as prices spread. */
function middle(low: number, high: number): number {
  if (high < 0) return Math.max(20_000, low * 4);
  return Math.min(high - 1, Math.floor(Math.sqrt(Math.max(1, low) * high)));
}
