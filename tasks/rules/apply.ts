import type { BatchListing, SearchPage } from '../../lib/etsy/api.ts';
import { imageNumber, imageParts } from '../../lib/dataset/image-url.ts';
import type { Listing, ListingImage } from '../../lib/etsy/schemas.ts';
import { classify } from '../../lib/dataset/when-made.ts';
import type { ServicesWith } from '../../lib/services.ts';
import { nowSeconds } from '../../lib/time.ts';
import type { Tx } from '../../lib/store/database.ts';
import { noteReceived } from '../../lib/dataset/answers.ts';
import { addOddities, misfitOddities } from '../../lib/dataset/oddities.ts';
import type { Oddity } from '../../lib/dataset/oddities.ts';
import { setAside, setAsideRefused, settleListings, settleShops } from '../../lib/dataset/set-aside.ts';
import type { FreshSpan } from '../../lib/dataset/due.ts';
import {
  imagesDone,
  imagesDoubtful,
  noteImages,
  onDisk,
  recheckImages,
  withoutImageRecord,
} from '../../lib/dataset/images.ts';
import {
  addListingsDynamic,
  addOrFillListings,
  backListings,
  dueListings,
  fillProductionPartners,
  storedListings,
} from '../../lib/dataset/listings.ts';
import { getEntries, markSeen, putEntries } from '../../lib/dataset/meta-data.ts';
import { addShops, dueShops } from '../../lib/dataset/shops.ts';
import { unwantedShops, want } from '../../lib/dataset/wanted.ts';
import { imageEntry, seenEntry, yearOfEntry } from '../../lib/dataset/entries.ts';
import type { ImageRef } from '../../lib/dataset/entries.ts';
import { applyMissing } from './apply-missing.ts';
import { idsOf, moment, unique } from './batch.ts';
import type { BatchAnswer, FetchedShop, Unrecorded } from './batch.ts';
import { listingRow, primaryImage, shopRow } from './rows.ts';

type Services = ServicesWith<'api'>;

const SEARCH = 'listings/active';
const BATCHES = 'listings/batch';
const SHOPS = 'shops/{id}';

/**
 * A page of search results: entries for all, rows for what was made since; what only the batch can tell (image, shop,
 * fields the page lacks) is put on the list of the wanted.
 * @param unrecorded as of a moment ago, before the transaction: an image on record stays on record
 * @returns how many of the listings this slice had not shown before
 */
export async function applyPage(
  tx: Tx,
  services: Services,
  runId: number,
  page: SearchPage,
  slice: number,
  unrecorded: Unrecorded,
): Promise<number> {
  const { now, fresh, madeSince, gapsSince } = await moment(tx, services, runId);
  const listings = unique(page.good);
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');
  await updateEntries(tx, listings, madeSince, new Map(), new Set());
  const spoilt = page.rejected.flatMap((bad) => bad.listingId ?? []);
  const seen = await markSeen(tx, [...idsOf(listings), ...spoilt], slice);

  const rows = since.map((listing) => listingRow(listing, now));
  await addOrFillListings(tx, rows, gapsSince);
  const whole = rows.filter((row) => row.views !== null);
  const refreshed = await addListingsDynamic(tx, whole, fresh);
  const back = await backListings(tx, refreshed, now);
  const lacking = await dueListings(tx, idsOf(rows.filter((row) => row.views === null)), fresh);

  await imagesDone(tx, unrecorded.found);
  const unknownImages = await withoutImageRecord(tx, unrecorded.ids);
  const recheck = await recheckImages(tx, [...refreshed, ...lacking]);
  const shopOf = new Map(since.map((listing) => [listing.listing_id, listing.shop_id]));
  const ids = [...new Set([...unknownImages, ...recheck, ...lacking])];
  await want(
    tx,
    ids.map((listingId) => ({ listingId, shopId: shopOf.get(listingId) ?? null })),
  );
  await wantShops(tx, since, fresh);
  // The batch may have a good record of what the page spoilt.
  await want(
    tx,
    spoilt.map((listingId) => ({ listingId, shopId: null })),
  );
  await settleListings(tx, idsOf(listings), now, SEARCH);
  await setAside(
    tx,
    runId,
    now,
    page.rejected.map((bad) => ({ endpoint: SEARCH, ...bad })),
  );
  await noteReceived(tx, runId, {
    endpoint: SEARCH,
    usable: page.good.length,
    unusable: page.rejected.length,
    reason: page.rejected.at(-1)?.reason,
  });
  await addOddities(tx, runId, [backOnOffer(back), ...misfitOddities(SEARCH, page.misfits)]);
  return seen;
}

