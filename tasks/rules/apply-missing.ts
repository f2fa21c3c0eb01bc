import { imageOfEntry } from '../../lib/dataset/entries.ts';
import type { FreshSpan } from '../../lib/dataset/due.ts';
import { imageUrl } from '../../lib/dataset/image-url.ts';
import { noteImages, recheckImages, withoutImageRecord } from '../../lib/dataset/images.ts';
import type { ImageRef } from '../../lib/dataset/images.ts';
import { goneListings, markRemoved } from '../../lib/dataset/listings.ts';
import { getEntries } from '../../lib/dataset/meta-data.ts';
import { addOddities } from '../../lib/dataset/oddities.ts';
import { settleListings } from '../../lib/dataset/set-aside.ts';
import { shownInRun } from '../../lib/dataset/slices.ts';
import { dropWanted, missesOf, wantAgain } from '../../lib/dataset/wanted.ts';
import type { ServicesWith } from '../../lib/services.ts';
import type { Tx } from '../../lib/store/database.ts';
import { idsOf } from './batch.ts';
import type { BatchAnswer } from './batch.ts';

type Services = ServicesWith<'api'>;

/** Answers without a listing after which it is given up for this run, where none of them proved anything. */
const MOST_MISSES = 4;

/**
 * That one answer does not name a listing proves nothing: it is asked for once more, in another request. It counts as
 * gone where both do not name it, the last of them names others, and the search has not shown it in this run.
 */
export async function applyMissing(
  tx: Tx,
  services: Services,
  runId: number,
  answer: BatchAnswer,
  { now, fresh }: Now,
): Promise<void> {
  const named = new Set(idsOf(answer.listings));
  const spoilt = new Set(answer.rejected.map((bad) => bad.listingId));
  const refused = new Set(answer.refused.map(({ listingId }) => listingId));
  // A record whose very id cannot be read might be any of them: then nothing is said of those that seem missing.
  const isProof = answer.isCredible && !spoilt.has(undefined);
  const missing = answer.asked.filter((id) => !named.has(id) && !spoilt.has(id) && !refused.has(id));
  const misses = await missesOf(tx, answer.asked);
  const shown = await shownInRun(tx, runId, missing);
  // That a listing is gone still, one answer may say.
  const known = new Set((await goneListings(tx, missing, now)).filter((id) => !shown.has(id)));
  const again: { id: number; misses: number }[] = [];
  const gone: number[] = [];
  const unsettled: number[] = [];
  for (const id of missing) {
    const times = (misses.get(id) ?? 0) + 1;
    if (isProof && known.has(id)) gone.push(id);
    else if (times < 2) again.push({ id, misses: times });
    else if (isProof && !shown.has(id)) gone.push(id);
    else if (isProof || times >= MOST_MISSES) unsettled.push(id);
    else again.push({ id, misses: times });
  }
  await dropWanted(tx, answer.asked);
  await wantAgain(tx, again);
  await settleListings(tx, gone, now);
  await recordGone(tx, services, gone, { now, fresh });
  await addOddities(tx, runId, [
    {
      ...MISSING,
      became: 'asked for again, and there',
      ...counted(answer.asked.filter((id) => named.has(id) && misses.has(id))),
    },
    {
      ...MISSING,
      became: 'asked for again in vain; left as they were, for the search shows them or no answer named any',
      ...counted(unsettled),
    },
  ]);
}

const MISSING = { what: 'listings were missing in an answer of listings/batch' };

function counted(ids: readonly number[]): { n: number; example: string | undefined } {
  return { n: ids.length, example: ids[0] === undefined ? undefined : String(ids[0]) };
}

interface Now {
  readonly now: number;
  readonly fresh: FreshSpan;
}

async function recordGone(
  tx: Tx,
  services: Services,
  gone: readonly number[],
  { now, fresh }: Now,
): Promise<void> {
  await markRemoved(tx, gone, now, fresh);
  await noteImages(tx, await lastKnownImages(tx, services, gone), []);
  const without = await withoutImage(tx, gone);
  await noteImages(
    tx,
    [],
    without.map((id) => ({ id, reason: 'Etsy no longer shows the listing' })),
  );
}

/** The listing is gone, its image may still be had: the entry of an earlier system names it. */
async function lastKnownImages(tx: Tx, services: Services, gone: readonly number[]): Promise<ImageRef[]> {
  const [host] = services.imageHosts;
  if (host === undefined) return [];
  const entries = await getEntries(tx, await withoutImage(tx, gone));
  return [...entries].flatMap(([listingId, text]) => {
    const image = imageOfEntry(JSON.parse(text));
    if (!image) return [];
    const url = imageUrl(host, image.shopId, image.imageId, image);
    return [{ listingId, imageId: image.imageId, url }];
  });
}

/** Of `listingIds`, those of which no image is known to be had. */
async function withoutImage(tx: Tx, listingIds: readonly number[]): Promise<number[]> {
  const unrecorded = await withoutImageRecord(tx, listingIds);
  return [...unrecorded, ...(await recheckImages(tx, listingIds))];
}
