import { MOST_REASON } from '../limits.ts';
import { clip, wellFormed } from '../text/clean.ts';
import { latest } from '../text/to-come.ts';
import type { Sql, Tx } from '../store/database.ts';

/** A record or an answer that could not be used. */
export interface DeadLetter {
  readonly endpoint: string;
  readonly reason: string;
  /** As it came; kept as JSON, cut at 64 KiB. */
  readonly raw: unknown;
  /** What to ask for again, where the record tells. */
  readonly listingId?: number | undefined;
  readonly shopId?: number | undefined;
}

/** Characters kept of a record. */
const MAX_RAW = 64 * 1024;

/** Keeps what could not be used, with the reason, for a person to look at and for the next run to ask for again. */
export async function setAside(
  tx: Tx,
  runId: number,
  now: number,
  letters: readonly DeadLetter[],
): Promise<void> {
  for (const { endpoint, reason, raw, listingId = null, shopId = null } of letters) {
    await tx.run(
      `INSERT INTO set_aside (run_id, at, endpoint, reason, raw, listing_id, shop_id) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (endpoint, reason, raw) DO UPDATE SET
         run_id = excluded.run_id, at = excluded.at, listing_id = excluded.listing_id, shop_id = excluded.shop_id,
         tries = tries + 1, settled_at = NULL`,
      [runId, now, endpoint, clip(reason, MOST_REASON), rawText(raw), listingId, shopId],
    );
  }
}

function rawText(raw: unknown): string {
  return wellFormed((JSON.stringify(raw) ?? 'null').slice(0, MAX_RAW));
}

/** Of these listings good records came in. @param endpoint only what was set aside there; undefined: anywhere */
export async function settleListings(
  tx: Tx,
  listingIds: readonly number[],
  now: number,
  endpoint?: string,
): Promise<void> {
  await tx.run(
    `UPDATE set_aside SET settled_at = ? WHERE settled_at IS NULL AND endpoint = coalesce(?, endpoint)
     AND listing_id IN (SELECT value FROM json_each(?))`,
    [now, endpoint ?? null, JSON.stringify(listingIds)],
  );
}

/** The records of these shops are in, wherever they came from. */
export async function settleShops(tx: Tx, shopIds: readonly number[], now: number): Promise<void> {
  await tx.run(
    `UPDATE set_aside SET settled_at = ? WHERE settled_at IS NULL AND endpoint = 'shops/' || shop_id
     AND shop_id IN (SELECT value FROM json_each(?))`,
    [now, JSON.stringify(shopIds)],
  );
}

/** All that an endpoint tells came in good: "shops/12/reviews". */
export async function settleEndpoint(tx: Tx, endpoint: string, now: number): Promise<void> {
  await tx.run('UPDATE set_aside SET settled_at = ? WHERE settled_at IS NULL AND endpoint = ?', [
    now,
    endpoint,
  ]);
}

/** What Etsy refused, twice and at different times of a run, while it answered other requests. */
export interface Refusal {
  readonly endpoint: string;
  readonly reason: string;
  readonly listingId?: number | undefined;
  readonly shopId?: number | undefined;
}

/** The next run asks again; from then on after two, four … times `refreshAfter`, at most after so many. */
const LONGEST_WAIT = 16;

/** @param refreshAfter seconds @returns epoch seconds: not asked for again before, nor in this run */
export async function setAsideRefused(
  tx: Tx,
  runId: number,
  now: number,
  { endpoint, reason, ...about }: Refusal,
  refreshAfter: number,
): Promise<number> {
  const listingId = about.listingId ?? null;
  const shopId = about.shopId ?? null;
  // The reason may be another each time; it is the same request.
  const earlier = await tx.get<{ tries: number; run_id: number }>(
    `SELECT tries, run_id FROM set_aside WHERE settled_at IS NULL AND retry_at IS NOT NULL
     AND endpoint = ? AND listing_id IS ? AND shop_id IS ? ORDER BY tries DESC LIMIT 1`,
    [endpoint, listingId, shopId],
  );
  const tries = (earlier?.tries ?? 0) + (earlier?.run_id === runId ? 0 : 1);
  const retryAt = tries === 1 ? now : now + refreshAfter * Math.min(2 ** (tries - 1), LONGEST_WAIT);
  await tx.run(
    `UPDATE set_aside SET settled_at = ? WHERE settled_at IS NULL AND retry_at IS NOT NULL
     AND endpoint = ? AND listing_id IS ? AND shop_id IS ?`,
    [now, endpoint, listingId, shopId],
  );
  await tx.run(
    `INSERT INTO set_aside (run_id, at, endpoint, reason, raw, listing_id, shop_id, tries, retry_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (endpoint, reason, raw) DO UPDATE SET run_id = excluded.run_id, at = excluded.at,
       tries = excluded.tries, retry_at = excluded.retry_at, settled_at = NULL`,
    [runId, now, endpoint, reason, JSON.stringify(listingId ?? shopId), listingId, shopId, tries, retryAt],
  );
  return retryAt;
}

/** Etsy answers it again. */
export async function settleRefused(tx: Tx, endpoint: string, now: number): Promise<void> {
  await tx.run(
    'UPDATE set_aside SET settled_at = ? WHERE settled_at IS NULL AND retry_at IS NOT NULL AND endpoint = ?',
    [now, endpoint],
  );
}

/** Whatever was set aside in earlier runs, has no name to be asked for by, and was not met again in this one. */
export async function settleUnmet(tx: Tx, runId: number, now: number): Promise<void> {
  await tx.run(
    `UPDATE set_aside SET settled_at = ? WHERE settled_at IS NULL AND run_id < ?
     AND listing_id IS NULL AND shop_id IS NULL`,
    [now, runId],
  );
}

/** Listings that a batch is refused with: they are asked for alone, so that they spoil no batch. */
export async function refusedListings(sql: Sql): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT DISTINCT listing_id AS id FROM set_aside
     WHERE settled_at IS NULL AND retry_at IS NOT NULL AND listing_id IS NOT NULL`,
  );
  return rows.map((row) => row.id);
}

/** Of these, those to ask for now: refused in this run, for the second time, or in an earlier one and due again. */
export async function refusedListingsDue(sql: Sql, runId: number, now: number): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT DISTINCT listing_id AS id FROM set_aside
     WHERE settled_at IS NULL AND retry_at IS NOT NULL AND listing_id IS NOT NULL
       AND (run_id = ? OR retry_at <= ? OR at > ?)
     ORDER BY listing_id`,
    [runId, now, latest(now)],
  );
  return rows.map((row) => row.id);
}

/** Listings to ask for again: a record of theirs was set aside in an earlier run. */
export async function listingsToRetry(sql: Sql, runId: number): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT DISTINCT listing_id AS id FROM set_aside
     WHERE settled_at IS NULL AND retry_at IS NULL AND run_id < ? AND listing_id IS NOT NULL ORDER BY listing_id`,
    [runId],
  );
  return rows.map((row) => row.id);
}

/** What this run set aside and what is still open from earlier ones; of these, how many have not come in good since. */
export async function countSetAside(sql: Sql, runId: number): Promise<{ met: number; open: number }> {
  const row = await sql.get<{ met: number; open: number }>(
    `SELECT count(*) AS met, count(*) FILTER (WHERE settled_at IS NULL) AS open FROM set_aside
     WHERE settled_at IS NULL OR run_id = ?`,
    [runId],
  );
  return row ?? { met: 0, open: 0 };
}
