import type { Sql, Tx } from '../store/database.ts';

// The words of listings, for full-text search. They are written in the transaction that adds the listing, so that a
// search finds it from then on and needs nothing but to read. Those of files written by an earlier version, or by
// another program, are added by verify, which passes every listing anyway. A static row never changes after that.

/** Of listings that have just been added. */
export async function addWords(tx: Tx, listingIds: readonly number[]): Promise<void> {
  if (listingIds.length === 0) return;
  await tx.run(
    `INSERT OR REPLACE INTO listing_words (rowid, title, tags, materials)
     SELECT l.listing_id, l.title, l.tags, l.materials FROM json_each(?) AS r JOIN listings AS l ON l.listing_id = r.value`,
    [JSON.stringify(listingIds)],
  );
}

/** Listings from above `after` up to `last` whose words are not there yet. */
export async function withoutWords(sql: Sql, after: number, last: number): Promise<number[]> {
  // listing_words_docsize is FTS5's own table of what is in the index: asked directly, five times as fast.
  const rows = await sql.all<{ id: number }>(
    `SELECT listing_id AS id FROM listings WHERE listing_id > ? AND listing_id <= ?
     AND NOT EXISTS (SELECT 1 FROM listing_words_docsize WHERE id = listing_id) ORDER BY listing_id`,
    [after, last],
  );
  return rows.map((row) => row.id);
}
