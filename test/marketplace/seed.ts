import { DAY } from './clock.ts';
import type { Settings } from './options.ts';
import { createRandom, type Random } from './random.ts';
import { drawMade, madeSince2000 } from './when-made.ts';
import * as world from './world.ts';
import type { World } from './world.ts';

const OLDEST_SHOP = Date.UTC(2005, 5, 18) / 1000;
/** The share of listings that are not for sale, on top of those that are. */
const OFF_SALE = 0.06;
const LATE = 0.2;

export function seedWorld(settings: Settings): World {
  const seeded = world.emptyWorld(settings);
  const random = createRandom(settings.seed);
  const now = seeded.clock.world();
  for (let s = 0; s < settings.shops; s++) {
    addShop(seeded, random, Math.floor(OLDEST_SHOP + random.next() * (now - 200 * DAY - OLDEST_SHOP)));
  }
  for (const [id, size] of Object.entries(settings.categories)) {
    seedCategory(seeded, random, Number(id), size.listings, size.cluster);
  }
  seedBigShop(seeded, random);
  seedReviews(seeded, random);
  return seeded;
}

function seedCategory(
  to: World,
  random: Random,
  taxonomy: number,
  active: number,
  cluster?: { cents: number; listings: number },
): void {
  const clustered = Math.min(cluster?.listings ?? 0, active);
  const all = active + Math.round(active * OFF_SALE);
  for (let i = 0; i < all; i++) {
    const offSale = i >= active;
    addListing(to, random, {
      taxonomy,
      state: offSale ? 1 + random.int(3) : world.ACTIVE,
      ...(i < clustered && cluster ? { cents: cluster.cents } : {}),
    });
  }
}

/** The shop that a test asked for must be found, so it offers something made lately. */
function seedBigShop(to: World, random: Random): void {
  const big = to.settings.reviews.big;
  if (!big) return;
  if (big.shop >= to.shops.created.length) throw new Error(`There is no shop with the index ${big.shop}.`);
  for (const serial of world.listingsOfShops(to).members(big.shop)) {
    const good =
      to.listings.state.get(serial) === world.ACTIVE && madeSince2000(to.listings.made.get(serial));
    if (good) return;
  }
  let first = 0;
  do first = random.int(to.listings.shop.length);
  while (to.listings.state.get(first) !== world.ACTIVE);
  to.listings.shop.set(first, big.shop);
  to.listings.made.set(first, 0);
  to.version++;
}

function seedReviews(to: World, random: Random): void {
  const now = to.clock.world();
  const { perShop = 12, big } = to.settings.reviews;
  for (let shop = 0; shop < to.settings.shops; shop++) {
    const asked = big?.shop === shop;
    const usual = random.poisson(perShop * Math.exp(0.9 * random.normal() - 0.405));
    const count = asked ? big.count : usual;
    const opened = to.shops.created.get(shop);
    for (let r = 0; r < count; r++) {
      const created = Math.floor(opened + (now - opened) * random.next() ** 0.6);
      addReview(to, random, shop, created, asked ? 0 : LATE);
    }
    to.shops.sold.set(shop, Math.round(count * (3 + 5 * random.next())) + random.int(20));
  }
  to.version++;
}

export function addShop(to: World, random: Random, created: number): number {
  const now = to.clock.world();
  return world.addRow(to.shops, {
    created,
    updated: now - random.int(Math.min(90 * DAY, Math.max(1, now - created))),
    sold: 0,
    favorers: Math.floor(Math.exp(4 + 1.8 * random.normal())),
    closed: 0,
  });
}

export interface ListingSeed {
  taxonomy: number;
  shop?: number;
  state?: number;
  made?: number;
  cents?: number;
  created?: number;
}

export function addListing(to: World, random: Random, given: ListingSeed): number {
  const now = to.clock.world();
  const state = given.state ?? world.ACTIVE;
  // What is on sale was listed within the 120 days that a listing runs.
  const age = state === world.ACTIVE ? random.next() * 118 : 130 + random.next() * 500;
  const created = given.created ?? Math.floor(now - age * DAY);
  const views = Math.floor(Math.exp(4.5 + 1.6 * random.normal()));
  const renewals = given.created === undefined && random.chance(0.6) ? 1 + random.int(10) : 0;
  return world.addRow(to.listings, {
    // A third power makes few shops large and most of them small.
    shop: given.shop ?? Math.floor(to.settings.shops * random.next() ** 3),
    taxonomy: given.taxonomy,
    made: given.made ?? drawMade(random.next()),
    state,
    created,
    original: created - Math.floor(renewals * 121.5 * DAY),
    updated: Math.min(now, created + Math.floor(random.next() * (now - created))),
    stateSince: Math.min(now, created + Math.floor(random.next() * (now - created))),
    cents: given.cents ?? drawCents(random),
    quantity: state === world.SOLD_OUT ? 0 : random.chance(0.6) ? 1 : 1 + random.int(999),
    favorers: Math.floor(views * 0.12 * random.next()),
    views: state === world.ACTIVE ? views : 0,
    edition: 0,
  });
}

/** Log-normal around 180 dollars, mostly ending as sellers like prices to end. */
function drawCents(random: Random): number {
  const cents = Math.exp(9.8 + 1.45 * random.normal());
  const style = random.next();
  const styled =
    style < 0.45
      ? Math.round(cents / 100) * 100
      : style < 0.6
        ? Math.round(cents / 500) * 500
        : style < 0.8
          ? Math.ceil(cents / 100) * 100 - 1
          : Math.round(cents);
  return Math.min(3_000_000, Math.max(20, styled));
}

export function addReview(to: World, random: Random, shop: number, created: number, late: number): void {
  const listings = world.listingsOfShops(to).members(shop);
  if (listings.length === 0) return;
  const { reviews } = to;
  const last = reviews.shop.length - 1;
  const twin = last >= 0 && reviews.shop.get(last) === shop && random.chance(0.015);
  const at = twin ? reviews.created.get(last) : created;
  const visible = random.chance(late) ? at + random.int(DAY) : at;
  world.addRow(reviews, {
    shop,
    listing: twin ? reviews.listing.get(last) : (listings[random.int(listings.length)] ?? 0),
    created: at,
    visible: late === 0 ? at : visible,
    twin: twin ? 1 : 0,
  });
}
