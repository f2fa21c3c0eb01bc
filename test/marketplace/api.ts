/** The endpoints: from a path and a query to a status and a JSON text. */
import { jsonBody, jsonBytes, resultsBody } from './bytes.ts';
import { listingImage, pictures } from './images.ts';
import { fullListing, INCLUDES, openListing, type Include } from './listings.ts';
import * as params from './params.ts';
import { Refusal, type Query } from './params.ts';
import { reviewJson, reviewsBetween } from './reviews.ts';
import { find } from './search.ts';
import { shopJson } from './shops.ts';
import { roots } from './taxonomy.ts';
import { ACTIVE, findListing, findShop, REMOVED, type World } from './world.ts';

export interface Reply {
  status: number;
  body: Buffer;
}

export const BASE = '/v3/application';
const MOST_BATCHED = 100;
const FIRST_SECOND = 946_684_800;

interface Context {
  world: World;
  imageHost: string;
  query: Query;
  id: number;
}

type Endpoint = (context: Context) => Buffer;

const ENDPOINTS: readonly (readonly [path: RegExp, idName: string, endpoint: Endpoint])[] = [
  [/^\/listings\/active$/, '', findAllListingsActive],
  [/^\/listings\/batch$/, '', getListingsByListingIds],
  [/^\/listings\/([^/]+)$/, 'listing_id', getListing],
  [/^\/listings\/([^/]+)\/images$/, 'listing_id', getListingImages],
  [/^\/shops\/([^/]+)$/, 'shop_id', getShop],
  [/^\/shops\/([^/]+)\/reviews$/, 'shop_id', getReviewsByShop],
  [/^\/(?:seller|buyer)-taxonomy\/nodes$/, '', () => jsonBody({ count: roots.length, results: roots })],
  [/^\/openapi-ping$/, '', () => jsonBody({ application_id: 730_191_528_342 })],
];

export function answer(world: World, imageHost: string, method: string, path: string, query: Query): Reply {
  try {
    const below = path.startsWith(`${BASE}/`) && method === 'GET' ? path.slice(BASE.length) : '';
    for (const [pattern, idName, endpoint] of ENDPOINTS) {
      const match = pattern.exec(below);
      if (!match) continue;
      const id = match[1] === undefined ? 0 : params.toInt(idName, match[1]);
      return { status: 200, body: endpoint({ world, imageHost, query, id }) };
    }
    throw new Refusal(404, 'Resource not found');
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error.status, error.message);
    throw error;
  }
}

export function errorReply(status: number, message: string): Reply {
  return { status, body: jsonBody({ error: message }) };
}

function findAllListingsActive({ world, query }: Context): Buffer {
  const { settings } = world;
  const page = params.page(query, settings.overLimit);
  const keywords = params.text(query, 'keywords');
  const sortable = keywords !== undefined || !settings.sortNeedsKeywords;
  const sortOn = params.word(params.text(query, 'sort_on') ?? 'created', SORTS);
  const order = params.word(params.text(query, 'sort_order') ?? 'desc', ORDERS);
  const currency = params.code(query, 'currency', /^[A-Z]{3}$/);
  const found = find(world, {
    taxonomy: params.int(query, 'taxonomy_id', 1),
    min: params.decimal(query, 'min_price'),
    max: params.decimal(query, 'max_price'),
    keywords,
    safe: params.bool(query, 'is_safe'),
    shipsTo: params.code(query, 'buyer_country', /^[A-Z]{2}$/),
    shopLocation: params.code(query, 'shop_location', /^[A-Z]{2}$/),
    sortOn: sortable ? sortOn : 'created',
    ascending: sortable && sortOn !== 'score' && order.match(/^(asc|up)/) !== null,
  });
  params.within(found.length, page, settings.pastTheEnd);
  const extras = { views: settings.viewsOnPages, currency };
  const shown = Array.from(
    found.subarray(page.offset, page.offset + page.limit),
    (listing) => openListing(world, listing, extras) + '}',
  );
  return resultsBody(found.length, shown);
}

const SORTS = ['created', 'price', 'updated', 'score'] as const;
const ORDERS = ['asc', 'ascending', 'up', 'desc', 'descending', 'down'] as const;

function getListingsByListingIds({ world, imageHost, query }: Context): Buffer {
  const given = params.list(query, 'listing_ids').map((id) => params.toInt('listing_ids', id));
  if (given.length === 0) throw new Refusal(400, "Expected array value for 'listing_ids' (got NULL)");
  if (given.length > MOST_BATCHED) {
    throw new Refusal(400, `Invalid value for 'listing_ids': at most ${MOST_BATCHED} ids are allowed.`);
  }
  if (given.some((id) => id < 1))
    throw new Refusal(400, "Invalid value for 'listing_ids': expected 1 or more.");
  const includes = readIncludes(query);
  const currency = params.code(query, 'currency', /^[A-Z]{3}$/);
  // In an order of its own, each listing once: a client must match the answers by their ids.
  const shown = [...new Set(given)]
    .toSorted((a, b) => a - b)
    .map((id) => findListing(world, id))
    .filter((listing) => visible(world, listing, world.settings.batchReturnsInactive))
    .map((listing) => fullListing(world, imageHost, listing, includes, currency));
  return resultsBody(shown.length, shown);
}

function visible(world: World, listing: number, inactiveToo: boolean): boolean {
  if (listing < 0) return false;
  const state = world.listings.state.get(listing);
  return state === ACTIVE || (inactiveToo && state !== REMOVED);
}

function readIncludes(query: Query): ReadonlySet<Include> {
  return new Set(params.list(query, 'includes').map((name) => params.word(name.trim(), INCLUDES)));
}

function getListing({ world, imageHost, query, id }: Context): Buffer {
  const includes = readIncludes(query);
  const listing = findListing(world, id);
  if (!visible(world, listing, true)) throw new Refusal(404, 'Resource not found');
  return Buffer.from(fullListing(world, imageHost, listing, includes, undefined), 'latin1');
}

function getListingImages({ world, imageHost, id }: Context): Buffer {
  const listing = findListing(world, id);
  if (!visible(world, listing, true)) throw new Refusal(404, 'Resource not found');
  const shown = pictures(world, listing).map((image) =>
    jsonBytes(listingImage(world, imageHost, listing, image)),
  );
  return resultsBody(shown.length, shown);
}

function getShop({ world, id }: Context): Buffer {
  const shop = findShop(world, id);
  if (shop < 0) throw new Refusal(404, 'Resource not found');
  return Buffer.from(shopJson(world, shop), 'latin1');
}

function getReviewsByShop({ world, query, id }: Context): Buffer {
  const page = params.page(query, world.settings.overLimit);
  const from = params.int(query, 'min_created', FIRST_SECOND) ?? 0;
  const to = params.int(query, 'max_created', FIRST_SECOND) ?? Infinity;
  const shop = findShop(world, id);
  if (shop < 0) throw new Refusal(404, 'Resource not found');
  const found = reviewsBetween(world, shop, from, to);
  params.within(found.length, page, world.settings.pastTheEnd);
  const shown = Array.from(found.subarray(page.offset, page.offset + page.limit), (review) =>
    jsonBytes(reviewJson(world, review)),
  );
  return resultsBody(found.length, shown);
}
