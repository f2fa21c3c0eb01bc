import type { Sql } from '../store/database.ts';
import { DAY_S } from '../time.ts';

/**
 * A reading is compared with the one before it, which takes about two seconds per million: of more than `most`, only the
 * newest are.
 * @param from days since 1970, @returns the first day from which on not too many readings are stored
 */
export async function comparableFrom(sql: Sql, from: number, most: number): Promise<number> {
  const row = await sql.get<{ day: number }>(
    `SELECT snapshot_timestamp / ${DAY_S} AS day FROM listings_dynamic WHERE snapshot_timestamp >= ?
     ORDER BY snapshot_timestamp DESC LIMIT 1 OFFSET ?`,
    [from * DAY_S, most],
  );
  return row ? row.day + 1 : from;
}
