import { classify } from '../../lib/dataset/when-made.ts';
import {
  endOfStretch,
  lackingRecords,
  listingsWithoutEntry,
  namelessEntries,
  whenMadeWords,
} from '../../lib/dataset/checks.ts';
import type { ListingBrief, Nameless } from '../../lib/dataset/checks.ts';
import { imageEntry, seenEntry, yearOfEntry } from '../../lib/dataset/entries.ts';
import { addFindings } from '../../lib/dataset/findings.ts';
import type { Finding } from '../../lib/dataset/findings.ts';
import { imagesOnDisk } from '../../lib/dataset/image-files.ts';
import { imageParts } from '../../lib/dataset/image-url.ts';
import { imagesDone, imagesLost } from '../../lib/dataset/images.ts';
import { putEntries } from '../../lib/dataset/meta-data.ts';
import type { MetaEntry } from '../../lib/dataset/meta-data.ts';
import { shortSlices } from '../../lib/dataset/slices.ts';
import { readTaxonomy } from '../../lib/dataset/taxonomy-table.ts';
import { want } from '../../lib/dataset/wanted.ts';
import { addWords, withoutWords } from '../../lib/dataset/words.ts';
import type { Tx } from '../../lib/store/database.ts';
import type { Step } from '../../lib/task/task.ts';
import { missingImage, wantUnknown } from './check.ts';
import type { CheckContext, CheckSteps } from './check.ts';
import { checkRecord, sliceFinding } from './verdicts.ts';

/** Entries looked at in one step. */
const ENTRIES = 5000;

/** Has every entry its rows and its image's name, and every row its entry? */
export async function* checkRecords(from: number, { services, runId, tolerated }: CheckContext): CheckSteps {
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
    const lost = tolerated.has('missing-image') ? [] : unknown.filter((id) => !onDisk.has(id));
    const findings = verdicts
      .flatMap((verdict) => verdict.findings)
      .filter((finding) => !tolerated.has(finding.kind));
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

  async function checkWhole(): Promise<Step<Tx, { after: number }>> {
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
          findings.filter((finding) => !tolerated.has(finding.kind)),
        );
      },
    };
  }

  function entryOf(stray: ListingBrief): { listingId: number; value: string; earliestYear: number | null } {
    const value = seenEntry(undefined, stray, rules.madeSince);
    return { listingId: stray.listing_id, value: JSON.stringify(value), earliestYear: yearOfEntry(value) };
  }
}

function withItsImage({ listing_id, value, image_id, url }: Nameless): MetaEntry {
  const entry = JSON.parse(value) as Record<string, unknown>;
  const filled = imageEntry(entry, { imageId: image_id, ...imageParts(url) }, true) ?? entry;
  return { listingId: listing_id, value: JSON.stringify(filled), earliestYear: yearOfEntry(filled) };
}
