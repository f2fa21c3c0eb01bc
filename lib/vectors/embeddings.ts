import type { Sql, Tx } from '../store/database.ts';
import { hex, quantise } from './quantise.ts';
import type { Space } from './spaces.ts';

export interface Embedded {
  readonly listingId: number;
  /** sha256 of what the model was given. */
  readonly source: string;
  /** As the work list names that state of its input: what is compared to see whether it is due again. */
  readonly stamp: string;
  readonly vector: ArrayLike<number>;
}

export interface NotEmbedded {
  readonly listingId: number;
  readonly source: string;
  readonly stamp: string;
  readonly reason: string;
}

/**
 * Vectors and their codes, in the place of what these listings had in this space. The driver's statements take text, so
 * bytes travel as hexadecimal in one JSON array: 1.5 ms for 64.
 *
 * @throws RangeError for a vector of other dimensions than the space's, or with a value that is not finite
 */
export async function putVectors(tx: Tx, space: Space, rows: readonly Embedded[]): Promise<void> {
  if (rows.length === 0) return;
  const stored = rows.map(({ listingId, source, stamp, vector }) => {
    const { bytes, code } = quantise(vector, space.dims ?? 0);
    return [listingId, source, stamp, hex(bytes), hex(code)];
  });
  const params = { ':space': space.id, ':rows': JSON.stringify(stored) } as const;
  await tx.run(
    `INSERT INTO embeddings (space, listing_id, source, stamp, vector)
     SELECT :space, r.value ->> 0, r.value ->> 1, r.value ->> 2, unhex(r.value ->> 3) FROM jsonb_each(:rows) AS r WHERE true
     ON CONFLICT (space, listing_id) DO UPDATE SET source = excluded.source, stamp = excluded.stamp,
       vector = excluded.vector, reason = NULL, attempts = 0, tried_run = NULL`,
    params,
  );
  await tx.run(
    `INSERT OR REPLACE INTO embedding_codes (space, listing_id, code)
     SELECT :space, r.value ->> 0, unhex(r.value ->> 4) FROM jsonb_each(:rows) AS r`,
    params,
  );
}

/** Why there is no vector. One that was there was of another picture: it goes, with its code. */
export async function putFailures(
  tx: Tx,
  space: Space,
  rows: readonly NotEmbedded[],
  runId: number,
): Promise<void> {
  if (rows.length === 0) return;
  const json = JSON.stringify(rows.map((row) => [row.listingId, row.source, row.stamp, row.reason]));
  await tx.run(
    `INSERT INTO embeddings (space, listing_id, source, stamp, reason, attempts, tried_run)
     SELECT :space, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, 1, :run FROM jsonb_each(:rows) AS r WHERE true
     ON CONFLICT (space, listing_id) DO UPDATE SET source = excluded.source, vector = NULL, reason = excluded.reason,
       attempts = iif(embeddings.stamp IS excluded.stamp, embeddings.attempts, 0) + 1,
       stamp = excluded.stamp, tried_run = excluded.tried_run`,
    { ':space': space.id, ':run': runId, ':rows': json },
  );
  await tx.run(
    `DELETE FROM embedding_codes WHERE space = ? AND listing_id IN (SELECT r.value ->> 0 FROM json_each(?) AS r)`,
    [space.id, json],
  );
}

/** Of cutouts that are no more: nothing is found by them. */
export async function dropCutoutVectors(tx: Tx, listingIds: readonly number[]): Promise<void> {
  if (listingIds.length === 0) return;
  for (const table of ['embedding_codes', 'embeddings']) {
    await tx.run(
      `DELETE FROM ${table} WHERE space IN (SELECT id FROM spaces WHERE kind = 'image' AND input = 'cutout')
       AND listing_id IN (SELECT value FROM json_each(?))`,
      [JSON.stringify(listingIds)],
    );
  }
}

/** The input was touched, but is the same: the vector stays. */
export async function restamp(
  tx: Tx,
  space: Space,
  rows: readonly { readonly listingId: number; readonly stamp: string }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `UPDATE embeddings SET stamp = r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE embeddings.space = ? AND embeddings.listing_id = r.value ->> 0`,
    [JSON.stringify(rows.map((row) => [row.listingId, row.stamp])), space.id],
  );
}

export interface SpaceCount {
  readonly vectors: number;
  readonly failed: number;
}

export async function countVectors(sql: Sql, space: number): Promise<SpaceCount> {
  const vectors = await sql.get<{ n: number }>('SELECT count(*) AS n FROM embedding_codes WHERE space = ?', [
    space,
  ]);
  const failed = await sql.get<{ n: number }>(
    'SELECT count(*) AS n FROM embeddings INDEXED BY embeddings_failed WHERE space = ? AND vector IS NULL',
    [space],
  );
  return { vectors: vectors?.n ?? 0, failed: failed?.n ?? 0 };
}

/** A listing's own vector, as bytes in hexadecimal: what "more like this" asks with. */
export async function vectorOf(sql: Sql, space: Space, listingId: number): Promise<Int8Array | undefined> {
  const row = await sql.get<{ vector: string | null }>(
    'SELECT hex(vector) AS vector FROM embeddings WHERE space = ? AND listing_id = ? AND vector IS NOT NULL',
    [space.id, listingId],
  );
  if (!row?.vector) return undefined;
  return new Int8Array(Buffer.from(row.vector, 'hex'));
}
