import { latest } from '../text/to-come.ts';
import { classify } from './when-made.ts';
import type { Sql } from '../store/database.ts';
import { countFindings } from './findings.ts';
import { countImages } from './images.ts';
import { reviewsChanged } from './reviews.ts';
import { countSetAside } from './set-aside.ts';

/**
 * What a run has changed so far, all its starts together, and what there is after it. Printed by the summary, and kept
 * as JSON in `starts.counts` for the history: a name in here is not changed.
 */
export interface Tally {
  /** `refreshed`: a dynamic row more. `gone`: Etsy no longer shows them. */
  readonly listings: { readonly new: number; readonly refreshed: number; readonly gone: number };
  /** Entries of meta_data, and how many of them have no rows because of what their when_made says. */
  readonly entries: number;
  readonly before: number;
  readonly uncertain: number;
  readonly unrecognised: number;
  readonly shops: { readonly new: number; readonly refreshed: number };
  /** `changed`: text or rating, by their buyers; not counted in runs of earlier versions. */
  readonly reviews: { readonly new: number; readonly changed?: number };
  /** As they stand, whichever run they are of. `waiting`: those of which it is still to be asked which they are, too. */
  readonly images: Readonly<Record<'done' | 'failed' | 'missing' | 'waiting' | 'none', number>>;
  readonly findings: { readonly open: number; readonly repaired: number };
  readonly setAside: { readonly met: number; readonly open: number };
}

/** @param run `startedAt` in epoch milliseconds */
export async function tally(
  sql: Sql,
  run: { readonly id: number; readonly startedAt: number },
  madeSince: number,
): Promise<Tally> {
  const since = Math.floor(run.startedAt / 1000);
  const until = latest(Date.now() / 1000);
  const rows = async (text: string): Promise<number> =>
    (await sql.get<{ n: number }>(text, [since, until]))?.n ?? 0;

  const listings = await rows('SELECT count(*) AS n FROM listings WHERE snapshot_timestamp BETWEEN ? AND ?');
  const states = await rows(
    'SELECT count(*) AS n FROM listings_dynamic WHERE snapshot_timestamp BETWEEN ? AND ?',
  );
  const gone = await rows(
    "SELECT count(*) AS n FROM listings_dynamic WHERE snapshot_timestamp BETWEEN ? AND ? AND state = 'removed'",
  );
  const shops = await rows('SELECT count(*) AS n FROM shops WHERE snapshot_timestamp BETWEEN ? AND ?');
  const shopStates = await rows(
    'SELECT count(*) AS n FROM shops_dynamic WHERE snapshot_timestamp BETWEEN ? AND ?',
  );
  const reviews = await rows('SELECT count(*) AS n FROM reviews WHERE snapshot_timestamp BETWEEN ? AND ?');
  const { unknown, waiting, ...images } = await countImages(sql);
  const findings = await countFindings(sql, run.id);
  return {
    listings: { new: listings, refreshed: Math.max(0, states - gone - listings), gone },
    ...(await entries(sql, madeSince)),
    shops: { new: shops, refreshed: Math.max(0, shopStates - shops) },
    reviews: { new: reviews, changed: await reviewsChanged(sql, run.id) },
    images: { ...images, waiting: waiting + unknown },
    findings: {
      open: findings.reduce((sum, kind) => sum + kind.open, 0),
      repaired: findings.reduce((sum, kind) => sum + kind.repaired, 0),
    },
    setAside: await countSetAside(sql, run.id),
  };
}

export type Entries = Pick<Tally, 'entries' | 'before' | 'uncertain' | 'unrecognised'>;

/** Grouped below as an index of year and word has them, so that nothing is sorted. */
const WORDS =
  "SELECT iif(json_type(value) = 'object', value ->> 'when_made', NULL) AS word, count(*) AS n FROM meta_data";

/** Entries, and those without rows, by what their when_made says. */
export async function entries(sql: Sql, madeSince: number): Promise<Entries> {
  const all = await sql.get<{ n: number }>('SELECT count(*) AS n FROM meta_data');
  const words = await sql.all<{ word: string | null; n: number }>(
    `${WORDS} WHERE earliest_year IS NULL GROUP BY earliest_year, word
     UNION ALL ${WORDS} WHERE earliest_year < ? GROUP BY earliest_year, word`,
    [madeSince],
  );
  const counts = { before: 0, uncertain: 0, unrecognised: 0, since: 0 };
  for (const { word, n } of words) counts[classify(word, madeSince)] += n;
  const { before, uncertain, unrecognised } = counts;
  return { entries: all?.n ?? 0, before, uncertain, unrecognised };
}
