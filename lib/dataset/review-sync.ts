import type { Sql, Tx } from '../store/database.ts';

/** Where the reviews of one shop stand. */
export interface ReviewState {
  readonly shop_id: number;
  /** Epoch seconds: when its last complete pass began; null: none yet. */
  readonly started_at: number | null;
  /** JSON of a pass that was interrupted; null: none. */
  readonly pass: string | null;
  /** Reviews of the past year, by the shop's newest figures; null: not said. */
  readonly review_count: number | null;
}

/** A shop whose reviews Etsy refuses is asked for again in a later run, and not before its time. Written for `:run`, `:now`. */
const REFUSED = `SELECT shop_id FROM set_aside WHERE settled_at IS NULL AND retry_at IS NOT NULL
  AND endpoint = 'shops/' || shop_id || '/reviews' AND (run_id = :run OR retry_at > :now)`;

/**
 * Ids of shops not completely synced since `staleBefore` (epoch s), and of those of which an earlier run than `runId`
 * had to set a review aside or could not read as many as Etsy counts; without those whose reviews were refused. First those under way, then those whose figures have changed since their last pass (they
 * surely have news); of either the longest ago, and of those never read the largest sellers: they have most to tell.
 */
export async function shopsDue(sql: Sql, runId: number, staleBefore: number, now: number): Promise<number[]> {
  // One text: a row each would be the largest thing in memory.
  const row = await sql.get<{ ids: string }>(
    `SELECT json_group_array(s.shop_id ORDER BY r.pass IS NULL,
       (d.review_count IS r.review_count AND d.review_average IS r.review_average
        AND d.transaction_sold_count IS r.transaction_sold_count),
       coalesce(r.completed_at, 0),
       d.transaction_sold_count - coalesce(r.transaction_sold_count, 0) DESC, s.shop_id) AS ids
     FROM shops AS s
     LEFT JOIN review_sync AS r ON r.shop_id = s.shop_id
     LEFT JOIN shops_dynamic AS d ON d.id = (
       SELECT id FROM shops_dynamic WHERE shop_id = s.shop_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
     WHERE (r.completed_at IS NULL OR r.completed_at < :staleBefore OR r.pass IS NOT NULL OR r.short_run < :run
       OR s.shop_id IN (
         SELECT shop_id FROM set_aside
         WHERE settled_at IS NULL AND run_id < :run AND endpoint = 'shops/' || shop_id || '/reviews'))
       AND s.shop_id NOT IN (${REFUSED})`,
    { ':staleBefore': staleBefore, ':run': runId, ':now': now },
  );
  return JSON.parse(row?.ids ?? '[]') as number[];
}

/** In the order of `shopIds`. */
export function reviewStates(sql: Sql, shopIds: readonly number[]): Promise<ReviewState[]> {
  return sql.all<ReviewState>(
    `SELECT ids.value AS shop_id, r.started_at, r.pass, (
       SELECT d.review_count FROM shops_dynamic AS d WHERE d.shop_id = ids.value
       ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1) AS review_count
     FROM json_each(?) AS ids LEFT JOIN review_sync AS r ON r.shop_id = ids.value ORDER BY ids.key`,
    [JSON.stringify(shopIds)],
  );
}

export async function savePass(tx: Tx, shopId: number, pass: unknown): Promise<void> {
  await tx.run(
    'INSERT INTO review_sync (shop_id, pass) VALUES (?, ?) ON CONFLICT (shop_id) DO UPDATE SET pass = excluded.pass',
    [shopId, JSON.stringify(pass)],
  );
}

/** Of the keys of a page's reviews, how many the pass under way has not shown before. */
export async function unseenInPass(sql: Sql, shopId: number, keys: readonly string[]): Promise<number> {
  const row = await sql.get<{ n: number }>(
    `SELECT count(DISTINCT r.value) AS n FROM json_each(?) AS r
     WHERE NOT EXISTS (SELECT 1 FROM review_pass_seen WHERE shop_id = ? AND review = r.value)`,
    [JSON.stringify(keys), shopId],
  );
  return row?.n ?? 0;
}

export async function seenInPass(tx: Tx, shopId: number, keys: readonly string[]): Promise<void> {
  await tx.run(
    'INSERT OR IGNORE INTO review_pass_seen (shop_id, review) SELECT ?, r.value FROM json_each(?) AS r',
    [shopId, JSON.stringify(keys)],
  );
}

export interface PassEnd {
  /** When the pass began, epoch seconds; null: the watermark stays, for the pass did not show everything. */
  readonly startedAt: number | null;
  readonly completedAt: number;
  /** The run, where fewer reviews could be read than Etsy counts. */
  readonly shortRun: number | null;
}

/** The watermark moves here and nowhere else: when every page of the shop is in. */
export async function completePass(
  tx: Tx,
  shopId: number,
  { startedAt, completedAt, shortRun }: PassEnd,
): Promise<void> {
  await tx.run(
    `INSERT INTO review_sync
       (shop_id, started_at, completed_at, short_run, review_count, review_average, transaction_sold_count)
     SELECT ids.shop_id, ?, ?, ?, d.review_count, d.review_average, d.transaction_sold_count
     FROM (SELECT ? AS shop_id) AS ids LEFT JOIN shops_dynamic AS d ON d.id = (
       SELECT id FROM shops_dynamic WHERE shop_id = ids.shop_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
     WHERE true ON CONFLICT (shop_id) DO UPDATE SET
       started_at = coalesce(excluded.started_at, started_at), completed_at = excluded.completed_at,
       short_run = excluded.short_run, review_count = excluded.review_count,
       review_average = excluded.review_average, transaction_sold_count = excluded.transaction_sold_count, pass = NULL`,
    [startedAt, completedAt, shortRun, shopId],
  );
  await tx.run('DELETE FROM review_pass_seen WHERE shop_id = ?', [shopId]);
}
