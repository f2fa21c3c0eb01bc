import type { Sql, Tx } from '../store/database.ts';

/** A price range of one taxonomy's search, in cents, both ends inclusive; high -1: no upper end. */
export interface SliceRange {
  readonly low: number;
  readonly high: number;
}

/** @returns the slice's id, for marking entries */
export async function noteSlice(
  tx: Tx,
  runId: number,
  taxonomyId: number,
  range: SliceRange,
  counted: number,
): Promise<number> {
  const row = await tx.get<{ id: number }>(
    `INSERT INTO slices (run_id, taxonomy_id, low_cents, high_cents, counted) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (run_id, taxonomy_id, low_cents, high_cents) DO UPDATE SET counted = max(counted, excluded.counted)
     RETURNING id`,
    [runId, taxonomyId, range.low, range.high, counted],
  );
  return row?.id ?? 0;
}

/** @param split the range is too large to be read through and has been cut: its parts are slices of their own */
export async function advanceSlice(tx: Tx, id: number, seen: number, split: boolean): Promise<void> {
  await tx.run('UPDATE slices SET seen = seen + ?, split = max(split, ?) WHERE id = ?', [
    seen,
    split ? 1 : 0,
    id,
  ]);
}

/** The first slice id of a run: entries marked with it or a later one were seen since the run began. */
export async function firstSlice(sql: Sql, runId: number): Promise<number | undefined> {
  const row = await sql.get<{ id: number | null }>('SELECT min(id) AS id FROM slices WHERE run_id = ?', [
    runId,
  ]);
  return row?.id ?? undefined;
}

/** Of `listingIds`, those that the search has shown in this run. */
export async function shownInRun(
  sql: Sql,
  runId: number,
  listingIds: readonly number[],
): Promise<Set<number>> {
  const first = await firstSlice(sql, runId);
  if (first === undefined || listingIds.length === 0) return new Set();
  const rows = await sql.all<{ id: number }>(
    'SELECT listing_id AS id FROM meta_data WHERE listing_id IN (SELECT value FROM json_each(?)) AND seen_slice >= ?',
    [JSON.stringify(listingIds), first],
  );
  return new Set(rows.map(({ id }) => id));
}

export interface ShortSlice extends SliceRange {
  readonly taxonomy_id: number;
  readonly counted: number;
  readonly seen: number;
}

/**
 * Slices of which less was seen than Etsy counted. The whole range, where it was cut, is held against what its parts do
 * not tell themselves: a listing that none of them counts.
 */
export function shortSlices(sql: Sql, runId: number): Promise<ShortSlice[]> {
  return sql.all<ShortSlice>(
    `SELECT * FROM (
       SELECT taxonomy_id, low_cents AS low, high_cents AS high, counted, iif(split, (
         SELECT coalesce(sum(max(part.seen, part.counted)), 0) FROM slices AS part
         WHERE part.run_id = whole.run_id AND part.taxonomy_id = whole.taxonomy_id AND part.split = 0), seen) AS seen
       FROM slices AS whole WHERE run_id = ? AND (split = 0 OR (low_cents = 0 AND high_cents = -1)))
     WHERE seen < counted ORDER BY taxonomy_id, low`,
    [runId],
  );
}

/** Whether this slice has shown all of `listingIds` before; looks no further than the first that it has not. */
export async function allSeen(
  sql: Sql,
  runId: number,
  taxonomyId: number,
  range: SliceRange,
  listingIds: readonly number[],
): Promise<boolean> {
  const unseen = await sql.get(
    `SELECT 1 FROM json_each(?) AS r WHERE NOT EXISTS (
       SELECT 1 FROM meta_data WHERE listing_id = r.value AND seen_slice = (
         SELECT id FROM slices WHERE run_id = ? AND taxonomy_id = ? AND low_cents = ? AND high_cents = ?)) LIMIT 1`,
    [JSON.stringify(listingIds), runId, taxonomyId, range.low, range.high],
  );
  return unseen === undefined;
}

export interface CrawledSlice {
  readonly counted: number;
  /** 1: too large to be read through. */
  readonly split: number;
}

/** The slices of the last crawl of a taxonomy. @param before only in runs before this one */
export function crawledSlices(
  sql: Sql,
  taxonomyId: number,
  before: number | undefined,
): Promise<CrawledSlice[]> {
  return sql.all<CrawledSlice>(
    `SELECT counted, split FROM slices WHERE taxonomy_id = :taxonomy AND run_id = (
       SELECT max(run_id) FROM slices WHERE taxonomy_id = :taxonomy AND (:before IS NULL OR run_id < :before))`,
    { ':taxonomy': taxonomyId, ':before': before ?? null },
  );
}

/** What the last run before this one counted in a range; undefined where it did not read that range. */
export async function countedBefore(
  sql: Sql,
  runId: number,
  taxonomyId: number,
  range: SliceRange,
): Promise<number | undefined> {
  const row = await sql.get<{ counted: number }>(
    `SELECT counted FROM slices WHERE taxonomy_id = :taxonomy AND low_cents = :low AND high_cents = :high AND run_id = (
       SELECT max(run_id) FROM slices WHERE taxonomy_id = :taxonomy AND run_id < :run)`,
    { ':taxonomy': taxonomyId, ':low': range.low, ':high': range.high, ':run': runId },
  );
  return row?.counted;
}

/** The first slice id of the last run that crawled. @param before only of runs before this one */
export async function firstSliceOfLastCrawl(
  sql: Sql,
  before: number | undefined,
): Promise<number | undefined> {
  const row = await sql.get<{ run: number | null }>(
    'SELECT max(run_id) AS run FROM slices WHERE :before IS NULL OR run_id < :before',
    { ':before': before ?? null },
  );
  const run = row?.run ?? undefined;
  return run === undefined ? undefined : firstSlice(sql, run);
}

export interface Covered {
  readonly run_id: number;
  readonly taxonomy_id: number;
  readonly counted: number;
  readonly seen: number;
}

/**
 * What the newest crawl counted and saw of each of its categories. The whole range of one that was cut was only
 * sampled: what was seen of it is what was seen of its parts.
 */
export function readCovered(sql: Sql): Promise<Covered[]> {
  return sql.all<Covered>(
    `SELECT run_id, taxonomy_id, counted, iif(split, (
       SELECT coalesce(sum(part.seen), 0) FROM slices AS part
       WHERE part.run_id = whole.run_id AND part.taxonomy_id = whole.taxonomy_id AND part.split = 0), seen) AS seen
     FROM slices AS whole WHERE run_id = (SELECT max(run_id) FROM slices) AND low_cents = 0 AND high_cents = -1
     ORDER BY counted DESC, taxonomy_id`,
  );
}
