import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { classify } from '../lib/dataset/when-made.ts';
import { nowSeconds } from '../lib/time.ts';
import type { ServicesWith } from '../lib/services.ts';
import {
  endOfStretch,
  imagesOnRecord,
  lackingRecords,
  listingsWithoutEntry,
  namelessEntries,
  shopsLacking,
  whenMadeWords,
  withoutEntry,
  withoutImageOnRecord,
} from '../lib/dataset/checks.ts';
import type { ListingBrief, Nameless } from '../lib/dataset/checks.ts';
import type { Tx } from '../lib/store/database.ts';
import { addFindings, closeRepaired, imagesToLookAt } from '../lib/dataset/findings.ts';
import type { Finding } from '../lib/dataset/findings.ts';
import { imagesDone, imagesLost, recheckImages } from '../lib/dataset/images.ts';
import { imageParts } from '../lib/dataset/image-url.ts';
import { putEntries } from '../lib/dataset/meta-data.ts';
import type { MetaEntry } from '../lib/dataset/meta-data.ts';
import { refusedListings, settleUnmet } from '../lib/dataset/set-aside.ts';
import { shortSlices } from '../lib/dataset/slices.ts';
import { readTaxonomy } from '../lib/dataset/taxonomy-table.ts';
import { want } from '../lib/dataset/wanted.ts';
import { addWords, withoutWords } from '../lib/dataset/words.ts';
import { applyBatch, applyShops } from './rules/apply.ts';
import { doneAsking, fetchBatch, fetchShop, nextInBatch } from './rules/batch.ts';
import { checkImageFile, checkRecord, listingOfFile, sliceFinding } from './rules/verdicts.ts';
import { tellFindings } from '../lib/dataset/tells.ts';
import { defineTask } from '../lib/define-task.ts';
import type { TaskOf } from '../lib/define-task.ts';
import { applyDownloads, downloads } from './rules/download.ts';
import { imageEntry, seenEntry, yearOfEntry } from '../lib/dataset/entries.ts';
import { imageNames, imagePath, imagesOnDisk, inspectImage, isLitter } from '../lib/dataset/image-files.ts';
import { ImagesFolder } from '../lib/dataset/images-folder.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { WINDOW } from '../lib/task/window.ts';

const KINDS = [
  'missing-listing',
  'missing-listing-dynamic',
  'missing-shop',
  'missing-shop-dynamic',
  'missing-image',
  'image-without-entry',
  'image-not-on-record',
  'entry-without-image',
  'foreign-file',
  'listing-without-entry',
  'made-before',
  'unseen-listings',
] as const;

/** Entries, and files, looked at in one step. */
const ENTRIES = 5000;
const FILES = 1000;

const options = z.object({
  tolerate: z
    .array(z.enum(KINDS))
    .default([])
    .describe(
      'Kinds of findings not to look for, such as missing-image on a machine without images. Default: none.',
    ),
});
const cursor = z.object({
  /** Everything up to this listing id has been looked at. */
  after: z.int(),
});
type Verify = TaskOf<z.infer<typeof options>, z.infer<typeof cursor>, ServicesWith<'api' | 'cdn'>>;
type Steps = ReturnType<Verify['run']>;
type Context = Parameters<Verify['run']>[2];

/** Is everything in step? What is not becomes a finding; what can be put right is put right in the same run. */
export default defineTask({
  title: 'Verify',
  carriesOver: true,
  options,
  cursor,
  uses: ['api', 'cdn', 'entries'],
  tells: tellFindings,

  units: () => [
    { id: 'records', title: 'Rows of every entry', noun: 'entries' },
    { id: 'files', title: 'Image files', noun: 'images' },
    { id: 'repair', title: 'Repairs' },
  ],

  run(unit, at, context) {
    if (unit.id === 'records') return checkRecords(at?.after ?? 0, context);
    if (unit.id === 'files') return checkFiles(at?.after ?? 0, context);
    return repair(context);
  },
});

