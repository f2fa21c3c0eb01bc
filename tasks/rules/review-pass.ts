import { z } from 'zod';
import { MAX_OFFSET, PAGE } from '../../lib/etsy/api.ts';
import type { ReviewQuery } from '../../lib/etsy/api.ts';

/** Etsy shows some reviews days late: a pass goes back this far before the last complete one began. Seconds. */
export const OVERLAP = 7 * 24 * 3600;
/** The earliest time Etsy takes, 2000-01-01 UTC. Epoch seconds. */
export const EARLIEST = 946_684_800;

/** How far the pages of one shop are read, newest first. Plain data: it is kept with the shop until the pass is complete. */
export const pass = z.object({
  /** Epoch seconds: the next pass goes back to OVERLAP before this one began. */
  startedAt: z.int(),
  minCreated: z.int(),
  /** Set once the offsets of a first window are used up: the window goes on from the oldest review seen. */
  maxCreated: z.int().optional(),
  offset: z.int(),
  /** A review on the way could not be used: the next pass asks for this window again. */
  spoiled: z.boolean().optional(),
});

export type Pass = z.infer<typeof pass>;

/** @param lastStartedAt when the last complete pass began; undefined: there was none */
export function newPass(now: number, lastStartedAt: number | undefined): Pass {
  const minCreated = lastStartedAt === undefined ? EARLIEST : Math.max(EARLIEST, lastStartedAt - OVERLAP);
  return { startedAt: now, minCreated, offset: 0 };
}

export function queryOf({ offset, minCreated, maxCreated }: Pass): ReviewQuery {
  return { offset, minCreated, maxCreated };
}

/**
 * The pass after a page; undefined when that was the last one.
 * @param page rows in it, the count Etsy gives for the window, and the oldest review's time where there is one
 */
export function advancePass(
  current: Pass,
  page: { readonly rows: number; readonly count: number; readonly oldest: number | undefined },
): Pass | undefined {
  const offset = current.offset + PAGE;
  if (page.rows === 0 || offset >= page.count) return undefined;
  if (offset <= MAX_OFFSET) return { ...current, offset };
  const { oldest } = page;
  if (oldest === undefined) return undefined;
  // More than 12,100 reviews within one second cannot be told apart by time; the window goes on before it.
  const maxCreated = oldest === current.maxCreated ? oldest - 1 : oldest;
  return maxCreated < current.minCreated ? undefined : { ...current, offset: 0, maxCreated };
}
