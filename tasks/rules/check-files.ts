import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { imagesOnRecord, withoutEntry, withoutImageOnRecord } from '../../lib/dataset/checks.ts';
import { addFindings } from '../../lib/dataset/findings.ts';
import type { Finding } from '../../lib/dataset/findings.ts';
import { imageNames, imagesOnDisk, isLitter } from '../../lib/dataset/image-files.ts';
import { ImagesFolder } from '../../lib/dataset/images-folder.ts';
import { imagesDone, imagesLost } from '../../lib/dataset/images.ts';
import { missingImage, wantUnknown } from './check.ts';
import type { CheckContext, CheckSteps } from './check.ts';
import { checkImageFile, listingOfFile } from './verdicts.ts';

/** Files looked at in one step. */
const FILES = 1000;

/** Is every image that is on record on disk, as it was written, and every image on disk on record? */
export async function* checkFiles(from: number, { services, runId, tolerated }: CheckContext): CheckSteps {
  const { sql, imagesFolder } = services;
  if (!tolerated.has('missing-image')) {
    const folder = new ImagesFolder(sql, imagesFolder);
    await folder.check();
    for (let after = from, done = 0; ;) {
      const records = await imagesOnRecord(sql, after, FILES);
      const last = records.at(-1);
      if (!last) break;
      after = last.listing_id;
      done += records.length;
      const lost: { listingId: number; reason: string }[] = [];
      const elsewhere: Finding[] = [];
      const touched: Parameters<typeof imagesDone>[1][number][] = [];
      for (const record of records) {
        const verdict = await checkImageFile(imagesFolder, record);
        if (verdict && 'fault' in verdict && verdict.isInTheWay)
          elsewhere.push(missingImage(record.listing_id, verdict.fault));
        else if (verdict && 'fault' in verdict)
          lost.push({ listingId: record.listing_id, reason: verdict.fault });
        else if (verdict) touched.push({ ...verdict, listingId: record.listing_id });
      }
      // Before so many are given up: the disk may be gone since.
      if (lost.length * 2 > records.length) await folder.check();
      yield {
        write: async (tx) => {
          await addFindings(tx, runId, elsewhere);
          await imagesDone(tx, touched);
          await imagesLost(tx, lost);
          await addFindings(
            tx,
            runId,
            lost.map(({ listingId, reason }) => missingImage(listingId, reason)),
          );
          await wantUnknown(
            tx,
            lost.map(({ listingId }) => listingId),
          );
        },
        cursor: { after },
        progress: { done },
      };
    }
  }
  for await (const names of imageNames(imagesFolder)) {
    const findings: Finding[] = [];
    const listings = new Map<number, string>();
    for (const name of names) {
      const id = listingOfFile(name);
      if (id !== undefined) listings.set(id, name);
      // Left by a download that was killed.
      else if (isLitter(name)) continue;
      else if (/^\d+\.jpg\.part$/.test(name))
        // A folder of that name is nothing that was left here: what writes there says so.
        await rm(join(imagesFolder, name), { force: true }).catch(() => undefined);
      else
        findings.push({
          kind: 'foreign-file',
          subject: name,
          detail: 'not an image of a listing; left alone',
        });
    }
    const unrecorded = await imagesOnDisk(
      imagesFolder,
      await withoutImageOnRecord(sql, [...listings.keys()]),
    );
    for (const { listingId } of unrecorded) {
      const detail = 'a whole image that the database did not know of; recorded';
      findings.push({ kind: 'image-not-on-record', subject: String(listingId), detail });
    }
    for (const id of await withoutEntry(sql, [...listings.keys()])) {
      const detail = 'its listing has no entry in meta_data; left alone';
      findings.push({ kind: 'image-without-entry', subject: listings.get(id) ?? String(id), detail });
    }
    const told = findings.filter((finding) => !tolerated.has(finding.kind));
    if (told.length + unrecorded.length === 0) continue;
    yield {
      write: async (tx) => {
        await imagesDone(tx, unrecorded);
        await addFindings(tx, runId, told);
      },
    };
  }
}
