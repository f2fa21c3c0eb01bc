import type { BatchListing } from '../../lib/etsy/api.ts';
import { ApiError } from '../../lib/etsy/errors.ts';
import type { Misfit } from '../../lib/etsy/fit.ts';
import type { Listing, Rejected, Shop } from '../../lib/etsy/schemas.ts';
import { classify } from '../../lib/dataset/when-made.ts';
import { freshSpan } from '../../lib/dataset/due.ts';
import type { FreshSpan } from '../../lib/dataset/due.ts';
import { imagesOnDisk } from '../../lib/dataset/image-files.ts';
import { withoutImageRecord } from '../../lib/dataset/images.ts';
import type { ImageFile } from '../../lib/dataset/images.ts';
import { lastOnOffer } from '../../lib/dataset/listings.ts';
import { dueShops } from '../../lib/dataset/shops.ts';
import { missesOf, nextWanted } from '../../lib/dataset/wanted.ts';
import { nowSeconds } from '../../lib/time.ts';
import type { ServicesWith } from '../../lib/services.ts';
import type { Sql } from '../../lib/store/database.ts';
import { BATCH } from '../../lib/task/window.ts';
import { orLeaveOut } from './leave-out.ts';

type Services = ServicesWith<'api'>;

/** Tries of a part of a batch that was refused: whether the endpoint is alive, the other part tells. */
const PATIENCE_OF_PARTS = 2;

export type Found = readonly (ImageFile & { listingId: number })[];

/** A shop that could not be had, and why. */
export interface LostShop extends Rejected {
  readonly shopId: number;
}

/** What came of asking for a shop by itself, or of its record in a batch. */
export interface FetchedShop {
  readonly shop?: Shop;
  readonly lost?: LostShop;
  readonly misfits?: readonly Misfit[];
}

/** A listing with which every batch is refused. */
export interface RefusedListing {
  readonly listingId: number;
  readonly reason: string;
}

export interface BatchAnswer {
  readonly asked: readonly number[];
  readonly listings: readonly BatchListing[];
  readonly rejected: readonly Rejected[];
  readonly misfits: readonly Misfit[];
  /** Fetched one by one, because the association was missing. */
  readonly shops: readonly FetchedShop[];
  readonly found: Found;
  readonly refused: readonly RefusedListing[];
  /** Some listing was named: then those that are missing may be gone. An answer that names none proves nothing. */
  readonly isCredible: boolean;
}

/**
 * The next listings to ask for, and how many more have a place in the batch. Where some were missing in an earlier
 * answer a place is kept for a listing that is known to be on offer.
 */
export async function nextInBatch(
  sql: Sql,
  except: ReadonlySet<number>,
): Promise<{ ids: number[]; room: number }> {
  const wanted = await nextWanted(sql, BATCH, except);
  const places = wanted.again ? BATCH - 1 : BATCH;
  const ids = wanted.ids.slice(0, places);
  return { ids, room: places - ids.length };
}

/**
 * Asks for up to 100 listings with images and shops; a shop that should have come along but did not is asked for itself.
 * A batch that is refused while others are answered is halved until the listing that spoils it is found.
 */
export async function fetchBatch(
  services: Services,
  runId: number,
  asked: readonly number[],
): Promise<BatchAnswer> {
  const misses = Math.max(0, ...(await missesOf(services.sql, asked)).values());
  // Another one each time: the first may itself be gone by now.
  const known = misses > 0 ? await lastOnOffer(services.sql, new Set(asked), misses - 1) : undefined;
  const answer = await askOrHalve({ services, runId, known }, asked);
  // Where none is known to be on offer there is nothing to hold the answer against.
  const isCredible = answer.isCredible || (misses > 0 && known === undefined);
  return { ...answer, asked, isCredible };
}

/** Once its answer is committed; those that it was refused with stay marked, so that they spoil no other batch. */
export function doneAsking(asked: Set<number>, answer: BatchAnswer): void {
  for (const id of answer.asked) asked.delete(id);
  for (const { listingId } of answer.refused) asked.add(listingId);
}

interface Batch {
  readonly services: Services;
  readonly runId: number;
  /** A listing that is known to be on offer: where an answer names it, those that it does not name are missing. */
  readonly known: number | undefined;
}

