import type { BatchListing, SearchPage } from '../../lib/etsy/api.ts';
import { imageParts, imageUrl } from '../../lib/dataset/image-url.ts';
import type { Listing, Rejected, Shop } from '../../lib/etsy/schemas.ts';
import { classify } from '../../lib/dataset/when-made.ts';
import { nowSeconds } from '../../lib/services.ts';
import type { ServicesWith } from '../../lib/services.ts';
import type { Sql, Tx } from '../../lib/store/database.ts';
import { setAside, settleListings, settleShops } from '../../lib/dataset/set-aside.ts';
import { imagesDone, noteImages, recheckImages, withoutImageRecord } from '../../lib/dataset/images.ts';
import type { ImageFile, ImageRef as StoredImage } from '../../lib/dataset/images.ts';
import {
  addListings,
  addListingsDynamic,
  dueListings,
  fillProductionPartners,
  markRemoved,
} from '../../lib/dataset/listings.ts';
import { getEntries, markSeen, putEntries } from '../../lib/dataset/meta-data.ts';
import { addShops, dueShops } from '../../lib/dataset/shops.ts';
import { staleBefore } from '../../lib/dataset/due.ts';
import { dropWanted, unwantedShops, want } from '../../lib/dataset/wanted.ts';
import { imageEntry, imageOfEntry, seenEntry, yearOfEntry } from '../../lib/dataset/entries.ts';
import type { ImageRef } from '../../lib/dataset/entries.ts';
import { imagesOnDisk } from '../../lib/dataset/image-files.ts';
import { orLeaveOut } from './leave-out.ts';
import { listingRow, primaryImage, shopRow } from './rows.ts';

type Services = ServicesWith<'api'>;

const SEARCH = 'listings/active';
const BATCHES = 'listings/batch';

type Found = readonly (ImageFile & { listingId: number })[];

/** The rules of when a row is due, at one moment. */
async function moment(
  sql: Sql,
  { rules }: Services,
  runId: number,
): Promise<{ now: number; staleBefore: number; madeSince: number }> {
  const now = nowSeconds();
  return { now, staleBefore: await staleBefore(sql, rules, runId, now), madeSince: rules.madeSince };
}

/** Images that lie on disk although nothing is recorded of them: another program, or an earlier system, put them there. */
export async function unrecordedImages(services: Services, listings: readonly Listing[]): Promise<Found> {
  const { madeSince } = services.rules;
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');
  const unrecorded = await withoutImageRecord(
    services.sql,
    since.map((listing) => listing.listing_id),
  );
  return imagesOnDisk(services.imagesFolder, unrecorded);
}

/**
 * A page of search results: entries for all, rows for what was made since; what only the batch can tell (image, shop,
 * fields the page lacks) is put on the list of the wanted.
 * @returns how many of the listings this slice had not shown before
 */
export async function applyPage(
  tx: Tx,
  services: Services,
  runId: number,
  page: SearchPage,
  slice: number,
  found: Found,
): Promise<number> {
  const { now, staleBefore, madeSince } = await moment(tx, services, runId);
  const listings = unique(page.good);
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');
  await updateEntries(tx, listings, madeSince, new Map(), new Set());
  const seen = await markSeen(tx, idsOf(listings), slice);

  const rows = since.map((listing) => listingRow(listing, now));
  await addListings(tx, rows);
  const whole = rows.filter((row) => row.views !== null);
  const refreshed = await addListingsDynamic(tx, whole, staleBefore);
  const lacking = await dueListings(tx, idsOf(rows.filter((row) => row.views === null)), staleBefore);

  await imagesDone(tx, found);
  const unknownImages = await withoutImageRecord(tx, idsOf(since));
  const recheck = await recheckImages(tx, [...refreshed, ...lacking]);
  const shopOf = new Map(since.map((listing) => [listing.listing_id, listing.shop_id]));
  const ids = [...new Set([...unknownImages, ...recheck, ...lacking])];
  await want(
    tx,
    ids.map((listingId) => ({ listingId, shopId: shopOf.get(listingId) ?? null })),
  );
  await wantShops(tx, since, staleBefore);
  // The batch may have a good record of what the page spoilt.
  const spoilt = page.rejected.flatMap((bad) => bad.listingId ?? []);
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
  return seen;
}

