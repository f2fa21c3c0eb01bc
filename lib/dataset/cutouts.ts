import type { Sql, Tx } from '../store/database.ts';

/** Tries over several runs before a picture is left alone until it changes. */
export const TRIES = 3;

/** The state of an image file that a cutout answers to. */
export const STAMP = "(coalesce(i.bytes, 0) || '+' || coalesce(i.modified_ms, 0))";

export interface CutoutDue {
  readonly listingId: number;
  readonly stamp: string;
  /** sha256 of the image that the cutout there is of, where it is of this space; null: there is none. */
  readonly source: string | null;
  /** Of the cutout file; null: it was kept whole. */
  readonly bytes: number | null;
}

/**
 * What is due, said once: an image that is done and has no cutout of this space, or one of another state of its file;
 * a failure counts again in a later run, a few times. `:space` is null before the space is made.
 */
const DUE = `FROM images AS i INDEXED BY images_state LEFT JOIN cutouts AS c ON c.listing_id = i.listing_id
  WHERE i.state = 'done' AND i.listing_id > :after AND (c.listing_id IS NULL OR c.space IS NOT :space OR c.stamp <> ${STAMP}
    OR (c.state = 'failed' AND c.attempts < ${TRIES} AND c.tried_run IS NOT :run))`;

/** The next after this listing. @param space undefined: it is not made yet */
export function dueCutouts(
  sql: Sql,
  space: number | undefined,
  runId: number,
  after: number,
  limit: number,
): Promise<CutoutDue[]> {
  return sql.all<CutoutDue>(
    `SELECT i.listing_id AS listingId, ${STAMP} AS stamp,
       iif(c.space = :space AND c.state <> 'failed', c.source, NULL) AS source, c.bytes AS bytes
     ${DUE} ORDER BY i.listing_id LIMIT :limit`,
    { ':space': space ?? null, ':run': runId, ':after': after, ':limit': limit },
  );
}

/** How many are due. */
export async function countDueCutouts(sql: Sql, space: number | undefined, runId: number): Promise<number> {
  const row = await sql.get<{ n: number }>(`SELECT count(*) AS n ${DUE}`, {
    ':space': space ?? null,
    ':run': runId,
    ':after': 0,
  });
  return row?.n ?? 0;
}

export interface CutoutRow {
  readonly listingId: number;
  readonly stamp: string;
  /** sha256 of the image. */
  readonly source: string;
  readonly state: 'done' | 'whole';
  readonly cover: number;
  readonly box: readonly number[];
  /** Null where it was kept whole: there is no file then. */
  readonly bytes: number | null;
  readonly sha256: string | null;
}

export async function putCutouts(tx: Tx, space: number, rows: readonly CutoutRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `INSERT INTO cutouts (space, listing_id, stamp, source, state, cover, box, bytes, sha256)
     SELECT :space, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5, r.value ->> 6,
       r.value ->> 7 FROM jsonb_each(:rows) AS r WHERE true
     ON CONFLICT (listing_id) DO UPDATE SET space = excluded.space, stamp = excluded.stamp, source = excluded.source,
       state = excluded.state, cover = excluded.cover, box = excluded.box, bytes = excluded.bytes,
       sha256 = excluded.sha256, reason = NULL, attempts = 0, tried_run = NULL`,
    {
      ':space': space,
      ':rows': JSON.stringify(
        rows.map((row) => [
          row.listingId,
          row.stamp,
          row.source,
          row.state,
          Number(row.cover.toFixed(4)),
          JSON.stringify(row.box),
          row.bytes,
          row.sha256,
        ]),
      ),
    },
  );
}

export interface CutoutFailure {
  readonly listingId: number;
  readonly stamp: string;
  /** sha256 of the image; '': it could not be read. */
  readonly source: string;
  readonly reason: string;
}

/** Why there is no cutout. That of an earlier image is forgotten; its file is gone already. */
export async function failCutouts(
  tx: Tx,
  space: number,
  rows: readonly CutoutFailure[],
  runId: number,
): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `INSERT INTO cutouts (space, listing_id, stamp, source, state, reason, attempts, tried_run)
     SELECT :space, r.value ->> 0, r.value ->> 1, r.value ->> 2, 'failed', r.value ->> 3, 1, :run FROM jsonb_each(:rows) AS r
     WHERE true ON CONFLICT (listing_id) DO UPDATE SET
       attempts = iif(cutouts.state = 'failed' AND cutouts.space = excluded.space AND cutouts.stamp = excluded.stamp,
                      cutouts.attempts, 0) + 1,
       space = excluded.space, stamp = excluded.stamp, source = excluded.source, state = 'failed', cover = NULL,
       box = NULL, bytes = NULL, sha256 = NULL, reason = excluded.reason, tried_run = excluded.tried_run`,
    {
      ':space': space,
      ':run': runId,
      ':rows': JSON.stringify(rows.map((row) => [row.listingId, row.stamp, row.source, row.reason])),
    },
  );
}

/** The image was touched, but is the same: the cutout stays. */
export async function restampCutouts(
  tx: Tx,
  rows: readonly { readonly listingId: number; readonly stamp: string }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `UPDATE cutouts SET stamp = r.value ->> 1 FROM jsonb_each(?) AS r WHERE cutouts.listing_id = r.value ->> 0`,
    [JSON.stringify(rows.map((row) => [row.listingId, row.stamp]))],
  );
}

/** The file is gone, or is not what was written: made again when its stage comes to it. */
export async function forgetCutouts(tx: Tx, listingIds: readonly number[]): Promise<void> {
  if (listingIds.length === 0) return;
  await tx.run('DELETE FROM cutouts WHERE listing_id IN (SELECT value FROM json_each(?))', [
    JSON.stringify(listingIds),
  ]);
}

export interface CutoutFile {
  readonly listingId: number;
  readonly bytes: number;
}

/** Cutouts that have a file, after this listing. */
export function cutoutsOnRecord(sql: Sql, after: number, limit: number): Promise<CutoutFile[]> {
  return sql.all<CutoutFile>(
    `SELECT listing_id AS listingId, bytes FROM cutouts WHERE listing_id > ? AND state = 'done'
     ORDER BY listing_id LIMIT ?`,
    [after, limit],
  );
}

/** Of these listings, those that have no cutout on record. */
export async function withoutCutout(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  if (listingIds.length === 0) return [];
  const rows = await sql.all<{ id: number }>(
    `SELECT r.value AS id FROM json_each(?) AS r
     WHERE NOT EXISTS (SELECT 1 FROM cutouts WHERE listing_id = r.value AND state = 'done')`,
    [JSON.stringify(listingIds)],
  );
  return rows.map((row) => row.id);
}

export interface CutoutCounts {
  readonly done: number;
  readonly whole: number;
  readonly failed: number;
}

/** Of every space together: a cutout of an earlier model stands until it is made again. */
export async function countCutouts(sql: Sql): Promise<CutoutCounts> {
  const counts = { done: 0, whole: 0, failed: 0 };
  const rows = await sql.all<{ state: keyof typeof counts; n: number }>(
    'SELECT state, sum(n) AS n FROM (SELECT space, state, count(*) AS n FROM cutouts GROUP BY space, state) GROUP BY state',
  );
  for (const row of rows) counts[row.state] = row.n;
  return counts;
}
