import type { Client, Patience } from './client.ts';
import type { Query, Read } from './exchange.ts';
import { ApiError } from './errors.ts';
import { z } from 'zod';
import {
  READ,
  envelope,
  listing,
  listingImage,
  reasonOf,
  review,
  shop,
  sortOut,
  taxonomyNode,
} from './schemas.ts';
import type { Misfit } from './fit.ts';
import type { Listing, ListingImage, Rejected, Review, Shop, Sorted, TaxonomyNode } from './schemas.ts';
import { PAGE } from '../limits.ts';
import type { Kept } from '../text/clean.ts';
import { isCut, TOO_DEEP } from '../text/json.ts';
import type { Category } from '../dataset/taxonomy.ts';

/** The largest offset Etsy takes; with it, 12,100 rows of a query can be reached. */
export const MAX_OFFSET = 12_000;

export interface SearchQuery {
  readonly taxonomyId: number;
  readonly offset: number;
  /** Inclusive, in cents of whatever currency Etsy's filter compares. */
  readonly lowCents: number;
  /** Inclusive; undefined: no upper end. */
  readonly highCents: number | undefined;
  /** By creation time. Newest first is Etsy's default. */
  readonly order: 'desc' | 'asc';
}

export interface SearchPage extends Sorted<Listing> {
  /** All that match, as Etsy counts; undefined when the offset is past the end. */
  readonly count: number | undefined;
}

export interface BatchListing extends Listing {
  /** Undefined where the answer carries no association at all. */
  readonly imageList: readonly ListingImage[] | undefined;
  readonly shopRecord: Shop | undefined;
}

export interface ReviewQuery {
  readonly offset: number;
  /** Epoch seconds, inclusive. */
  readonly minCreated?: number | undefined;
  readonly maxCreated?: number | undefined;
}

export interface ReviewPage extends Sorted<Review> {
  /** Of the window, as Etsy counts; undefined when the offset is past its end. */
  readonly count: number | undefined;
  /** Rows in the answer, good and bad. */
  readonly rows: number;
}

interface ListOptions {
  /** What of the answer is read. */
  readonly kept?: Kept;
  readonly offset?: number;
  readonly patience?: number | undefined;
  /** A 404 says that there is none: whoever asks takes a second look by himself. */
  readonly isGone?: boolean;
}

/** The endpoints that the sync reads, as typed calls. Names in the methods are Etsy's operation ids. */
export class EtsyApi {
  readonly #client: Client;
  readonly #signal: AbortSignal | undefined;

  constructor(client: Client, signal?: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** The same for a stage that may be stopped by itself: once `signal` is aborted, what is not sent yet throws its reason. */
  until(signal: AbortSignal): EtsyApi {
    return new EtsyApi(this.#client, signal);
  }

  /** findAllListingsActive. An offset past the end is the end, whether Etsy answers 400 or an empty page. */
  async search(query: SearchQuery): Promise<SearchPage> {
    const asked = {
      limit: PAGE,
      offset: query.offset,
      taxonomy_id: query.taxonomyId,
      min_price: query.lowCents > 0 ? dollars(query.lowCents) : undefined,
      max_price: query.highCents === undefined ? undefined : upTo(query.highCents),
      sort_on: query.order === 'asc' ? 'created' : undefined,
      sort_order: query.order === 'asc' ? 'asc' : undefined,
    };
    try {
      return await this.#list('listings/active', PAGE, asked, sortListings, { offset: query.offset });
    } catch (error) {
      if (!isPastTheEnd(error, query.offset)) throw error;
      return { count: undefined, good: [], rejected: [], misfits: [] };
    }
  }

  /**
   * getListingsByListingIds with images and shop. Ids that do not exist or are not visible are missing in the answer; where
   * none exists it may be a 404.
   * @param patience tries before checking whether the request or the API is at fault; undefined: as many as usual
   */
  async batch(ids: readonly number[], patience?: number): Promise<Sorted<BatchListing>> {
    const query = { listing_ids: ids.join(','), includes: 'Images,Shop' };
    const answer = this.#list('listings/batch', ids.length, query, sortBatch, { patience, isGone: true });
    return (await this.#unlessGone(answer)) ?? { good: [], rejected: [], misfits: [] };
  }

  /** getShop, one record good or rejected; undefined when Etsy no longer knows it. */
  async shop(shopId: number): Promise<Sorted<Shop> | undefined> {
    const path = `shops/${shopId}`;
    return this.#unlessGone(
      this.#get(path, {}, (read) => {
        const raw = read();
        const sorted = sortOut(shop, [raw]);
        // The shop asked for, but not as it should be: asking again would not help.
        if (sorted.good[0]?.shop_id === shopId || fieldOf(raw, 'shop_id') === shopId) return sorted;
        const reason = sorted.rejected[0]?.reason ?? `shop_id: is another than ${shopId}`;
        throw new ApiError('body', path, `not a shop record: ${reason}`);
      }),
    );
  }