/** A page of the search that was refused twice, at different times of the run. The next run reads all pages anyway. */
export async function applyRefusedPage(tx: Tx, runId: number, place: string, refusal: string): Promise<void> {
  const reason = `${refusal} (${place})`;
  await setAside(tx, runId, nowSeconds(), [{ endpoint: SEARCH, reason, raw: null }]);
  await noteReceived(tx, runId, { endpoint: SEARCH, refused: 1, reason });
  await addOddities(tx, runId, [
    {
      what: `a page of the search could not be had (${refusal})`,
      became: 'set aside after a second try; the next run asks again',
      example: place,
    },
  ]);
}

/** One listing of each shop that is due and that no wanted listing brings along. */
async function wantShops(tx: Tx, listings: readonly Listing[], fresh: FreshSpan): Promise<void> {
  const listingOf = new Map(listings.map((listing) => [listing.shop_id, listing.listing_id]));
  const due = await dueShops(tx, [...listingOf.keys()], fresh);
  const shops = await unwantedShops(tx, due);
  await want(
    tx,
    shops.map((shopId) => ({ listingId: listingOf.get(shopId) ?? 0, shopId })),
  );
}

/** The rows of shops, each where it is due; what could not be had is set aside. */
export async function applyShops(
  tx: Tx,
  services: Services,
  runId: number,
  shops: readonly FetchedShop[],
): Promise<void> {
  const { now, fresh, gapsSince } = await moment(tx, services, runId);
  const rows = new Map(shops.flatMap(({ shop }) => (shop ? [[shop.shop_id, shopRow(shop, now)]] : [])));
  const lost = shops.flatMap((one) => one.lost ?? []);
  await addShops(tx, [...rows.values()], fresh, gapsSince);
  await settleShops(tx, [...rows.keys()], now);
  await setAside(
    tx,
    runId,
    now,
    lost.map((shop) => ({ endpoint: `shops/${shop.shopId}`, ...shop })),
  );
  const misfits = shops.flatMap((one) => one.misfits ?? []);
  await addOddities(tx, runId, misfitOddities(SHOPS, misfits));
}

/** What a batch said: rows that are due, shops, images; and what becomes of those that it did not name. */
export async function applyBatch(
  tx: Tx,
  services: Services,
  runId: number,
  answer: BatchAnswer,
): Promise<void> {
  const { now, fresh, madeSince, gapsSince } = await moment(tx, services, runId);
  const { listings, rejected } = answer;
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');

  const rows = since.map((listing) => listingRow(listing, now));
  await addOrFillListings(tx, rows, gapsSince);
  await fillProductionPartners(tx, rows);
  const back = await backListings(tx, await addListingsDynamic(tx, rows, fresh), now);
  // Rows of a listing that is no longer of the years wanted go on being kept, until it is gone.
  const others = listings.filter((listing) => classify(listing.when_made, madeSince) !== 'since');
  const stored = await storedListings(tx, idsOf(others));
  const outside = others.filter((listing) => stored.has(listing.listing_id));
  await addListingsDynamic(
    tx,
    outside.map((listing) => listingRow(listing, now)),
    fresh,
  );
  const brought = since.flatMap((listing) => listing.shopRecord ?? []);
  await applyShops(tx, services, runId, [...brought.map((shop) => ({ shop })), ...answer.shops]);

  await imagesDone(tx, answer.found);
  await applyImages(tx, runId, listings, since, madeSince);
  await applyMissing(tx, services, runId, answer, { now, fresh });
  await settleListings(tx, idsOf(listings), now);
  await setAside(
    tx,
    runId,
    now,
    rejected.map((bad) => ({ endpoint: BATCHES, ...bad })),
  );
  await noteReceived(tx, runId, {
    endpoint: BATCHES,
    usable: listings.length,
    unusable: rejected.filter((bad) => !bad.ofPart).length,
    reason: rejected.at(-1)?.reason,
  });
  await applyRefused(tx, services, runId, answer, now);
  await addOddities(tx, runId, [backOnOffer(back), ...misfitOddities(BATCHES, answer.misfits)]);
}

