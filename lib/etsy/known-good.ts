import type { Sql } from '../store/database.ts';
import type { Query } from './exchange.ts';

/**
 * A request to the endpoint of `path` that Etsy answered before, in whichever start: it shows whether the endpoint is
 * out of order, or only what was asked of it. Undefined where none is known.
 */
export async function knownGood(sql: Sql, path: string): Promise<{ path: string; query: Query } | undefined> {
  const [area, id, of] = path.split('/');
  if (path === 'listings/active') return { path, query: { limit: 1 } };
  if (path === 'listings/batch') {
    const known = await sql.get<{ id: number }>(
      "SELECT listing_id AS id FROM listings_dynamic WHERE state = 'active' ORDER BY snapshot_timestamp DESC LIMIT 1",
    );
    return known && { path, query: { listing_ids: known.id } };
  }
  if (area !== 'shops') return undefined;
  const known = await sql.get<{ id: number }>(
    of === 'reviews'
      ? 'SELECT shop_id AS id FROM review_sync WHERE shop_id <> ? AND started_at IS NOT NULL LIMIT 1'
      : 'SELECT shop_id AS id FROM shops WHERE shop_id <> ? ORDER BY snapshot_timestamp DESC LIMIT 1',
    [Number(id)],
  );
  return known && { path: `shops/${known.id}${of === undefined ? '' : `/${of}`}`, query: {} };
}
