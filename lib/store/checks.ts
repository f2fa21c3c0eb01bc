import type { Sql } from './database.ts';
import type { ImageState } from './images.ts';

/** What the database holds of one entry that was made since the year of the rules. */
export interface RecordState {
  readonly listing_id: number;
  /** Null: no static row. */
  readonly listing: number | null;
  /** State of the newest dynamic row; null: no row, or a row without one. */
  readonly state: string | null;
  readonly dynamics: number;
  readonly shop_id: number | null;
  readonly shop: number | null;
  readonly shop_dynamics: number;
  readonly image: ImageState | null;
}

/** In the order of listing ids, from the first above `after`. */
export function recordStates(
  sql: Sql,
  after: number,
  madeSince: number,
  limit: number,
): Promise<RecordState[]> {
  return sql.all<RecordState>(
    `SELECT m.listing_id, l.listing_id AS listing, l.shop_id, s.shop_id AS shop, i.state AS image,
       (SELECT d.state FROM listings_dynamic AS d WHERE d.listing_id = m.listing_id
        ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1) AS state,
       EXISTS (SELECT 1 FROM listings_dynamic AS d WHERE d.listing_id = m.listing_id) AS dynamics,
       EXISTS (SELECT 1 FROM shops_dynamic AS d WHERE d.shop_id = l.shop_id) AS shop_dynamics
     FROM meta_data AS m
     LEFT JOIN listings AS l ON l.listing_id = m.listing_id
     LEFT JOIN shops AS s ON s.shop_id = l.shop_id
     LEFT JOIN images AS i ON i.listing_id = m.listing_id
     WHERE m.listing_id > ? AND m.earliest_year >= ? ORDER BY m.listing_id LIMIT ?`,
    [after, madeSince, limit],
  );
}

export interface ListingBrief {
  readonly listing_id: number;
  readonly shop_id: number;
  readonly when_made: string | null;
}

export function listingsWithoutEntry(sql: Sql): Promise<ListingBrief[]> {
  return sql.all<ListingBrief>(
    `SELECT listing_id, shop_id, when_made FROM listings AS l
     WHERE NOT EXISTS (SELECT 1 FROM meta_data WHERE listing_id = l.listing_id)`,
  );
}

/** Words of when_made in the listings, with how many carry each. */
export function whenMadeWords(sql: Sql): Promise<{ word: string | null; n: number }[]> {
  return sql.all('SELECT when_made AS word, count(*) AS n FROM listings GROUP BY when_made');
}

export interface ImageOnRecord {
  readonly listing_id: number;
  readonly bytes: number | null;
  readonly modified_ms: number | null;
  readonly sha256: string | null;
}

/** Images that should lie on disk, in the order of listing ids, from the first above `after`. */
export function imagesOnRecord(sql: Sql, after: number, limit: number): Promise<ImageOnRecord[]> {
  return sql.all<ImageOnRecord>(
    `SELECT listing_id, bytes, modified_ms, sha256 FROM images
     WHERE state = 'done' AND listing_id > ? ORDER BY listing_id LIMIT ?`,
    [after, limit],
  );
}

/** Of `listingIds`, those without an entry in meta_data. */
export async function withoutEntry(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    'SELECT r.value AS id FROM json_each(?) AS r WHERE NOT EXISTS (SELECT 1 FROM meta_data WHERE listing_id = r.value)',
    [JSON.stringify(listingIds)],
  );
  return rows.map((row) => row.id);
}

/** Shops of listings that have no static or no dynamic row. */
export async function shopsLacking(sql: Sql): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT DISTINCT l.shop_id AS id FROM listings AS l
     WHERE NOT EXISTS (SELECT 1 FROM shops WHERE shop_id = l.shop_id)
        OR NOT EXISTS (SELECT 1 FROM shops_dynamic WHERE shop_id = l.shop_id)`,
  );
  return rows.map((row) => row.id);
}
