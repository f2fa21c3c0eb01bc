import { latest } from '../text/to-come.ts';
import type { FreshSpan } from './due.ts';
import type { Sql, Tx } from '../store/database.ts';
import { changedIds, ids, insertFrom, rowsJson } from '../store/rows.ts';
import { addWords } from './words.ts';

const STATIC = [
  'listing_id',
  'snapshot_timestamp',
  'shop_id',
  'title',
  'description',
  'creation_timestamp',
  'url',
  'is_customizable',
  'is_personalizable',
  'listing_type',
  'tags',
  'materials',
  'processing_min',
  'processing_max',
  'who_made',
  'when_made',
  'item_weight',
  'item_weight_unit',
  'item_length',
  'item_width',
  'item_height',
  'item_dimensions_unit',
  'should_auto_renew',
  'language',
  'price_amount',
  'price_divisor',
  'price_currency',
  'taxonomy_id',
  'production_partners',
] as const;

const DYNAMIC = [
  'listing_id',
  'snapshot_timestamp',
  'state',
  'ending_timestamp',
  'quantity',
  'num_favorers',
  'views',
  'price_amount',
  'price_divisor',
  'price_currency',
] as const;

/** One listing as both tables store it; see README for the columns and their units. */
export type ListingRow = Readonly<Record<(typeof STATIC)[number] | (typeof DYNAMIC)[number], unknown>> & {
  readonly listing_id: number;
};

/**
 * A listing is due when its newest dynamic row is older than what is fresh, or says that it was gone.
 * Written for a row `r` with the listing's id.
 */
const DUE = `coalesce((
  SELECT iif(d.state IS 'removed', 0, d.snapshot_timestamp) FROM listings_dynamic AS d
  WHERE d.listing_id = r.value ->> 0 AND d.snapshot_timestamp <= :until
  ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1), 0) < :since`;

/** Adds the static rows that are not there yet. @returns the ids that are new */
export async function addListings(tx: Tx, rows: readonly ListingRow[]): Promise<number[]> {
  return addNew(tx, rows, await gapsOf(tx, rows, Number.MAX_SAFE_INTEGER));
}

/**
 * Static rows keep what was read first. Fields that are empty there take what a later answer says, if the row was first
 * read at `since` (epoch s) or later: one odd answer is not to leave a listing without its title for good.
 */
export async function addOrFillListings(tx: Tx, rows: readonly ListingRow[], since: number): Promise<void> {
  const gaps = await gapsOf(tx, rows, since);
  await addNew(tx, rows, gaps);
  await fill(
    tx,
    rows.filter((row) => {
      const empty = gaps.get(row.listing_id) ?? 0;
      return MAY_BE_EMPTY.some((name, bit) => (empty & (1 << bit)) !== 0 && (row[name] ?? null) !== null);
    }),
  );
}

/** What a first answer may have left empty, because it did not fit: from the title on. */
const MAY_BE_EMPTY = STATIC.slice(3);

/**
 * Which fields are empty, a bit each, of those of `rows` that are in the table: to hand over the texts of all would cost
 * more. Rows first read before `since` (epoch s) count as full.
 */
async function gapsOf(tx: Tx, rows: readonly ListingRow[], since: number): Promise<Map<number, number>> {
  if (rows.length === 0) return new Map();
  const found = await tx.get<{ gaps: string }>(
    `SELECT json_group_object(listing_id, iif(snapshot_timestamp >= :since,
       ${MAY_BE_EMPTY.map((name, bit) => `((${name} IS NULL) << ${bit})`).join(' | ')}, 0)) AS gaps
     FROM listings WHERE listing_id IN (SELECT value FROM json_each(:ids))`,
    { ':ids': JSON.stringify(rows.map((row) => row.listing_id)), ':since': since },
  );
  const gaps = JSON.parse(found?.gaps ?? '{}') as Record<string, number>;
  return new Map(Object.entries(gaps).map(([id, empty]) => [Number(id), empty]));
}

async function addNew(
  tx: Tx,
  rows: readonly ListingRow[],
  known: ReadonlyMap<number, unknown>,
): Promise<number[]> {
  const added = rows.filter((row) => !known.has(row.listing_id));
  if (added.length === 0) return [];
  await tx.run(insertFrom('listings', STATIC), { ':rows': rowsJson(STATIC, added) });
  const ids = added.map((row) => row.listing_id);
  await addWords(tx, ids);
  return ids;
}

async function fill(tx: Tx, rows: readonly ListingRow[]): Promise<void> {
  if (rows.length === 0) return;
  const filled = await changedIds(
    tx,
    `UPDATE listings SET ${MAY_BE_EMPTY.map((name) => `${name} = coalesce(listings.${name}, ${read(name)})`).join(', ')}
     FROM jsonb_each(:rows) AS r
     WHERE listings.listing_id = r.value ->> 0
       AND (${MAY_BE_EMPTY.map((name) => `listings.${name} IS NULL AND ${read(name)} IS NOT NULL`).join(' OR ')})
     RETURNING listings.listing_id AS id`,
    { ':rows': rowsJson(STATIC, rows) },
  );
  await addWords(tx, filled);
}

