import type { Sql } from '../store/database.ts';

/** Rows in each table of the data; a table that is not there has none. */
export async function countRows<Table extends string>(
  sql: Sql,
  tables: readonly Table[],
): Promise<Record<Table, number>> {
  const there = await sql.all<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
  const names = new Set(there.map((row) => row.name));
  const counts = await Promise.all(
    tables.map(async (table) => {
      const row = names.has(table)
        ? await sql.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)
        : undefined;
      return [table, row?.n ?? 0] as const;
    }),
  );
  return Object.fromEntries(counts) as Record<Table, number>;
}

/**
 * Whether search pages lack `views`, by the newest listings: where they do, the first dynamic row comes later than the
 * static one, from a batch.
 */
export async function pagesLackViews(sql: Sql): Promise<boolean> {
  const row = await sql.get<{ later: number | null; n: number }>(
    `SELECT sum(later) AS later, count(*) AS n FROM (
       SELECT (SELECT min(d.snapshot_timestamp) FROM listings_dynamic AS d WHERE d.listing_id = l.listing_id)
         > l.snapshot_timestamp AS later
       FROM listings AS l ORDER BY l.listing_id DESC LIMIT 200)`,
  );
  return (row?.later ?? 0) * 2 > (row?.n ?? 0);
}

export interface Reason {
  readonly reason: string;
  readonly n: number;
}

/** Why images failed, the most frequent reasons first. Most images are well: statistics of a day when they were not must not have them all read. */
export function imageReasons(sql: Sql, limit: number): Promise<Reason[]> {
  return sql.all<Reason>(
    `SELECT coalesce(reason, 'no reason was noted') AS reason, count(*) AS n FROM images INDEXED BY images_state
     WHERE state IN ('failed', 'missing') GROUP BY reason ORDER BY n DESC, reason LIMIT ?`,
    [limit],
  );
}

/** Why records are set aside and still open, the most frequent reasons first; ids in endpoints are left out. */
export function asideReasons(sql: Sql, limit: number): Promise<(Reason & { readonly endpoint: string })[]> {
  return sql.all(
    `SELECT iif(endpoint LIKE 'shops/%/reviews', 'shops/{id}/reviews', iif(endpoint LIKE 'shops/%', 'shops/{id}', endpoint))
       AS endpoint, reason, count(*) AS n FROM set_aside WHERE settled_at IS NULL
     GROUP BY 1, reason ORDER BY n DESC, 1, reason LIMIT ?`,
    [limit],
  );
}
