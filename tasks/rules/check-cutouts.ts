import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cutoutPath } from '../../lib/dataset/cutout-files.ts';
import { cutoutsOnRecord, forgetCutouts, withoutCutout } from '../../lib/dataset/cutouts.ts';
import { addFindings } from '../../lib/dataset/findings.ts';
import type { Finding } from '../../lib/dataset/findings.ts';
import { imageNames } from '../../lib/dataset/image-files.ts';
import type { Sql, Tx } from '../../lib/store/database.ts';

/** Looked at in one step. */
const ROWS = 1000;

export interface CheckStep {
  readonly write: (tx: Tx) => Promise<void>;
  readonly progress: { readonly done: number };
}

/**
 * Is every cutout that is on record there, as it was written, and every file on record? A row without its file is
 * forgotten, so that the file is made again; a file without a row is reported and left alone.
 */
export async function* checkCutouts(
  sql: Sql,
  folder: string,
  runId: number,
): AsyncGenerator<CheckStep, void, undefined> {
  let done = 0;
  for (let after = 0; ;) {
    const rows = await cutoutsOnRecord(sql, after, ROWS);
    const last = rows.at(-1);
    if (!last) break;
    after = last.listingId;
    done += rows.length;
    const lost: number[] = [];
    for (const { listingId, bytes } of rows) {
      const info = await lstat(cutoutPath(folder, listingId)).catch(() => undefined);
      if (!info?.isFile() || info.size !== bytes) lost.push(listingId);
    }
    const findings = lost.map((id): Finding => ({
      kind: 'missing-cutout',
      subject: String(id),
      detail: 'its file is missing, or is not what was written; made again',
    }));
    yield {
      write: async (tx) => {
        await forgetCutouts(tx, lost);
        await addFindings(tx, runId, findings);
      },
      progress: { done },
    };
  }
  for await (const names of imageNames(folder)) {
    const listings = new Map<number, string>();
    const findings: Finding[] = [];
    for (const name of names) {
      const [, id] = /^([1-9]\d{0,15})\.webp$/.exec(name) ?? [];
      if (id !== undefined) listings.set(Number(id), name);
      // Left by a start that was killed.
      else if (/^\d+\.webp\.part$/.test(name))
        // A folder of that name is nothing that was left here: what writes there says so.
        await rm(join(folder, name), { force: true }).catch(() => undefined);
      else
        findings.push({ kind: 'foreign-cutout', subject: name, detail: 'no name of a cutout; left alone' });
    }
    const unknown = await withoutCutout(sql, [...listings.keys()]);
    for (const id of await withoutImage(sql, unknown)) {
      const detail = 'its listing has no image that a cutout could be of; left alone';
      findings.push({ kind: 'foreign-cutout', subject: listings.get(id) ?? String(id), detail });
    }
    if (findings.length > 0) yield { write: (tx) => addFindings(tx, runId, findings), progress: { done } };
  }
}

/** Those with one are due, and made again over what is there. */
async function withoutImage(sql: Sql, listingIds: readonly number[]): Promise<number[]> {
  if (listingIds.length === 0) return [];
  const rows = await sql.all<{ id: number }>(
    `SELECT r.value AS id FROM json_each(?) AS r
     WHERE NOT EXISTS (SELECT 1 FROM images WHERE listing_id = r.value AND state = 'done')`,
    [JSON.stringify(listingIds)],
  );
  return rows.map((row) => row.id);
}
