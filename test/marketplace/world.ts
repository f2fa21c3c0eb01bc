import { createClock, type Clock } from './clock.ts';
import { Column, groupBy } from './columns.ts';
import { createIds, MOST_LISTINGS, type Ids } from './ids.ts';
import type { Settings } from './options.ts';

export const STATES = ['active', 'inactive', 'sold_out', 'expired', 'removed'] as const;
export type ListingState = (typeof STATES)[number];
export const ACTIVE = STATES.indexOf('active');
export const INACTIVE = STATES.indexOf('inactive');
export const SOLD_OUT = STATES.indexOf('sold_out');
export const EXPIRED = STATES.indexOf('expired');
export const REMOVED = STATES.indexOf('removed');

/**
 * What changes, or must be searched by, is kept here; all else about a listing, shop or review follows from the
 * seed and its serial number, and is worked out when it is asked for.
 */
export interface World {
  readonly settings: Settings;
  readonly seed: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly listings: Listings;
  readonly shops: Shops;
  readonly reviews: Reviews;
  /** Pictures that do not serve as they were seeded to, by listing. */
  readonly imageEdits: Map<number, string>;
  /** Shops, by serial number, that have changed their currency. */
  readonly currencyEdits: Map<number, string>;
  /** How often the clock was moved: part of the seed of what happens next. */
  moves: number;
  /** Goes up with every change; what was worked out before it is stale. */
  version: number;
}

export type Listings = ReturnType<typeof createListings>;
export type Shops = ReturnType<typeof createShops>;
export type Reviews = ReturnType<typeof createReviews>;

function createListings() {
  return {
    shop: new Column('u32'),
    taxonomy: new Column('u16'),
    made: new Column('u8'),
    state: new Column('u8'),
    /** When it was last listed: renewing moves it. */
    created: new Column('u32'),
    original: new Column('u32'),
    updated: new Column('u32'),
    stateSince: new Column('u32'),
    /** The price in US cents; the shop's currency and rate make the price that is shown. */
    cents: new Column('u32'),
    quantity: new Column('u16'),
    favorers: new Column('u32'),
    views: new Column('u32'),
    /** How often the first picture was replaced. */
    edition: new Column('u8'),
  };
}

function createShops() {
  return {
    created: new Column('u32'),
    updated: new Column('u32'),
    sold: new Column('u32'),
    favorers: new Column('u32'),
    closed: new Column('u8'),
  };
}

function createReviews() {
  return {
    shop: new Column('u32'),
    listing: new Column('u32'),
    created: new Column('u32'),
    /** When it shows up, at most a day after it says it was created. */
    visible: new Column('u32'),
    /** Whether it is from the buyer of the review before it: one order, two reviews. */
    twin: new Column('u8'),
  };
}

export function emptyWorld(settings: Settings): World {
  return {
    settings,
    seed: settings.seed | 0,
    clock: createClock(settings.now, settings.year),
    ids: createIds(settings.seed),
    listings: createListings(),
    shops: createShops(),
    reviews: createReviews(),
    imageEdits: new Map(),
    currencyEdits: new Map(),
    moves: 0,
    version: 0,
  };
}

type Row<Table> = { [Name in keyof Table]: number };

/** Adds a row to a table and tells its serial number. */
export function addRow<Table extends Record<string, Column>>(table: Table, row: Row<Table>): number {
  let serial = 0;
  for (const name in table) {
    const column: Column | undefined = table[name];
    if (!column) continue;
    serial = column.length;
    column.add(row[name]);
  }
  if (serial >= MOST_LISTINGS * 4) throw new Error('The world is full: ids would repeat.');
  return serial;
}

/** Works something out once for each version of the world. */
export function perVersion<T>(make: (world: World) => T): (world: World) => T {
  const known = new WeakMap<World, { version: number; value: T }>();
  return (world) => {
    const last = known.get(world);
    if (last?.version === world.version) return last.value;
    const value = make(world);
    known.set(world, { version: world.version, value });
    return value;
  };
}

export const listingsOfShops = perVersion((world) =>
  groupBy(world.listings.shop, world.shops.created.length),
);
export const reviewsOfShops = perVersion((world) => groupBy(world.reviews.shop, world.shops.created.length));

/** The serial number of the listing with this id, or -1. */
export function findListing(world: World, id: number): number {
  const serial = world.ids.listing.serialOf(id);
  return serial < world.listings.shop.length ? serial : -1;
}

/** The serial number of the open shop with this id, or -1. */
export function findShop(world: World, id: number): number {
  const serial = world.ids.shop.serialOf(id);
  return serial >= 0 && serial < world.shops.created.length && !world.shops.closed.get(serial) ? serial : -1;
}
