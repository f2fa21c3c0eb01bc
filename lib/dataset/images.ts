import type { Sql, Tx } from '../store/database.ts';
import { ids } from '../store/rows.ts';

/**
 * unknown: which image it is has still to be asked for; waiting: to be downloaded; done: complete on disk;
 * failed: with a reason, tried again in later runs; missing: the CDN has it no more (404), final until the listing
 * shows another image; none: the listing has no image, or is gone.
 */
export type ImageState = 'unknown' | 'waiting' | 'done' | 'failed' | 'missing' | 'none';

export interface ImageFile {
  readonly bytes: number;
  /** Epoch ms, as the file system has it. */
  readonly modifiedMs: number;
  /** Null where the file was there before sync-data and was not read whole. */
  readonly sha256: string | null;
}

export interface ImageJob {
  readonly listing_id: number;
  readonly image_id: number;
  readonly url: string;
  /** Why it was given up, or asked for again, before. */
  readonly reason: string | null;
  /** Size of the file on record, which is to be replaced; null: none was on record. */
  readonly bytes: number | null;
}

export interface ImageRef {
  readonly listingId: number;
  readonly imageId: number;
  readonly url: string;
}

/**
 * What a batch said of a listing's primary image. A file on disk is kept, whatever the listing shows now;
 * an image that could not be had is given up until its id changes.
 */
export async function noteImages(
  tx: Tx,
  refs: readonly ImageRef[],
  without: readonly { id: number; reason: string }[],
): Promise<void> {
  if (refs.length > 0) await addRefs(tx, refs);
  if (without.length > 0) await addWithout(tx, without);
}

async function addRefs(tx: Tx, refs: readonly ImageRef[]): Promise<void> {
  await tx.run(
    `INSERT INTO images (listing_id, state, image_id, url)
     SELECT r.value ->> 0, 'waiting', r.value ->> 1, r.value ->> 2 FROM jsonb_each(?) AS r WHERE true
     ON CONFLICT (listing_id) DO UPDATE SET
       image_id = excluded.image_id, url = excluded.url,
       attempts = iif(images.image_id IS excluded.image_id, images.attempts, 0),
       reason = iif(images.state = 'none' OR (images.state IN ('failed', 'missing')
                    AND images.image_id IS NOT excluded.image_id), NULL, images.reason),
       state = iif(images.state IN ('failed', 'missing') AND images.image_id IS excluded.image_id,
                   images.state, 'waiting')
     WHERE images.state <> 'done'`,
    [JSON.stringify(refs.map((ref) => [ref.listingId, ref.imageId, ref.url]))],
  );
}

async function addWithout(tx: Tx, without: readonly { id: number; reason: string }[]): Promise<void> {
  await tx.run(
    `INSERT INTO images (listing_id, state, reason) SELECT r.value ->> 0, 'none', r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE true ON CONFLICT (listing_id) DO UPDATE SET state = 'none', reason = excluded.reason
     WHERE images.state NOT IN ('done', 'failed', 'missing', 'waiting')`,
    [JSON.stringify(without.map((one) => [one.id, one.reason]))],
  );
}

/** What a batch said of a listing's image contradicts itself: which one it is has still to be asked for. */
export async function imagesDoubtful(
  tx: Tx,
  doubtful: readonly { readonly listingId: number; readonly reason: string }[],
): Promise<void> {
  if (doubtful.length === 0) return;
  await tx.run(
    `INSERT INTO images (listing_id, state, reason) SELECT r.value ->> 0, 'unknown', r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE true ON CONFLICT (listing_id) DO UPDATE SET state = 'unknown', reason = excluded.reason
     WHERE images.state IN ('unknown', 'none')`,
    [JSON.stringify(doubtful.map((one) => [one.listingId, one.reason]))],
  );
}

/** Complete files on disk: downloaded, or found there. */
export async function imagesDone(
  tx: Tx,
  files: readonly (ImageFile & { listingId: number })[],
): Promise<void> {
  if (files.length === 0) return;
  await tx.run(
    `INSERT INTO images (listing_id, state, bytes, modified_ms, sha256)
     SELECT r.value ->> 0, 'done', r.value ->> 1, r.value ->> 2, r.value ->> 3 FROM jsonb_each(?) AS r WHERE true
     ON CONFLICT (listing_id) DO UPDATE SET state = 'done', reason = NULL,
       bytes = excluded.bytes, modified_ms = excluded.modified_ms, sha256 = excluded.sha256`,
    [JSON.stringify(files.map((file) => [file.listingId, file.bytes, file.modifiedMs, file.sha256]))],
  );
}

