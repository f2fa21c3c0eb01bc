import type { Sql, Tx } from './database.ts';

export interface ShopDue {
  readonly shop_id: number;
  /** Epoch seconds: when its last complete pass began; null: none yet. */
  readonly started_at: number | null;
  /** JSON of a pass that was interrupted; null: none. */
  readonly pass: string | null;
}

/**
 * Shops not completely synced since `staleBefore` (epoch s), and those of which an earlier run than `runId` had to set
 * a review aside. First those under way, then those whose figures have
 * changed since their last pass (they surely have news), then the longest ago.
 */
export function shopsDue(sql: Sql, runId: number, staleBefore: number): Promise<ShopDue[]> {
  return sql.all<ShopDue>(
    `SELECT s.shop_id, r.started_at, r.pass FROM shops AS s
     LEFT JOIN review_sync AS r ON r.shop_id = s.shop_id
     LEFT JOIN shops_dynamic AS d ON d.id = (
       SELECT id FROM shops_dynamic WHERE shop_id = s.shop_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
     WHERE r.completed_at IS NULL OR r.completed_at < ? OR r.pass IS NOT NULL OR s.shop_id IN (
       SELECT shop_id FROM set_aside
       WHERE settled_at IS NULL AND run_id < ? AND endpoint = 'shops/' || shop_id || '/reviews')
     ORDER BY r.pass IS NULL,
       (d.review_count IS r.review_count AND d.review_average IS r.review_average
        AND d.transaction_sold_count IS r.transaction_sold_count),
       coalesce(r.completed_at, 0), s.shop_id`,
    [staleBefore, runId],
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
