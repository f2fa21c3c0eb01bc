import type { Sql } from '../store/database.ts';
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

/** The entries made since `madeSince` (year) among the next `limit` above listing id `after`. */
export interface Stretch {
  readonly after: number;
  readonly madeSince: number;
  readonly limit: number;
}

/** How far a stretch reaches, and how many entries it has; undefined past the last. */
export async function endOfStretch(
  sql: Sql,
  { after, madeSince, limit }: Stretch,
): Promise<{ last: number; entries: number } | undefined> {
  const row = await sql.get<{ last: number | null; entries: number }>(
    `SELECT max(listing_id) AS last, count(*) AS entries FROM (
       SELECT listing_id FROM meta_data WHERE listing_id > ? AND earliest_year >= ? ORDER BY listing_id LIMIT ?)`,
    [after, madeSince, limit],
  );
  const last = row?.last ?? undefined;
  return row && last !== undefined ? { last, entries: row.entries } : undefined;
}

/** Of the entries above `after` and up to `last`, those that lack a row or an image; in the order of listing ids. */
export function lackingRecords(
  sql: Sql,
  { after, madeSince }: Stretch,
  last: number,
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
     WHERE m.listing_id > :after AND m.listing_id <= :last AND m.earliest_year >= :madeSince
       AND (s.shop_id IS NULL OR i.state IS NULL OR i.state = 'unknown' OR NOT dynamics OR NOT shop_dynamics)
     ORDER BY m.listing_id`,
    { ':after': after, ':last': last, ':madeSince': madeSince },
  );
}

/** An entry that names no image although the database knows it. */
export interface Nameless {
  readonly listing_id: number;
  /** The entry, as JSON text. */
  readonly value: string;
  readonly image_id: number;
  readonly url: string;
}

/** Of the entries above `after` and up to `last`: an older file put back, say. 9999999999 marks a failed download. */
export function namelessEntries(sql: Sql, { after, madeSince }: Stretch, last: number): Promise<Nameless[]> {
  return sql.all<Nameless>(
    `SELECT m.listing_id, m.value, i.image_id, i.url FROM meta_data AS m JOIN images AS i ON i.listing_id = m.listing_id
     WHERE m.listing_id > :after AND m.listing_id <= :last AND m.earliest_year >= :madeSince
       AND i.state IN ('done', 'waiting') AND i.image_id IS NOT NULL AND i.url IS NOT NULL
       AND coalesce(m.value ->> 'image_id', 9999999999) = 9999999999
       AND json_type(m.value) = 'object' AND json_type(m.value, '$.images') IS NULL
     ORDER BY m.listing_id`,
    { ':after': after, ':last': last, ':madeSince': madeSince },
  );
}

export interface ListingBrief {
  readonly listing_id: number;
  readonly shop_id: number;
  readonly when_made: string | null;
}

export function listingsWithoutEntry(sql: Sql): Promise<ListingBrief[]> {
  // Looked for in an index that has the ids in order: the rows are wide, and hardly ever is one of them wanted.
  return sql.all<ListingBrief>(
    `SELECT listing_id, shop_id, when_made FROM listings WHERE listing_id IN (
       SELECT listing_id FROM listings AS l INDEXED BY listings_when_made
       WHERE NOT EXISTS (SELECT 1 FROM meta_data WHERE listing_id = l.listing_id))`,
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

/** Images that should be on disk, in the order of listing ids, from the first above `after`. */
export function imagesOnRecord(sql: Sql, after: number, limit: number): Promise<ImageOnRecord[]> {
  return sql.all<ImageOnRecord>(
    `SELECT listing_id, bytes, modified_ms, sha256 FROM images
     WHERE state = 'done' AND listing_id > ? ORDER BY listing_id LIMIT ?`,
    [after, limit],
  );
}

/** Of `listingIds`, those of which the database says that there is no image, or knows of none. */
export async function withoutImageOnRecord(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT listing_id AS id FROM images
     WHERE listing_id IN (SELECT value FROM json_each(?)) AND state IN ('none', 'unknown')`,
    [JSON.stringify(listingIds)],
  );
  return rows.map((row) => row.id);
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