  /** getReviewsByShop, newest first; undefined when Etsy no longer knows the shop. */
  async reviews(shopId: number, query: ReviewQuery): Promise<ReviewPage | undefined> {
    try {
      const asked = {
        limit: PAGE,
        offset: query.offset,
        min_created: query.minCreated,
        max_created: query.maxCreated,
      };
      const sort = (rows: readonly unknown[]) => ({
        rows: rows.length,
        ...ofShop(shopId, sortOut(review, rows)),
      });
      return await this.#list(`shops/${shopId}/reviews`, PAGE, asked, sort, {
        kept: READ.reviews,
        offset: query.offset,
        isGone: true,
      });
    } catch (error) {
      if (isPastTheEnd(error, query.offset))
        return { count: undefined, rows: 0, good: [], rejected: [], misfits: [] };
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * getSellerTaxonomyNodes: all categories, parents before what is below them. Whole or not at all: where one is
   * missing, a name may seem to be nobody's, or only one's.
   * @param isOptional nothing waits for them: see Client.get
   */
  async taxonomy(isOptional = false): Promise<Category[]> {
    const path = 'seller-taxonomy/nodes';
    const accept = (read: Read): z.infer<typeof wholeTree>['results'] => {
      const body = read();
      const parsed = wholeTree.safeParse(body);
      if (parsed.success && !isCut(body)) return parsed.data.results;
      const reason = parsed.success ? TOO_DEEP : reasonOf(parsed.error);
      throw new ApiError('body', path, `not a taxonomy: ${reason}`);
    };
    return flattened(await this.#get(path, {}, accept, isOptional ? { patience: 3, isOptional } : {}), null);
  }

  /**
   * @param most rows asked for: an answer with more is not the answer to that
   * @param sort the rows
   */
  #list<T extends { readonly rejected: readonly Rejected[] }>(
    path: string,
    most: number,
    query: Query,
    sort: (rows: unknown[]) => T,
    { kept = READ.listings, offset = 0, patience, isGone = false }: ListOptions = {},
  ): Promise<T & { readonly count: number }> {
    const sorted = (body: unknown): T & { readonly count: number } => {
      const parsed = envelope.safeParse(body);
      if (!parsed.success)
        throw new ApiError('body', path, `not a list of records: ${reasonOf(parsed.error)}`);
      const { count, results } = parsed.data;
      if (results.length > most)
        throw new ApiError('body', path, `${results.length} rows where at most ${most} were asked for`, {
          isExcess: true,
        });
      return { ...sort(results), count };
    };
    const accept = (read: Read): T & { readonly count: number } => {
      const answer = sorted(read(kept));
      // What is set aside is kept whole.
      if (answer.rejected.length > 0) read();
      return answer;
    };
    return this.#get(path, query, accept, {
      isMeant: (refusal) => isPastTheEnd(refusal, offset) || (isGone && refusal.status === 404),
      ...(patience !== undefined && { patience }),
    });
  }

  #get<T>(path: string, query: Query, accept: (read: Read) => T, patience: Patience = {}): Promise<T> {
    return this.#client.get(path, query, accept, { ...patience, signal: this.#signal });
  }

  async #unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }
}

function isPastTheEnd(error: unknown, offset: number): boolean {
  return offset > 0 && error instanceof ApiError && error.status === 400 && /offset/i.test(error.message);
}

/** A review that names another shop than the one asked for is nobody's. */
function ofShop(shopId: number, { good, rejected, misfits }: Sorted<Review>): Sorted<Review> {
  const others = good.filter((one) => one.shop_id !== shopId);
  const reason = `shop_id: is another shop's than ${shopId}, which was asked for`;
  return {
    good: good.filter((one) => one.shop_id === shopId),
    rejected: [...rejected, ...others.map((raw) => ({ raw, reason }))],
    misfits,
  };
}

function within(area: string, misfits: readonly Misfit[]): Misfit[] {
  return misfits.map((misfit) => ({ ...misfit, field: `${area}.${misfit.field}` }));
}

const wholeTree = envelope.extend({ results: z.array(taxonomyNode).min(1) });

function flattened(nodes: readonly TaxonomyNode[], parentId: number | null): Category[] {
  return nodes.flatMap(({ id, name, children }) => [
    { id, parentId, name },
    ...flattened(children ?? [], id),
  ]);
}

function sortListings(records: readonly unknown[]): Sorted<Listing> {
  const { good, rejected, misfits } = sortOut(listing, records);
  return { good, rejected: rejected.map((bad) => ({ ...bad, listingId: listingIdOf(bad.raw) })), misfits };
}

/** Listings with their images and shops. */
function sortBatch(records: readonly unknown[]): Sorted<BatchListing> {
  const { good, rejected, misfits } = sortListings(records);
  const listings = good.map((record): BatchListing => {
    const listingId = record.listing_id;
    const images = record.images ? sortOut(listingImage, record.images) : undefined;
    const shops = sortOut(shop, record.shop ? [record.shop] : []);
    misfits.push(...within('images', images?.misfits ?? []), ...within('shop', shops.misfits));
    const bad = [...(images?.rejected ?? []), ...shops.rejected];
    rejected.push(...bad.map((one) => ({ ...one, listingId, ofPart: true })));
    return {
      ...record,
      imageList: images && maySpeak(images) ? images.good : undefined,
      shopRecord: shops.good[0],
    };
  });
  return { good: listings, rejected, misfits };
}

function listingIdOf(raw: unknown): number | undefined {
  const written = fieldOf(raw, 'listing_id');
  const id = typeof written === 'string' && /^\d{1,15}$/.test(written) ? Number(written) : written;
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

function fieldOf(raw: unknown, name: string): unknown {
  return typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>)[name] : undefined;
}

/** Not where one that could not be used may be the first of them: another would then be taken for the listing's own. */
function maySpeak({ good, rejected, misfits }: Sorted<ListingImage>): boolean {
  if (misfits.some(({ field, isRead }) => field === 'rank' && !isRead)) return false;
  const first = Math.min(...good.map((image) => image.rank ?? Infinity));
  return rejected.every(({ raw }) => {
    const rank = fieldOf(raw, 'rank');
    return typeof rank === 'number' && rank > first;
  });
}

/**
 * Just below the next cent: Etsy compares converted prices, which can fall between two cents, and between two ranges no
 * price may fall through.
 */
function upTo(cents: number): string {
  return ((cents + 0.99) / 100).toFixed(4);
}

function dollars(cents: number): string {
  return (cents / 100).toFixed(2);
}
