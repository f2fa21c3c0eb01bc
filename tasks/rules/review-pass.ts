import { z } from 'zod';
import { MAX_OFFSET } from '../../lib/etsy/api.ts';
import { PAGE } from '../../lib/limits.ts';
import type { ReviewQuery } from '../../lib/etsy/api.ts';
import { DAY_S, WEEK_S } from '../../lib/time.ts';

/** Etsy shows some reviews days late: a pass goes back this far before the last complete one began. Seconds. */
export const OVERLAP = WEEK_S;
/** The earliest time Etsy takes, 2000-01-01 UTC. Epoch seconds. */
export const EARLIEST = 946_684_800;

const YEAR = 365 * DAY_S;

/** How far the pages of one shop are read, newest first. Plain data: it is kept with the shop until the pass is complete. */
export const pass = z.object({
  /** Epoch seconds: the next pass goes back to OVERLAP before this one began. */
  startedAt: z.int(),
  /** The page with a review from before that time is the last one needed; left out: all are. Epoch seconds. */
  until: z.int().optional(),
  /** Of passes that an earlier version began: it asked for nothing older. */
  minCreated: z.int().optional(),
  /** Of the older pages of a shop: no review is younger than that. Epoch seconds. */
  from: z.int().optional(),
  /** Where the window begins: at `from`, and once its offsets are used up at the oldest review seen. */
  maxCreated: z.int().optional(),
  offset: z.int(),
  /** A review on the way could not be used: the next pass asks for this window again. */
  spoiled: z.boolean().optional(),
  /** A new review came with a field that could not be read: the next run reads the shop again, once. */
  nameless: z.boolean().optional(),
  /** Reviews that were not stored before. */
  brought: z.int().default(0),
  /** Different reviews read so far. */
  read: z.int().default(0),
  /** The largest count that Etsy gave for all of the pass, and for the window that is read now. */
  largest: z.int().default(0),
  counted: z.int().default(0),
  /** A lower count that a second answer confirmed. */
  lower: z.int().optional(),
  /** The page contradicted what is known, so it is asked for a second time. */
  again: z.boolean().optional(),
  /** The first answer to it was full: there may be more, whatever the second says. */
  full: z.boolean().optional(),
  /** Empty pages in a row. */
  empty: z.int().optional(),
  /** All pages were read but not all reviews, so they are read once more. */
  second: z.boolean().optional(),
  /** Some page contradicted what is known. */
  odd: z.boolean().optional(),
});

export type Pass = z.infer<typeof pass>;

/** What a page says. */
export interface PageFacts {
  readonly rows: number;
  /** Of the window, as Etsy counts; undefined: the offset is past its end. */
  readonly count: number | undefined;
  /** Reviews in it that the pass had not shown before. */
  readonly fresh: number;
  /** Of these, those that were not stored. */
  readonly brought?: number;
  /** Epoch seconds: when the oldest review in it was created. */
  readonly oldest: number | undefined;
  /** On the first page, how many the window must hold at least by what is on record. */
  readonly known?: number;
  /** Reviews of the shop that are stored, those of the page included, and older ones that are still to be read. */
  readonly accounted?: number;
}

/** The pass after a page; or, after its last one, how many reviews of those that Etsy counts it did not show. */
export type Advance =
  | { readonly next: Pass }
  | {
      readonly next: undefined;
      readonly missing: number;
      /** Different reviews that it did show, and how many of them were not stored. */
      readonly read: number;
      readonly brought: number;
      /** Some page contradicted what is known. */
      readonly odd: boolean;
      /** It stopped at `until`: reviews before `than` (epoch s) are still to be read, as many as `left`. */
      readonly older?: { readonly than: number; readonly left: number } | undefined;
    };

const nothing = { offset: 0, brought: 0, read: 0, largest: 0, counted: 0 };

/** All pages of a shop. @param now epoch seconds */
export function wholePass(now: number): Pass {
  return { startedAt: now, ...nothing };
}

/**
 * The newest pages, without a lower end in the query: the page that passes it costs nothing more, and shows what was
 * edited, or came late.
 * @param lastStartedAt when the last complete pass began; undefined: there was none, and the pages of a year are read
 */
