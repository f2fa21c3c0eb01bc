import type { Sql } from '../store/database.ts';

export interface OverdueQuery {
  /** Only entries with a larger listing id. */
  readonly after: number;
  readonly limit: number;
  /** Year. */
  readonly madeSince: number;
  /** Epoch seconds. */
  readonly staleBefore: number;
  /** Slice id: entries seen in it or a later one are left out. Undefined: none are. */
  readonly unseenSince: number | undefined;
}

/** Listing ids of entries made since the year, not seen, and with no dynamic row since `staleBefore`; ascending. */
export async function overdueEntries(sql: Sql, query: OverdueQuery): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT m.listing_id AS id FROM meta_data AS m
     WHERE m.listing_id > :after AND m.earliest_year >= :madeSince
       AND (:unseenSince IS NULL OR m.seen_slice IS NULL OR m.seen_slice < :unseenSince)
       AND NOT EXISTS (SELECT 1 FROM listings_dynamic AS d
                       WHERE d.listing_id = m.listing_id AND d.snapshot_timestamp >= :staleBefore)
     ORDER BY m.listing_id LIMIT :limit`,
    {
      ':after': query.after,
      ':limit': query.limit,
      ':madeSince': query.madeSince,
      ':staleBefore': query.staleBefore,
      ':unseenSince': query.unseenSince ?? null,
    },
  );
  return rows.map((row) => row.id);
}