/** One listing of each shop that is due and that no wanted listing brings along. */
async function wantShops(tx: Tx, listings: readonly Listing[], staleBefore: number): Promise<void> {
  const listingOf = new Map(listings.map((listing) => [listing.shop_id, listing.listing_id]));
  const due = await dueShops(tx, [...listingOf.keys()], staleBefore);
  const shops = await unwantedShops(tx, due);
  await want(
    tx,
    shops.map((shopId) => ({ listingId: listingOf.get(shopId) ?? 0, shopId })),
  );
}

/** A shop that could not be had, and why. */
export interface LostShop extends Rejected {
  readonly shopId: number;
}

export interface BatchAnswer {
  readonly asked: readonly number[];
  readonly listings: readonly BatchListing[];
  readonly rejected: readonly Rejected[];
  /** Fetched one by one, because the association was missing. */
  readonly shops: readonly Shop[];
  readonly lostShops: readonly LostShop[];
  readonly found: Found;
  /** Set where no answer could be had; nothing is known of the listings then, and a later stage or run asks again. */
  readonly leftOut?: Rejected;
}

/** Asks for up to 100 listings with images and shops; a shop that should have come along but did not is asked for itself. */
export async function fetchBatch(
  services: Services,
  runId: number,
  asked: readonly number[],
): Promise<BatchAnswer> {
  const nothing = { asked, listings: [], rejected: [], shops: [], lostShops: [], found: [] };
  return orLeaveOut(askBatch(services, runId, asked), (leftOut) => ({ ...nothing, leftOut }));
}

async function askBatch(services: Services, runId: number, asked: readonly number[]): Promise<BatchAnswer> {
  const { good, rejected } = await services.api.batch(asked);
  const { staleBefore, madeSince } = await moment(services.sql, services, runId);
  const listings = unique(good);
  const brought = new Set(listings.flatMap((listing) => listing.shopRecord?.shop_id ?? []));
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');
  const missing = new Set(since.map((listing) => listing.shop_id).filter((shopId) => !brought.has(shopId)));
  const shops: Shop[] = [];
  const lostShops: LostShop[] = [];
  for (const shopId of await dueShops(services.sql, [...missing], staleBefore)) {
    const shop = await fetchShop(services, shopId);
    if ('reason' in shop) lostShops.push(shop);
    else shops.push(shop);
  }
  return { asked, listings, rejected, shops, lostShops, found: await unrecordedImages(services, listings) };
}

/** A shop by itself. What cannot be had or used is told, so that the rest goes on. */
export async function fetchShop(services: Services, shopId: number): Promise<Shop | LostShop> {
  const shop = await orLeaveOut(services.api.shop(shopId), (leftOut) => leftOut);
  if (!shop) return { shopId, reason: 'HTTP 404: Etsy no longer knows the shop', raw: shopId };
  return 'reason' in shop ? { ...shop, shopId } : shop;
}

/** The rows of shops, each where it is due; what could not be had is set aside. */
export async function applyShops(
  tx: Tx,
  services: Services,
  runId: number,
  shops: readonly Shop[],
  lost: readonly LostShop[],
): Promise<void> {
  const { now, staleBefore } = await moment(tx, services, runId);
  const rows = new Map(shops.map((shop) => [shop.shop_id, shopRow(shop, now)]));
  await addShops(tx, [...rows.values()], staleBefore);
  await settleShops(tx, [...rows.keys()], now);
  await setAside(
    tx,
    runId,
    now,
    lost.map((shop) => ({ endpoint: `shops/${shop.shopId}`, ...shop })),
  );
}