/** Listings that spoil every batch they are in. */
async function applyRefused(
  tx: Tx,
  { rules }: Services,
  runId: number,
  { refused }: BatchAnswer,
  now: number,
): Promise<void> {
  for (const { listingId, reason } of refused) {
    await setAsideRefused(tx, runId, now, { endpoint: BATCHES, reason, listingId }, rules.refreshAfter);
    await noteReceived(tx, runId, { endpoint: BATCHES, refused: 1, reason });
    await addOddities(tx, runId, [
      {
        what: `a batch with a certain listing was refused (${reason})`,
        became: 'set aside; asked for by itself, and the rest without it',
        example: String(listingId),
      },
    ]);
  }
}

/** Rows that said so were wrong, or it is back. */
function backOnOffer(back: readonly number[]): Oddity {
  return {
    what: 'listings recorded as removed were shown again',
    became: 'recorded as on offer again',
    n: back.length,
    example: back[0] === undefined ? undefined : String(back[0]),
  };
}

async function applyImages(
  tx: Tx,
  runId: number,
  listings: readonly BatchListing[],
  since: readonly BatchListing[],
  madeSince: number,
): Promise<void> {
  const images = new Map<number, ImageRef & { url: string }>();
  const without: { id: number; reason: string }[] = [];
  const doubtful: { listingId: number; reason: string }[] = [];
  for (const listing of since) {
    const image = listing.imageList && primaryImage(listing.imageList);
    const doubt = image && contradiction(image, listing.listing_id);
    if (doubt !== undefined) doubtful.push({ listingId: listing.listing_id, reason: doubt });
    else if (image?.url_570xN) {
      const parts = imageParts(image.url_570xN);
      images.set(listing.listing_id, { imageId: image.listing_image_id, url: image.url_570xN, ...parts });
    } else if (listing.imageList) {
      without.push({ id: listing.listing_id, reason: 'the listing has no image' });
    }
  }
  const kept = await onDisk(tx, [...images.keys()]);
  await updateEntries(tx, listings, madeSince, images, new Set(kept));
  await noteImages(
    tx,
    [...images].map(([listingId, { imageId, url }]) => ({ listingId, imageId, url })),
    without,
  );
  await imagesDoubtful(tx, doubtful);
  await addOddities(tx, runId, [
    {
      what: 'the image of a listing had the address of another image',
      became: 'not fetched; asked for again',
      n: doubtful.length,
      example: doubtful[0] && `listing ${doubtful[0].listingId}: ${doubtful[0].reason}`,
    },
  ]);
}

/** What one answer says twice, of the same image, in two ways; undefined where it agrees with itself. */
function contradiction(image: ListingImage, listingId: number): string | undefined {
  const { listing_image_id: id, listing_id: owner, url_570xN: url } = image;
  if (typeof owner === 'number' && owner !== listingId) return `image ${id} is of another listing, ${owner}`;
  const number = url ? imageNumber(url) : undefined;
  // The listing's own number says whose it is just as well.
  if (number === undefined || number === id || number === listingId) return undefined;
  return `the address of image ${id} is that of another, ${number}`;
}

async function updateEntries(
  tx: Tx,
  listings: readonly Listing[],
  madeSince: number,
  images: ReadonlyMap<number, ImageRef>,
  kept: ReadonlySet<number>,
): Promise<void> {
  const old = await getEntries(tx, idsOf(listings));
  const changed = listings.flatMap((listing) => {
    const id = listing.listing_id;
    const text = old.get(id);
    const before: unknown = text === undefined ? undefined : JSON.parse(text);
    const seen = seenEntry(before, listing, madeSince);
    const current = seen ?? before;
    const image = images.get(id);
    const pictured = image && imageEntry(current as Record<string, unknown>, image, kept.has(id));
    const value = pictured ?? seen;
    return value ? { listingId: id, value: JSON.stringify(value), earliestYear: yearOfEntry(value) } : [];
  });
  await putEntries(tx, changed);
}
