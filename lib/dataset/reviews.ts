import type { Sql, Tx } from '../store/database.ts';
import { insertFrom, rowsJson } from '../store/rows.ts';

export interface ReviewRow {
  readonly shop_id: number;
  readonly listing_id: number;
  /** Null where Etsy left it out: then shop, listing, buyer, second and text tell one review from another. */
  readonly transaction_id: number | null;
  readonly buyer_user_id: number | null;
  readonly rating: number | null;
  readonly review: string | null;
  readonly language: string | null;
  /** Epoch seconds. */
  readonly create_timestamp: number;
  readonly snapshot_timestamp: number;
  /** The text was left out, or could not be read: what is stored of it stays. */
  readonly isTextless?: boolean;
}

const COLUMNS = [
  'snapshot_timestamp',
  'shop_id',
  'listing_id',
  'buyer_user_id',
  'rating',
  'review',
  'language',
  'create_timestamp',
  'transaction_id',
] as const;

interface EarlyRow {
  readonly id: number;
  readonly listing_id: number;
  readonly buyer_user_id: number | null;
  readonly rating: number | null;
  readonly review: string | null;
  readonly create_timestamp: number;
}

type Named = ReviewRow & { readonly transaction_id: number };

/**
 * Stores the reviews of one shop, each once: a review is known by its transaction_id, and without one by its shop,
 * listing, buyer, second and text. Where its buyer has changed text or rating since, the row is updated, and counted as
 * changed for the run; what an answer leaves out, or what could not be read of it, takes nothing from the row. Rows without a transaction_id (the early system kept none, and Etsy leaves it out at times) take
 * theirs as soon as it is known.
 */
export async function addReviews(
  tx: Tx,
  shopId: number,
  all: readonly ReviewRow[],
  runId: number,
): Promise<void> {
  const named = all.filter((row): row is Named => row.transaction_id !== null);
  const unnamed = all.filter((row) => row.transaction_id === null);
  if (named.length > 0) await addNamed(tx, { shopId, named, unnamed, runId });
  // Afterwards: what came with its id is known by then.
  if (unnamed.length > 0) await addUnnamed(tx, unnamed);
}

interface Page {
  readonly shopId: number;
  readonly named: readonly Named[];
  readonly unnamed: readonly ReviewRow[];
  readonly runId: number;
}

async function addNamed(tx: Tx, { shopId, named, unnamed, runId }: Page): Promise<void> {
  const times = named.map((row) => row.create_timestamp);
  const early = await tx.all<EarlyRow>(
    // Left to itself SQLite takes the index of transaction ids, and with it all rows that have none.
    `SELECT id, listing_id, buyer_user_id, rating, review, create_timestamp FROM reviews INDEXED BY reviews_unclaimed
     WHERE transaction_id IS NULL AND shop_id = ? AND create_timestamp BETWEEN ? AND ?`,
    [shopId, Math.min(...times), Math.max(...times)],
  );
  if (early.length > 0) await claim(tx, early, named, unnamed);
  await tx.run(FILL, { ':rows': rowsJson(COLUMNS, named) });
  const whole = named.filter((row) => !row.isTextless);
  const textless = named.filter((row) => row.isTextless);
  for (const [rows, set] of [
    [whole, UPDATED],
    [textless, KEPT],
  ] as const) {
    if (rows.length === 0) continue;
    const written = await tx.all<{ at: number | null }>(
      `${insertFrom('reviews', COLUMNS)} WHERE true ON CONFLICT (transaction_id) DO UPDATE SET ${set}
       RETURNING snapshot_timestamp AS at`,
      { ':rows': rowsJson(COLUMNS, rows) },
    );
    // A row that was there before keeps the time it was first read.
    const now = rows[0]?.snapshot_timestamp;
    await countChanged(tx, runId, written.filter(({ at }) => at !== now).length);
  }
}

/** A buyer may change rating and text, and take the text away. */
const UPDATED = updated('excluded.review');
const KEPT = updated('coalesce(excluded.review, reviews.review)');

function updated(review: string): string {
  return `rating = coalesce(excluded.rating, reviews.rating), review = ${review},
      language = coalesce(excluded.language, reviews.language)
    WHERE excluded.rating <> reviews.rating OR reviews.review IS NOT ${review}`;
}

/** The count is of one run; another run's replaces it. */
async function countChanged(tx: Tx, run: number, changed: number): Promise<void> {
  if (changed === 0) return;
  await tx.run(
    `INSERT INTO sync_state (key, value) VALUES ('reviews_changed', json_object('run', :run, 'n', :n))
     ON CONFLICT (key) DO UPDATE SET value = json_object('run', :run, 'n',
       :n + iif(value ->> 'run' = :run, value ->> 'n', 0))`,
    { ':run': run, ':n': changed },
  );
}