async function askOrHalve(batch: Batch, asked: readonly number[], patience?: number): Promise<BatchAnswer> {
  try {
    return await ask(batch, asked, patience);
  } catch (error) {
    if (!(error instanceof ApiError) || (error.kind !== 'refused' && error.kind !== 'hopeless')) throw error;
    if (asked.length <= 1)
      return { ...nothing(asked), refused: asked.map((listingId) => ({ listingId, reason: error.reason })) };
    const middle = Math.ceil(asked.length / 2);
    const one = await askOrHalve(batch, asked.slice(0, middle), PATIENCE_OF_PARTS);
    const other = await askOrHalve(batch, asked.slice(middle), PATIENCE_OF_PARTS);
    return joined(one, other);
  }
}

function nothing(asked: readonly number[]): BatchAnswer {
  return {
    asked,
    listings: [],
    rejected: [],
    misfits: [],
    shops: [],
    found: [],
    refused: [],
    isCredible: false,
  };
}

function joined(one: BatchAnswer, other: BatchAnswer): BatchAnswer {
  return {
    asked: [...one.asked, ...other.asked],
    listings: [...one.listings, ...other.listings],
    rejected: [...one.rejected, ...other.rejected],
    misfits: [...one.misfits, ...other.misfits],
    shops: [...one.shops, ...other.shops],
    found: [...one.found, ...other.found],
    refused: [...one.refused, ...other.refused],
    isCredible: one.isCredible || other.isCredible,
  };
}

async function ask(
  { services, runId, known }: Batch,
  asked: readonly number[],
  patience: number | undefined,
): Promise<BatchAnswer> {
  const { good, rejected, misfits } = await services.api.batch(
    known === undefined ? asked : [...asked, known],
    patience,
  );
  const ids = new Set(asked);
  const listings = unique(good.filter((listing) => ids.has(listing.listing_id)));
  const strange = good.filter(({ listing_id: id }) => !ids.has(id) && id !== known);
  const { fresh, madeSince } = await moment(services.sql, services, runId);
  const brought = new Set(listings.flatMap((listing) => listing.shopRecord?.shop_id ?? []));
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');
  const missing = new Set(since.map((listing) => listing.shop_id).filter((shopId) => !brought.has(shopId)));
  const shops: FetchedShop[] = [];
  for (const shopId of await dueShops(services.sql, [...missing], fresh))
    shops.push(await fetchShop(services, shopId));
  return {
    asked,
    listings,
    rejected: [...rejected, ...strange.map((raw) => ({ raw, reason: 'listing_id: was not asked for' }))],
    misfits,
    shops,
    found: (await unrecordedImages(services, listings)).found,
    refused: [],
    isCredible: good.some(({ listing_id: id }) => ids.has(id) || id === known),
  };
}

/** A shop by itself. What cannot be fetched or used is reported, so that the rest continues. */
export async function fetchShop(services: Services, shopId: number): Promise<FetchedShop> {
  const answer = await orLeaveOut(services.api.shop(shopId), (leftOut) => ({
    good: [],
    rejected: [leftOut],
    misfits: [],
  }));
  const [shop] = answer?.good ?? [];
  if (shop) return { shop, misfits: answer?.misfits ?? [] };
  const [bad] = answer?.rejected ?? [];
  return { lost: { ...(bad ?? { reason: 'HTTP 404: Etsy no longer knows the shop', raw: shopId }), shopId } };
}

/** Listings of whose image nothing is on record; and of these, images that are on disk all the same. */
export interface Unrecorded {
  readonly ids: readonly number[];
  /** Another program, or an earlier system, put them there. */
  readonly found: Found;
}

export async function unrecordedImages(
  services: Services,
  listings: readonly Listing[],
): Promise<Unrecorded> {
  const { madeSince } = services.rules;
  const since = listings.filter((listing) => classify(listing.when_made, madeSince) === 'since');
  const unrecorded = await withoutImageRecord(services.sql, idsOf(since));
  return { ids: unrecorded, found: await imagesOnDisk(services.imagesFolder, unrecorded) };
}

/** The rules of when a row is due, at one moment. */
export async function moment(
  sql: Sql,
  { rules }: Services,
  runId: number,
): Promise<{ now: number; fresh: FreshSpan; madeSince: number; gapsSince: number }> {
  const now = nowSeconds();
  const fresh = await freshSpan(sql, rules, runId, now);
  // First read in this run or in the one before.
  return { now, fresh, madeSince: rules.madeSince, gapsSince: fresh.since - rules.refreshAfter };
}

/** A live index can show one listing twice on a page. */
export function unique<T extends { readonly listing_id: number }>(listings: readonly T[]): T[] {
  return [...new Map(listings.map((listing) => [listing.listing_id, listing])).values()];
}

export function idsOf(listings: readonly { readonly listing_id: number }[]): number[] {
  return listings.map((listing) => listing.listing_id);
}
