import { MOST_REASON } from '../limits.ts';
import { clip, wellFormed } from '../text/clean.ts';
import type { Sql, Tx } from '../store/database.ts';
import { ids } from '../store/rows.ts';

/** Something verify found out of sync. */
export interface Finding {
  readonly kind: string;
  /** What it is about: a listing id, a shop id, a file, a slice. */
  readonly subject: string;
  readonly detail: string;
}

/** Names come from elsewhere: of files, of categories, of what a listing says. */
function short(text: string): string {
  return clip(wellFormed(text), MOST_REASON);
}

export async function addFindings(tx: Tx, runId: number, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  await tx.run(
    `INSERT INTO findings (run_id, kind, subject, detail)
     SELECT ?, r.value ->> 0, r.value ->> 1, r.value ->> 2 FROM jsonb_each(?) AS r
     WHERE true ON CONFLICT (run_id, kind, subject) DO UPDATE SET detail = excluded.detail, repaired = 0`,
    [runId, JSON.stringify(findings.map((one) => [one.kind, short(one.subject), short(one.detail)]))],
  );
}

/** The finding of this run no longer holds. */
export async function closeFinding(tx: Tx, runId: number, kind: string, subject: string): Promise<void> {
  await tx.run('UPDATE findings SET repaired = 1 WHERE run_id = ? AND kind = ? AND subject = ?', [
    runId,
    kind,
    subject,
  ]);
}

export interface FindingCount {
  readonly kind: string;
  readonly open: number;
  readonly repaired: number;
}

export function countFindings(sql: Sql, runId: number): Promise<FindingCount[]> {
  return sql.all<FindingCount>(
    `SELECT kind, sum(repaired = 0) AS open, sum(repaired) AS repaired FROM findings
     WHERE run_id = ? GROUP BY kind ORDER BY kind`,
    [runId],
  );
}

export function openFindings(sql: Sql, runId: number, limit: number): Promise<Finding[]> {
  return sql.all<Finding>(
    'SELECT kind, subject, detail FROM findings WHERE run_id = ? AND repaired = 0 ORDER BY id LIMIT ?',
    [runId, limit],
  );
}

const IMAGE_DONE = `EXISTS (SELECT 1 FROM images WHERE listing_id = CAST(subject AS INTEGER) AND state = 'done')`;
/** Findings of this run that no longer hold, by kind: what makes each whole again, in SQL. */
const WHOLE_AGAIN: Readonly<Record<string, string>> = {
  'missing-listing': `EXISTS (SELECT 1 FROM listings WHERE listing_id = CAST(subject AS INTEGER)) OR EXISTS (
    SELECT 1 FROM listings_dynamic WHERE listing_id = CAST(subject AS INTEGER) AND state = 'removed')`,
  'missing-listing-dynamic':
    'EXISTS (SELECT 1 FROM listings_dynamic WHERE listing_id = CAST(subject AS INTEGER))',
  'missing-shop': 'EXISTS (SELECT 1 FROM shops WHERE shop_id = CAST(subject AS INTEGER))',
  'missing-shop-dynamic': 'EXISTS (SELECT 1 FROM shops_dynamic WHERE shop_id = CAST(subject AS INTEGER))',
  'entry-without-image': `EXISTS (
    SELECT 1 FROM meta_data WHERE listing_id = CAST(subject AS INTEGER) AND value ->> 'image_id' IS NOT NULL)`,
  'image-not-on-record': IMAGE_DONE,
  'missing-cutout': 'EXISTS (SELECT 1 FROM cutouts WHERE listing_id = CAST(subject AS INTEGER))',
  'missing-image': IMAGE_DONE,
};

/** Listings whose image was missing in this run, and is on record as downloaded: whether it is there, the file tells. */
export function imagesToLookAt(sql: Sql, runId: number): Promise<number[]> {
  return ids(
    sql,
    `SELECT CAST(subject AS INTEGER) AS id FROM findings
     WHERE run_id = :run AND kind = 'missing-image' AND repaired = 0 AND (${IMAGE_DONE})`,
    { ':run': runId },
  );
}

/** @param stillMissing listings whose image is not there, though it is on record: it was moved elsewhere */
export async function closeRepaired(
  tx: Tx,
  runId: number,
  stillMissing: readonly number[] = [],
): Promise<void> {
  for (const [kind, whole] of Object.entries(WHOLE_AGAIN)) {
    const except = kind === 'missing-image' ? stillMissing.map(String) : [];
    await tx.run(
      `UPDATE findings SET repaired = 1 WHERE run_id = ? AND kind = ? AND (${whole})
       AND subject NOT IN (SELECT value FROM json_each(?))`,
      [runId, kind, JSON.stringify(except)],
    );
  }
  // An image that cannot be had keeps its finding open, with the reason.
  await tx.run(
    `UPDATE findings SET detail = detail || '; could not be downloaded: ' || i.reason FROM images AS i
     WHERE findings.run_id = ? AND kind = 'missing-image' AND repaired = 0
       AND i.listing_id = CAST(subject AS INTEGER) AND i.reason IS NOT NULL AND instr(detail, i.reason) = 0`,
    [runId],
  );
}
