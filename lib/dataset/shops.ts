import type { FreshSpan } from './due.ts';
import type { Sql, Tx } from '../store/database.ts';
import { ids, insertFrom, rowsJson } from '../store/rows.ts';

const STATIC = [
  'shop_id',
  'snapshot_timestamp',
  'create_date',
  'url',
  'is_shop_us_based',
  'shipping_from_country_iso',
  'shop_location_country_iso',
] as const;

const DYNAMIC = [
  'shop_id',
  'snapshot_timestamp',
  'update_date',
  'listing_active_count',
  'accepts_custom_requests',
  'num_favorers',
  'transaction_sold_count',
  'review_average',
  'review_count',
] as const;

export type ShopRow = Readonly<Record<(typeof STATIC)[number] | (typeof DYNAMIC)[number], unknown>> & {
  readonly shop_id: number;
};

/** Written for a row `r` with the shop's id. A shop without a static row has no dynamic row either. */
const DUE = `NOT EXISTS (
  SELECT 1 FROM shops_dynamic AS d
  WHERE d.shop_id = r.value ->> 0 AND d.snapshot_timestamp BETWEEN :since AND :until)`;

const MAY_BE_EMPTY = STATIC.slice(2);

/**
 * Adds the static rows that are missing, and a dynamic row to each shop without a fresh one.
 * @param gapsSince epoch seconds: empty fields of static rows first read since then take what this answer says
 */
export async function addShops(
  tx: Tx,
  rows: readonly ShopRow[],
  fresh: FreshSpan,
  gapsSince: number = fresh.since,
): Promise<void> {
  const filled = MAY_BE_EMPTY.map((name) => `${name} = coalesce(shops.${name}, excluded.${name})`);
  const gaps = MAY_BE_EMPTY.map((name) => `shops.${name} IS NULL AND excluded.${name} IS NOT NULL`);
  await tx.run(
    `${insertFrom('shops', STATIC)} WHERE true ON CONFLICT (shop_id) DO UPDATE SET ${filled.join(', ')}
     WHERE shops.snapshot_timestamp >= :since AND (${gaps.join(' OR ')})`,
    { ':rows': rowsJson(STATIC, rows), ':since': gapsSince },
  );
  await tx.run(`${insertFrom('shops_dynamic', DYNAMIC)} WHERE ${DUE}`, {
    ':rows': rowsJson(DYNAMIC, rows),
    ':since': fresh.since,
    ':until': fresh.until,
  });
}

/** Of `shopIds`, those without a static row or with no fresh dynamic row. */
export function dueShops(sql: Sql, shopIds: readonly number[], fresh: FreshSpan): Promise<number[]> {
  return ids(
    sql,
    `SELECT r.value ->> 0 AS id FROM jsonb_each(:rows) AS r
     WHERE ${DUE} OR NOT EXISTS (SELECT 1 FROM shops AS s WHERE s.shop_id = r.value ->> 0)`,
    { ':rows': JSON.stringify(shopIds.map((id) => [id])), ':since': fresh.since, ':until': fresh.until },
  );
}
