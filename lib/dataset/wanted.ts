import type { Sql, Tx } from '../store/database.ts';
import { ids } from '../store/rows.ts';

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
  return ids(
    tx,
    'SELECT r.value AS id FROM json_each(:ids) AS r WHERE NOT EXISTS (SELECT 1 FROM wanted WHERE shop_id = r.value)',
    { ':ids': JSON.stringify(shopIds) },
  );
}

export async function dropWanted(tx: Tx, listingIds: readonly number[]): Promise<void> {
  await tx.run('DELETE FROM wanted WHERE listing_id IN (SELECT value FROM json_each(?))', [
    JSON.stringify(listingIds),
  ]);
}

export interface NextWanted {
  readonly ids: number[];
  /** Some were missing in an earlier answer. */
  readonly again: boolean;
}

/** The oldest ids first, without those of `except` (already in flight, or refused). */
export async function nextWanted(sql: Sql, limit: number, except: ReadonlySet<number>): Promise<NextWanted> {
  const row = await sql.get<{ ids: string; misses: number | null }>(
    `SELECT json_group_array(id) AS ids, max(misses) AS misses FROM (
       SELECT listing_id AS id, misses FROM wanted
       WHERE listing_id NOT IN (SELECT value FROM json_each(?)) ORDER BY rowid LIMIT ?)`,
    [JSON.stringify([...except]), limit],
  );
  return { ids: JSON.parse(row?.ids ?? '[]') as number[], again: (row?.misses ?? 0) > 0 };
}

/** In how many answers of this run each was missing; those that were in none are left out. */
export async function missesOf(sql: Sql, listingIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await sql.all<{ id: number; misses: number }>(
    `SELECT listing_id AS id, misses FROM wanted WHERE listing_id IN (SELECT value FROM json_each(?)) AND misses > 0`,
    [JSON.stringify(listingIds)],
  );
  return new Map(rows.map(({ id, misses }) => [id, misses]));
}

/** To be asked for once more: an answer did not name them. */
export async function wantAgain(
  tx: Tx,
  missed: readonly { readonly id: number; readonly misses: number }[],
): Promise<void> {
  if (missed.length === 0) return;
  await tx.run(
    `INSERT INTO wanted (listing_id, misses) SELECT r.value ->> 0, r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE true ON CONFLICT (listing_id) DO UPDATE SET misses = excluded.misses`,
    [JSON.stringify(missed.map(({ id, misses }) => [id, misses]))],
  );
}
