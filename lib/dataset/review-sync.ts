import type { Sql, Tx } from '../store/database.ts';

/** Where the reviews of one shop stand. */
export interface ReviewState {
  readonly shop_id: number;
  /** Epoch seconds: when its last complete pass began; null: none yet. */
  readonly started_at: number | null;
  /** JSON of a pass that was interrupted; null: none. */
  readonly pass: string | null;
}

/**
 * Ids of shops not completely synced since `staleBefore` (epoch s), and of those of which an earlier run than `runId`
 * had to set a review aside. First those under way, then those whose figures have changed since their last pass (they
 * surely have news); of either the longest ago, and of those never read the largest sellers: they have most to tell.
 */
export async function shopsDue(sql: Sql, runId: number, staleBefore: number): Promise<number[]> {
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
     WHERE r.completed_at IS NULL OR r.completed_at < ? OR r.pass IS NOT NULL OR s.shop_id IN (
       SELECT shop_id FROM set_aside
       WHERE settled_at IS NULL AND run_id < ? AND endpoint = 'shops/' || shop_id || '/reviews')`,
    [staleBefore, runId],
  );
  return JSON.parse(row?.ids ?? '[]') as number[];
}

/** In the order of `shopIds`. */
export function reviewStates(sql: Sql, shopIds: readonly number[]): Promise<ReviewState[]> {
  return sql.all<ReviewState>(
    `SELECT ids.value AS shop_id, r.started_at, r.pass FROM json_each(?) AS ids
     LEFT JOIN review_sync AS r ON r.shop_id = ids.value ORDER BY ids.key`,
    [JSON.stringify(shopIds)],
  );
}

export async function savePass(tx: Tx, shopId: number, pass: unknown): Promise<void> {
  await tx.run(
    'INSERT INTO review_sync (shop_id, pass) VALUES (?, ?) ON CONFLICT (shop_id) DO UPDATE SET pass = excluded.pass',
    [shopId, JSON.stringify(pass)],
  );
}

/**
 * The watermark moves here and nowhere else: when every page of the shop is in. Epoch seconds.
 * @param startedAt null: it stays where it is, for something of the pass could not be used
 */
export async function completePass(
  tx: Tx,
  shopId: number,
  startedAt: number | null,
  completedAt: number,
): Promise<void> {
  await tx.run(
    `INSERT INTO review_sync (shop_id, started_at, completed_at, review_count, review_average, transaction_sold_count)
     SELECT ids.shop_id, ?, ?, d.review_count, d.review_average, d.transaction_sold_count
     FROM (SELECT ? AS shop_id) AS ids LEFT JOIN shops_dynamic AS d ON d.id = (
       SELECT id FROM shops_dynamic WHERE shop_id = ids.shop_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
     WHERE true ON CONFLICT (shop_id) DO UPDATE SET
       started_at = coalesce(excluded.started_at, started_at),
       completed_at = excluded.completed_at, review_count = excluded.review_count,
       review_average = excluded.review_average, transaction_sold_count = excluded.transaction_sold_count, pass = NULL`,
    [startedAt, completedAt, shopId],
  );
}