/** What a batch said: rows that are due, shops, images; and of those it did not name, that they are gone. */
export async function applyBatch(
  tx: Tx,
  services: Services,
  runId: number,
  answer: BatchAnswer,
): Promise<void> {
  const { now, staleBefore, madeSince } = await moment(tx, services, runId);
  const { listings, leftOut } = answer;
  if (leftOut) {
    const raw = answer.asked;
    return setAside(tx, runId, now, [{ endpoint: BATCHES, reason: leftOut.reason, raw }]);
  }
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');

  const rows = since.map((listing) => listingRow(listing, now));
  await addListings(tx, rows);
  await fillProductionPartners(tx, rows);
  await addListingsDynamic(tx, rows, staleBefore);
  const shops = [...since.flatMap((listing) => listing.shopRecord ?? []), ...answer.shops];
  await applyShops(tx, services, runId, shops, answer.lostShops);

  await imagesDone(tx, answer.found);
  await applyImages(tx, listings, since, madeSince);
  await applyMissing(tx, services, answer, now, staleBefore);
  await dropWanted(tx, answer.asked);
  await settleListings(tx, answer.asked, now);
  await setAside(
    tx,
    runId,
    now,
    answer.rejected.map((bad) => ({ endpoint: BATCHES, ...bad })),
  );
}

async function applyImages(
  tx: Tx,
  listings: readonly BatchListing[],
  since: readonly BatchListing[],
  madeSince: number,
): Promise<void> {
  const images = new Map<number, ImageRef & { url: string }>();
  const without: { id: number; reason: string }[] = [];
  for (const listing of since) {
    const image = listing.imageList && primaryImage(listing.imageList);
    if (image?.url_570xN) {
      const parts = imageParts(image.url_570xN);
      images.set(listing.listing_id, { imageId: image.listing_image_id, url: image.url_570xN, ...parts });
    } else if (listing.imageList) {
      without.push({ id: listing.listing_id, reason: 'the listing has no image' });
    }
  }
  const kept = await tx.all<{ id: number }>(
    "SELECT listing_id AS id FROM images WHERE state = 'done' AND listing_id IN (SELECT value FROM json_each(?))",
    [JSON.stringify([...images.keys()])],
  );
  await updateEntries(tx, listings, madeSince, images, new Set(kept.map((row) => row.id)));
  await noteImages(
    tx,
    [...images].map(([listingId, { imageId, url }]) => ({ listingId, imageId, url })),
    without,
  );
}

async function applyMissing(
  tx: Tx,
  services: Services,
  answer: BatchAnswer,
  now: number,
  staleBefore: number,
): Promise<void> {
  const named = new Set(idsOf(answer.listings));
  const unreadable = answer.rejected.map((bad) => bad.listingId);
  // A record whose very id cannot be read might be any of them: then nothing is said of those that seem missing.
  if (unreadable.includes(undefined)) return;
  const missing = answer.asked.filter((id) => !named.has(id) && !unreadable.includes(id));
  await markRemoved(tx, missing, now, staleBefore);
  await noteImages(tx, await lastKnownImages(tx, services, missing), []);
  const without = await withoutImage(tx, missing);
  await noteImages(
    tx,
    [],
    without.map((id) => ({ id, reason: 'Etsy no longer shows the listing' })),
  );
}

/** The listing is gone, its image may still be had: the entry of an earlier system names it. */
async function lastKnownImages(tx: Tx, services: Services, gone: readonly number[]): Promise<StoredImage[]> {
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

function idsOf(listings: readonly { readonly listing_id: number }[]): number[] {
  return listings.map((listing) => listing.listing_id);
}

/** A live index can show one listing twice on a page. */
function unique<T extends { readonly listing_id: number }>(listings: readonly T[]): T[] {
  return [...new Map(listings.map((listing) => [listing.listing_id, listing])).values()];
}