/** Reviews whose text or rating the run has found changed. */
export async function reviewsChanged(sql: Sql, run: number): Promise<number> {
  const row = await sql.get<{ n: number }>(
    "SELECT value ->> 'n' AS n FROM sync_state WHERE key = 'reviews_changed' AND value ->> 'run' = ?",
    [run],
  );
  return row?.n ?? 0;
}

const at = (column: (typeof COLUMNS)[number]): string => `r.value ->> ${COLUMNS.indexOf(column)}`;

/** What an earlier answer left empty is no change by the buyer. */
const MAY_BE_EMPTY = ['rating', 'language', 'buyer_user_id'] as const;
const FILL = `UPDATE reviews SET ${MAY_BE_EMPTY.map((name) => `${name} = coalesce(reviews.${name}, ${at(name)})`).join(', ')}
  FROM jsonb_each(:rows) AS r WHERE reviews.transaction_id = ${at('transaction_id')}
    AND (${MAY_BE_EMPTY.map((name) => `reviews.${name} IS NULL AND ${at(name)} IS NOT NULL`).join(' OR ')})`;

/** The row of a review that came without a transaction_id, be it stored with one. Written for a row `r` of `COLUMNS`. */
const KNOWN = `SELECT 1 FROM reviews AS old INDEXED BY reviews_shop_created WHERE old.shop_id = ${at('shop_id')}
  AND old.create_timestamp = ${at('create_timestamp')} AND old.listing_id = ${at('listing_id')}
  AND coalesce(old.buyer_user_id = ${at('buyer_user_id')}, true) AND old.review IS ${at('review')}`;

/** One by one: a page may show the same one twice. */
async function addUnnamed(tx: Tx, rows: readonly ReviewRow[]): Promise<void> {
  for (const row of rows) {
    await tx.run(`${insertFrom('reviews', COLUMNS)} WHERE NOT EXISTS (${KNOWN})`, {
      ':rows': rowsJson(COLUMNS, [row]),
    });
  }
}

/**
 * Gives rows without a transaction_id theirs. The key of the early system allowed one for a shop, listing and second, and
 * the text may have been edited since. A row that the same page shows without an id is not that of another text.
 */
async function claim(
  tx: Tx,
  early: readonly EarlyRow[],
  rows: readonly Named[],
  unnamed: readonly ReviewRow[],
): Promise<void> {
  const known = await tx.all<{ id: number }>(
    'SELECT transaction_id AS id FROM reviews WHERE transaction_id IN (SELECT value FROM json_each(?))',
    [JSON.stringify(rows.map((row) => row.transaction_id))],
  );
  const taken = new Set(known.map((row) => row.id));
  const isOf = (row: ReviewRow, old: EarlyRow): boolean =>
    row.listing_id === old.listing_id &&
    row.create_timestamp === old.create_timestamp &&
    (row.buyer_user_id ?? old.buyer_user_id) === (old.buyer_user_id ?? row.buyer_user_id);
  const pairs = early.flatMap((old) => {
    const isShown = unnamed.some((row) => isOf(row, old) && row.review === old.review);
    return rows
      .filter((row) => isOf(row, old) && (!isShown || row.review === old.review))
      .map((row) => ({ old: old.id, id: row.transaction_id, likeness: likeness(row, old) }));
  });
  const claims = new Map<number, number>();
  // The most alike first: a row that only its second speaks for may be another's.
  for (const { old, id } of pairs.toSorted((a, b) => b.likeness - a.likeness)) {
    if (taken.has(id) || claims.has(old)) continue;
    taken.add(id);
    claims.set(old, id);
  }
  await tx.run(
    'UPDATE reviews SET transaction_id = r.value ->> 1 FROM json_each(?) AS r WHERE reviews.id = r.value ->> 0',
    [JSON.stringify([...claims])],
  );
}

function likeness(row: ReviewRow, old: EarlyRow): number {
  const buyer = row.buyer_user_id === old.buyer_user_id ? 4 : 0;
  return buyer + (row.review === old.review ? 2 : 0) + (row.rating === old.rating ? 1 : 0);
}

/** Reviews of the shop that are stored and were created at `since` (epoch s) or later. */
export async function countReviewsSince(sql: Sql, shopId: number, since: number): Promise<number> {
  const row = await sql.get<{ n: number }>(
    'SELECT count(*) AS n FROM reviews WHERE shop_id = ? AND create_timestamp >= ?',
    [shopId, since],
  );
  return row?.n ?? 0;
}

/** Of a page's reviews, how many are not stored. */
export async function unstored(sql: Sql, rows: readonly ReviewRow[]): Promise<number> {
  const row = await sql.get<{ n: number }>(
    `SELECT count(*) AS n FROM json_each(?) AS r WHERE CASE WHEN ${at('transaction_id')} IS NULL
       THEN NOT EXISTS (${KNOWN})
       ELSE NOT EXISTS (SELECT 1 FROM reviews WHERE transaction_id = ${at('transaction_id')}) END`,
    [rowsJson(COLUMNS, rows)],
  );
  return row?.n ?? 0;
}