/** Appends a dynamic row to each listing that is due. @returns their ids */
export function addListingsDynamic(tx: Tx, rows: readonly ListingRow[], fresh: FreshSpan): Promise<number[]> {
  return changedIds(
    tx,
    `${insertFrom('listings_dynamic', DYNAMIC)} WHERE ${DUE} RETURNING listing_id AS id`,
    {
      ':rows': rowsJson(DYNAMIC, rows),
      ':since': fresh.since,
      ':until': fresh.until,
    },
  );
}

/** Of `listingIds`, those that are due. */
export async function dueListings(
  sql: Sql,
  listingIds: readonly number[],
  fresh: FreshSpan,
): Promise<number[]> {
  if (listingIds.length === 0) return [];
  return ids(sql, `SELECT r.value ->> 0 AS id FROM jsonb_each(:rows) AS r WHERE ${DUE}`, {
    ':rows': JSON.stringify(listingIds.map((id) => [id])),
    ':since': fresh.since,
    ':until': fresh.until,
  });
}

/** Of `listingIds`, those that have a static row. */
export async function storedListings(sql: Sql, listingIds: readonly number[]): Promise<Set<number>> {
  if (listingIds.length === 0) return new Set();
  return new Set(
    await ids(
      sql,
      'SELECT listing_id AS id FROM listings WHERE listing_id IN (SELECT value FROM json_each(:ids))',
      { ':ids': JSON.stringify(listingIds) },
    ),
  );
}

function read(name: (typeof STATIC)[number]): string {
  return `r.value ->> ${STATIC.indexOf(name)}`;
}

/** Search pages may lack it; the batch has it. */
export async function fillProductionPartners(tx: Tx, rows: readonly ListingRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `UPDATE listings SET production_partners = r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE listings.listing_id = r.value ->> 0 AND listings.production_partners IS NULL`,
    [
      JSON.stringify(
        rows
          .filter((row) => row.production_partners !== null)
          .map((row) => [row.listing_id, row.production_partners]),
      ),
    ],
  );
}

/**
 * Etsy no longer shows them: a dynamic row with state `removed` and no figures, unless the newest says so already and is fresh.
 * @returns the ids that got one
 */
export async function markRemoved(
  tx: Tx,
  listingIds: readonly number[],
  now: number,
  fresh: FreshSpan,
): Promise<number[]> {
  if (listingIds.length === 0) return [];
  return changedIds(
    tx,
    `INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state)
     SELECT r.value, :now, 'removed' FROM json_each(:ids) AS r WHERE coalesce((
       SELECT iif(d.state IS 'removed', d.snapshot_timestamp, 0) FROM listings_dynamic AS d
       WHERE d.listing_id = r.value AND d.snapshot_timestamp <= :until
       ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1), 0) < :since
     RETURNING listing_id AS id`,
    { ':ids': JSON.stringify(listingIds), ':now': now, ':since': fresh.since, ':until': fresh.until },
  );
}

/** A listing that was on offer when it was last read, which was lately: none of `except`, and `skip` newer ones left out. */
export async function lastOnOffer(
  sql: Sql,
  except: ReadonlySet<number>,
  skip: number,
): Promise<number | undefined> {
  const rows = await sql.all<{ id: number }>(
    `SELECT DISTINCT listing_id AS id FROM (
       SELECT listing_id FROM listings_dynamic WHERE state = 'active' AND snapshot_timestamp > 0
       ORDER BY snapshot_timestamp DESC LIMIT ?)`,
    [except.size + skip + 1],
  );
  const others = rows.filter(({ id }) => !except.has(id));
  return others[Math.min(skip, others.length - 1)]?.id;
}

/** Of `listingIds`, those whose newest row says that they were removed. */
export function goneListings(sql: Sql, listingIds: readonly number[], now: number): Promise<number[]> {
  return removedListings(sql, listingIds, now, 0);
}

/** Of listings that have just got a row, those that were removed before it. */
export async function backListings(sql: Sql, listingIds: readonly number[], now: number): Promise<number[]> {
  return listingIds.length === 0 ? [] : removedListings(sql, listingIds, now, 1);
}

/** @param skip so many of the newest rows are passed over */
function removedListings(
  sql: Sql,
  listingIds: readonly number[],
  now: number,
  skip: number,
): Promise<number[]> {
  return ids(
    sql,
    `SELECT r.value AS id FROM json_each(:ids) AS r WHERE (
       SELECT d.state FROM listings_dynamic AS d WHERE d.listing_id = r.value AND d.snapshot_timestamp <= :until
       ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1 OFFSET :skip) = 'removed'`,
    { ':ids': JSON.stringify(listingIds), ':until': latest(now), ':skip': skip },
  );
}