export function newestPass(now: number, lastStartedAt: number | undefined): Pass {
  const until = lastStartedAt === undefined ? now - YEAR : lastStartedAt - OVERLAP;
  return { startedAt: now, until: Math.max(EARLIEST, until), ...nothing };
}

/** What the first visit has left. @param than epoch seconds of the oldest review that is read */
export function olderPass(now: number, than: number): Pass {
  return { startedAt: now, from: than, maxCreated: than, ...nothing };
}

export function queryOf({ offset, minCreated, maxCreated }: Pass): ReviewQuery {
  return { offset, minCreated, maxCreated };
}

/**
 * One answer alone ends nothing: a page that is empty or short, repeats another or counts less than an earlier one is
 * asked for again, and a pass is over only when it has shown as many different reviews as the largest count in it, or
 * when its pages, read a second time, still do not.
 */
export function advancePass(current: Pass, page: PageFacts): Advance {
  const { again, full, ...rest } = current;
  const isFull = page.rows >= PAGE || full === true;
  const counted = Math.max(current.counted, page.count ?? 0);
  const isFirstWindow = current.maxCreated === current.from;
  const largest = isFirstWindow ? Math.max(current.largest, counted) : current.largest;
  const at: Pass = {
    ...rest,
    counted,
    largest,
    read: current.read + page.fresh,
    brought: current.brought + (page.brought ?? 0),
  };
  const isAllRead = at.read >= largest;
  if (current.second && isAllRead) return over(at);

  if (contradicts(current, page)) {
    at.odd = true;
    // Second answers are believed; so is all of a second reading.
    if (!again && !current.second)
      return { next: { ...at, again: true, ...(isFull && page.fresh > 0 && { full: true }) } };
    if (page.count !== undefined && page.count < counted) at.lower = page.count;
  }

  const isBackFarEnough = at.until !== undefined && page.oldest !== undefined && page.oldest < at.until;
  // Fewer than Etsy counts: something is missing that is further back than it should be.
  if (isBackFarEnough && (page.accounted ?? largest) < largest) delete at.until;
  else if (isBackFarEnough)
    return over({ ...at, largest: 0 }, { than: page.oldest ?? 0, left: largest - at.read });

  at.empty = page.rows === 0 ? (current.empty ?? 0) + 1 : 0;
  const offset = current.offset + PAGE;
  // A full page is never taken for the last one, whatever the count says.
  const goesOn = at.empty < 2 && (offset < counted || isFull);
  if (goesOn && offset <= MAX_OFFSET) return { next: { ...at, offset } };
  // More than 12,100 reviews within one second cannot be separated by time; the window continues before it.
  const maxCreated = page.oldest === current.maxCreated ? (page.oldest ?? 0) - 1 : page.oldest;
  if (goesOn && maxCreated !== undefined && maxCreated >= (current.minCreated ?? EARLIEST))
    return { next: { ...newWindow(at), maxCreated } };

  const isOnePage = isFirstWindow && current.offset === 0;
  if (isAllRead || current.second || isOnePage) return over(at);
  return { next: { ...newWindow(at), second: true } };
}

function over(
  { largest, read, brought, odd = false }: Pass,
  older?: { than: number; left: number },
): Advance {
  return { next: undefined, missing: Math.max(0, largest - read), read, brought, odd, older };
}

/** Whether an answer does not fit what is known, so that it should not be believed at once. */
function contradicts(current: Pass, { rows, count, fresh, known = 0 }: PageFacts): boolean {
  const { offset, counted, lower = counted } = current;
  const expected = Math.min(PAGE, Math.max(counted, count ?? 0) - offset);
  if (rows < expected) return true;
  // Past the end: that is contradicted by what was expected only.
  if (count === undefined) return false;
  const isRepeated = rows > 0 && fresh === 0 && current.maxCreated === current.from && !current.second;
  return count < lower || count < known || count < offset + rows || isRepeated;
}

function newWindow({ maxCreated: _, lower: __, ...at }: Pass): Pass {
  const window = { ...at, offset: 0, counted: 0, empty: 0 };
  return at.from === undefined ? window : { ...window, maxCreated: at.from };
}
