import type { Sql, Tx } from '../store/database.ts';

/** A listing to ask for in the next batch. Any listing of a shop brings its shop along. */
export interface Wanted {
  readonly listingId: number;
  readonly shopId: number | null;
}

export async function want(tx: Tx, wanted: readonly Wanted[]): Promise<void> {
  if (wanted.length === 0) return;
  await tx.run(
    `INSERT INTO wanted (listing_id, shop_id) SELECT r.value ->> 0, r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE true ON CONFLICT (listing_id) DO NOTHING`,
    [JSON.stringify(wanted.map((one) => [one.listingId, one.shopId]))],
  );
}

/** Of `shopIds`, those that no wanted listing will bring along. */
export async function unwantedShops(tx: Sql, shopIds: readonly number[]): Promise<number[]> {
  if (shopIds.length === 0) return [];
  const rows = await tx.all<{ id: number }>(
    'SELECT r.value AS id FROM json_each(?) AS r WHERE NOT EXISTS (SELECT 1 FROM wanted WHERE shop_id = r.value)',
    [JSON.stringify(shopIds)],
  );
  return rows.map((row) => row.id);
}

export async function dropWanted(tx: Tx, listingIds: readonly number[]): Promise<void> {
  await tx.run('DELETE FROM wanted WHERE listing_id IN (SELECT value FROM json_each(?))', [
    JSON.stringify(listingIds),
  ]);
}

/** The oldest ids first, without those of `except` (on their way already). */
export async function nextWanted(sql: Sql, limit: number, except: ReadonlySet<number>): Promise<number[]> {
  const rows = await sql.all<{ id: number }>('SELECT listing_id AS id FROM wanted ORDER BY rowid LIMIT ?', [
    limit + except.size,
  ]);
  return rows
    .map((row) => row.id)
    .filter((id) => !except.has(id))
    .slice(0, limit);
}
