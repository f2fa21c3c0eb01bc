/** Changes to single things in the world, for tests that need just this to happen. */
import { setState as set } from './change.ts';
import type { ImageService } from './images.ts';
import { createRandom } from './random.ts';
import { addListing as add } from './seed.ts';
import { truthListing, type TruthListing } from './truth.ts';
import { madePlace } from './when-made.ts';
import { findListing, findShop, STATES, type ListingState, type World } from './world.ts';

export interface NewListing {
  taxonomyId: number;
  shopId?: number;
  whenMade?: string | null;
  /** The price in US cents. */
  cents?: number;
  state?: ListingState;
  /** Epoch seconds; the marketplace's present by default. */
  created?: number;
}

export function listing(world: World, imageHost: string, id: number): TruthListing | null {
  const serial = findListing(world, id);
  return serial < 0 ? null : truthListing(world, imageHost, serial);
}

export function addListing(world: World, given: NewListing): number {
  const random = createRandom(world.seed ^ world.listings.shop.length);
  const { shopId, whenMade, cents, state } = given;
  const serial = add(world, random, {
    taxonomy: given.taxonomyId,
    created: given.created ?? world.clock.world(),
    ...(shopId === undefined ? {} : { shop: existing(findShop(world, shopId), shopId) }),
    ...(whenMade === undefined ? {} : { made: madePlace(whenMade, world.clock.year()) }),
    ...(cents === undefined ? {} : { cents }),
    ...(state === undefined ? {} : { state: STATES.indexOf(state) }),
  });
  world.version++;
  return world.ids.listing.idOf(serial);
}

export function setState(world: World, id: number, state: ListingState): void {
  set(world, existing(findListing(world, id), id), STATES.indexOf(state), world.clock.world());
  world.version++;
}

export function setImage(world: World, id: number, service: ImageService): void {
  world.imageEdits.set(existing(findListing(world, id), id), service);
  world.version++;
}

/** From now on the shop's prices are in this currency; one that the marketplace does not know is US dollars. */
export function setCurrency(world: World, shopId: number, code: string): void {
  world.currencyEdits.set(existing(findShop(world, shopId), shopId), code);
  world.version++;
}

function existing(serial: number, id: number): number {
  if (serial < 0) throw new Error(`There is no ${id}.`);
  return serial;
}