export interface ImageFailure {
  readonly listingId: number;
  readonly state: 'failed' | 'missing';
  readonly reason: string;
  readonly attempts: number;
  /** False: it is tried again in this run; otherwise in the next. */
  readonly isFinal?: boolean;
}

export async function imagesFailed(tx: Tx, failures: readonly ImageFailure[], runId: number): Promise<void> {
  await tx.run(
    `UPDATE images SET state = r.value ->> 1, reason = r.value ->> 2, attempts = attempts + (r.value ->> 3), tried_run = r.value ->> 4
     FROM jsonb_each(?) AS r WHERE images.listing_id = r.value ->> 0`,
    [
      JSON.stringify(
        failures.map(({ listingId, state, reason, attempts, isFinal = true }) => {
          return [listingId, state, reason, attempts, isFinal ? runId : null];
        }),
      ),
    ],
  );
}

/** To be looked for again: which image it is must be asked for (no URL on record), or it must be downloaded. */
export async function imagesLost(
  tx: Tx,
  lost: readonly { listingId: number; reason: string }[],
): Promise<void> {
  await tx.run(
    `INSERT INTO images (listing_id, state, reason) SELECT r.value ->> 0, 'unknown', r.value ->> 1 FROM jsonb_each(?) AS r
     WHERE true ON CONFLICT (listing_id) DO UPDATE SET
       state = iif(images.url IS NULL, 'unknown', 'waiting'), sha256 = NULL,
       reason = iif(images.state = 'unknown', coalesce(images.reason, excluded.reason), excluded.reason)`,
    [JSON.stringify(lost.map((one) => [one.listingId, one.reason]))],
  );
}

/** The next to download: those waiting, and those that failed in an earlier run. */
export function nextImages(sql: Sql, runId: number, limit: number): Promise<ImageJob[]> {
  // By the index in the order of ids: by that of states, all that wait would be sorted for every few.
  return sql.all<ImageJob>(
    `SELECT listing_id, image_id, url, reason, bytes FROM images INDEXED BY images_open WHERE state IN ('waiting', 'failed')
     AND (state = 'waiting' OR tried_run IS NOT ?) ORDER BY listing_id LIMIT ?`,
    [runId, limit],
  );
}

/** Of `listingIds`, those of whose image nothing is known yet. */
export async function withoutImageRecord(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  if (listingIds.length === 0) return [];
  return ids(
    sql,
    'SELECT r.value AS id FROM json_each(:ids) AS r WHERE NOT EXISTS (SELECT 1 FROM images WHERE listing_id = r.value)',
    { ':ids': JSON.stringify(listingIds) },
  );
}

export async function countImages(sql: Sql): Promise<Record<ImageState, number>> {
  const counts = { unknown: 0, waiting: 0, done: 0, failed: 0, missing: 0, none: 0 };
  const rows = await sql.all<{ state: ImageState; n: number }>(
    'SELECT state, count(*) AS n FROM images GROUP BY state',
  );
  for (const row of rows) counts[row.state] = row.n;
  return counts;
}

/** Of `listingIds`, those without an image so far: the listing may have got one, or another one, meanwhile. */
export async function recheckImages(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  if (listingIds.length === 0) return [];
  return ids(
    sql,
    `SELECT listing_id AS id FROM images WHERE listing_id IN (SELECT value FROM json_each(:ids))
     AND state IN ('none', 'unknown', 'missing')`,
    { ':ids': JSON.stringify(listingIds) },
  );
}

/** Of `listingIds`, those whose image is on record as complete. */
export function onDisk(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  return ids(
    sql,
    "SELECT listing_id AS id FROM images WHERE state = 'done' AND listing_id IN (SELECT value FROM json_each(:ids))",
    { ':ids': JSON.stringify(listingIds) },
  );
}