async function* checkRecords(from: number, { services, runId, options: { tolerate } }: Context): Steps {
  const { sql, rules, imagesFolder } = services;
  for (let after = from, done = 0; ;) {
    const stretch = { after, madeSince: rules.madeSince, limit: ENTRIES };
    const end = await endOfStretch(sql, stretch);
    if (!end) break;
    const records = await lackingRecords(sql, stretch, end.last);
    const nameless = await namelessEntries(sql, stretch, end.last);
    const wordless = await withoutWords(sql, after, end.last);
    after = end.last;
    done += end.entries;
    const verdicts = records.map(checkRecord);
    const unknown = verdicts.flatMap((verdict) => verdict.imageUnknown);
    const found = await imagesOnDisk(imagesFolder, unknown);
    const onDisk = new Set(found.map((file) => file.listingId));
    const lost = isTolerated('missing-image') ? [] : unknown.filter((id) => !onDisk.has(id));
    const findings = verdicts
      .flatMap((verdict) => verdict.findings)
      .filter((finding) => !isTolerated(finding.kind));
    const wanted = verdicts.flatMap((verdict) => verdict.wanted);
    yield {
      write: async (tx) => {
        await addWords(tx, wordless);
        await imagesDone(tx, found);
        await imagesLost(
          tx,
          lost.map((listingId) => ({ listingId, reason: 'no image is on record' })),
        );
        await addFindings(tx, runId, [
          ...findings,
          ...lost.map((id) => missingImage(id, 'no image is on record')),
        ]);
        await putEntries(tx, nameless.map(withItsImage));
        await addFindings(
          tx,
          runId,
          nameless.map(({ listing_id }) => ({
            kind: 'entry-without-image',
            subject: String(listing_id),
            detail: 'image_metadata.json did not name its image; filled in from the database',
          })),
        );
        await want(tx, wanted);
        await wantUnknown(tx, lost);
      },
      cursor: { after },
      progress: { done },
    };
  }
  yield await checkWhole();

  async function checkWhole(): Promise<Awaited<ReturnType<Steps['next']>>['value'] & object> {
    const strays = await listingsWithoutEntry(sql);
    const words = await whenMadeWords(sql);
    const short = await shortSlices(sql, runId);
    const known = await readTaxonomy(sql);
    const findings: Finding[] = [
      ...strays.map(({ listing_id }) => ({
        kind: 'listing-without-entry',
        subject: String(listing_id),
        detail: 'in listings, but not in meta_data; entry made from the row',
      })),
      ...words
        .filter(({ word }) => classify(word, rules.madeSince) !== 'since')
        .map(({ word, n }) => ({
          kind: 'made-before',
          subject: word ?? 'null',
          detail: `${n} in listings, not certainly made since ${rules.madeSince}; left alone`,
        })),
      ...short.map((slice) => sliceFinding(slice, known.nameOf(slice.taxonomy_id))),
    ];
    return {
      write: async (tx) => {
        await putEntries(tx, strays.map(entryOf));
        await addFindings(
          tx,
          runId,
          findings.filter((finding) => !isTolerated(finding.kind)),
        );
      },
    };
  }

  function entryOf(stray: ListingBrief): { listingId: number; value: string; earliestYear: number | null } {
    const value = seenEntry(undefined, stray, rules.madeSince);
    return { listingId: stray.listing_id, value: JSON.stringify(value), earliestYear: yearOfEntry(value) };
  }

  function isTolerated(kind: string): boolean {
    return tolerate.some((one) => one === kind);
  }
}

async function* checkFiles(from: number, { services, runId, options: { tolerate } }: Context): Steps {
  const { sql, imagesFolder } = services;
  if (!tolerate.includes('missing-image')) {
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
    const told = findings.filter((finding) => !tolerate.some((one) => one === finding.kind));
    if (told.length + unrecorded.length === 0) continue;
    yield {
      write: async (tx) => {
        await imagesDone(tx, unrecorded);
        await addFindings(tx, runId, told);
      },
    };
  }
}

function withItsImage({ listing_id, value, image_id, url }: Nameless): MetaEntry {
  const entry = JSON.parse(value) as Record<string, unknown>;
  const filled = imageEntry(entry, { imageId: image_id, ...imageParts(url) }, true) ?? entry;
  return { listingId: listing_id, value: JSON.stringify(filled), earliestYear: yearOfEntry(filled) };
}

/** Batches for what lacks rows or an image, then the images; a shop whose listings are all gone is asked for itself. */
async function* repair(context: Context): Steps {
  const { services, runId, stop } = context;
  const { sql } = services;
  const asked = new Set(await refusedListings(sql));
  let [done, going] = [0, 0];
  const next = async (): Promise<(() => ReturnType<typeof fetchBatch>) | undefined> => {
    const { ids, room } = await nextInBatch(sql, asked);
    // What is in flight may have to be requested again, and fills the batch.
    if (ids.length === 0 || (room > 0 && going > 0)) return undefined;
    for (const id of ids) asked.add(id);
    going += 1;
    return () => fetchBatch(services, runId, ids);
  };
  for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
    done += value.asked.length;
    going -= 1;
    yield { write: (tx) => applyBatch(tx, services, runId, value), progress: { done }, pending };
    doneAsking(asked, value);
  }

  for (const shopId of await shopsLacking(sql)) {
    const shop = await fetchShop(services, shopId);
    yield { write: (tx) => applyShops(tx, services, runId, [shop]) };
  }

  if (!context.options.tolerate.includes('missing-image')) {
    const all = { services, hosts: services.imageHosts, runId, stop, more: () => false };
    for await (const group of downloads(all)) {
      done += group.done.length;
      yield { write: (tx) => applyDownloads(tx, runId, group), progress: { done } };
    }
  }
  const missing: number[] = [];
  for (const listingId of await imagesToLookAt(sql, runId)) {
    const found = await inspectImage(imagePath(services.imagesFolder, listingId));
    if ('fault' in found) missing.push(listingId);
  }
  yield {
    write: async (tx) => {
      await closeRepaired(tx, runId, missing);
      await settleUnmet(tx, runId, nowSeconds());
    },
  };
}

/** Which image it is has to be asked for first; where its URL is on record it need not be. */
async function wantUnknown(tx: Tx, listingIds: readonly number[]): Promise<void> {
  const unknown = await recheckImages(tx, listingIds);
  await want(
    tx,
    unknown.map((listingId) => ({ listingId, shopId: null })),
  );
}

function missingImage(listingId: number, detail: string): Finding {
  return { kind: 'missing-image', subject: String(listingId), detail };
}
