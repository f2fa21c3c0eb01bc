import { lstat } from 'node:fs/promises';
import type { ImageOnRecord, RecordState } from '../../lib/dataset/checks.ts';
import type { Taxonomy } from '../../lib/dataset/taxonomy.ts';
import type { Finding } from '../../lib/dataset/findings.ts';
import type { ImageFile } from '../../lib/dataset/images.ts';
import type { ShortSlice } from '../../lib/dataset/slices.ts';
import type { Wanted } from '../../lib/dataset/wanted.ts';
import { imagePath, inspectAndHash, inspectImage } from '../../lib/dataset/image-files.ts';
import type { ImageFault } from '../../lib/dataset/image-files.ts';

export interface RecordVerdict {
  readonly findings: Finding[];
  readonly wanted: Wanted[];
  /** Entries without a known image: it may be on disk all the same. */
  readonly imageUnknown: number[];
}

/** What is missing of one entry that was made since. An entry whose listing is gone needs no rows. */
export function checkRecord(record: RecordState): RecordVerdict {
  const id = record.listing_id;
  const findings: Finding[] = [];
  const add = (kind: string, subject: number, detail: string): void => {
    findings.push({ kind, subject: String(subject), detail });
  };
  const gone = record.state === 'removed';
  if (record.listing === null && !gone)
    add('missing-listing', id, 'an entry in meta_data, but no row in listings');
  else if (record.dynamics === 0) add('missing-listing-dynamic', id, 'no row in listings_dynamic');
  if (record.shop_id !== null && record.shop === null) {
    add('missing-shop', record.shop_id, `listing ${id} is in listings, its shop not in shops`);
  } else if (record.shop_id !== null && record.shop_dynamics === 0) {
    add('missing-shop-dynamic', record.shop_id, 'no row in shops_dynamic');
  }
  const imageUnknown = record.image === null || record.image === 'unknown' ? [id] : [];
  return {
    findings,
    wanted: findings.length > 0 ? [{ listingId: id, shopId: record.shop_id }] : [],
    imageUnknown,
  };
}

/** @returns what is wrong with the file; or, where only its time has changed, the file as it is now */
export async function checkImageFile(
  folder: string,
  record: ImageOnRecord,
): Promise<ImageFault | ImageFile | undefined> {
  const path = imagePath(folder, record.listing_id);
  const info = await lstat(path).catch(() => undefined);
  const unchanged =
    info?.isFile() && info.size === record.bytes && Math.floor(info.mtimeMs) === record.modified_ms;
  if (unchanged) return undefined;
  const file = await (record.sha256 === null ? inspectImage(path) : inspectAndHash(path));
  if ('fault' in file) return file;
  // Of a file taken over only its size is known; its time alone changes where an installation is copied.
  if (record.sha256 === null) return file.bytes === record.bytes ? file : { fault: REPLACED };
  return file.sha256 === record.sha256 ? file : { fault: REPLACED };
}

const REPLACED = 'replaced by another file';

/** Listing id of images/{listing_id}.jpg, or of the older {listing_id}_{image_id}.jpg. */
export function listingOfFile(name: string): number | undefined {
  const match = /^([1-9]\d*)(?:_\d+)?\.jpg$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** With fewer listings a page says nothing of its category; of more, a tenth at least must be of it. */
const ENOUGH = 10;

/**
 * Some ids of Etsy's own tree do not work as filters (seen: 12369, 12370, 12405): the search finds listings of all
 * kinds then, millions of them, that would have to be found again one by one.
 * @param found the taxonomy ids of the listings on the first page
 */
export function unfilteredFinding(
  taxonomyId: number,
  found: readonly number[],
  known: Taxonomy,
): Finding | undefined {
  const within = found.filter((id) => known.isWithin(id, taxonomyId)).length;
  if (found.length < ENOUGH || within * 10 >= found.length) return undefined;
  const above = known.parentOf(taxonomyId);
  const instead = above === null ? 'a category below it' : `${known.nameOf(above)} (${above})`;
  return {
    kind: 'unfiltered-category',
    subject: `taxonomy ${taxonomyId} (${known.nameOf(taxonomyId)})`,
    detail: `Etsy search does not filter by it: of ${found.length} listings returned, ${within} belong to this category. It was skipped; name ${instead} in pipeline.yaml instead`,
  };
}

/** @param name the taxonomy's */
export function sliceFinding(slice: ShortSlice, name: string): Finding {
  const range = rangeText(slice);
  return {
    kind: 'unseen-listings',
    subject: `taxonomy ${slice.taxonomy_id} (${name}), ${range}`,
    detail: `Etsy counted ${slice.counted}, seen ${slice.seen}: ${slice.counted - slice.seen} missing`,
  };
}

/** @param range in cents; high -1: no upper end */
export function rangeText({ low, high }: { readonly low: number; readonly high: number }): string {
  return low === high ? `at ${money(low)}` : `from ${money(low)} ${high < 0 ? 'up' : `to ${money(high)}`}`;
}

function money(cents: number): string {
  return (cents / 100).toFixed(2);
}
