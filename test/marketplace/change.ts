/** What happens in the world while its clock is moved on. */
import { DAY } from './clock.ts';
import { endOf, renews } from './listings.ts';
import { createRandom, type Random } from './random.ts';
import { addListing, addReview, addShop } from './seed.ts';
import * as world from './world.ts';
import type { World } from './world.ts';

/** What happens to a listing, a day. */
const DAILY = {
  removed: 0.0012,
  soldOut: 0.001,
  inactive: 0.0004,
  price: 0.006,
  picture: 0.002,
  back: 0.004,
};
/** New listings a day, of those on sale. */
const NEW = 0.005;
const NEW_IN_NEW_SHOP = 0.08;
const CLOSING = 0.0003;
const LATE = 0.2;

export function advance(on: World, days: number): void {
  if (!(days > 0)) throw new Error('The clock only goes forward.');
  const random = createRandom(on.seed ^ Math.imul(++on.moves, 0x2545f491));
  const before = on.clock.world();
  on.clock.move(days);
  const span = { before, now: on.clock.world(), days };
  closeShops(on, random, span);
  const active = changeListings(on, random, span);
  on.version++;
  addListings(on, random, span, active);
  on.version++;
  sell(on, random, span);
  on.version++;
}

interface Span {
  before: number;
  now: number;
  days: number;
}

const over = (days: number, daily: number): number => 1 - (1 - daily) ** days;
const moment = (random: Random, { before, now }: Span): number =>
  before + 1 + random.int(Math.max(1, now - before));

function closeShops(on: World, random: Random, span: Span): void {
  const { closed } = on.shops;
  for (let shop = 0; shop < closed.length; shop++) {
    if (closed.get(shop) || !random.chance(over(span.days, CLOSING))) continue;
    closed.set(shop, 1);
    for (const listing of world.listingsOfShops(on).members(shop))
      setState(on, listing, world.REMOVED, span.now);
  }
}

export function setState(on: World, listing: number, state: number, at: number): void {
  const { listings } = on;
  listings.state.set(listing, state);
  listings.stateSince.set(listing, at);
  listings.updated.set(listing, at);
  if (state === world.SOLD_OUT) listings.quantity.set(listing, 0);
}

/** Returns how many active listings each taxonomy had. */
function changeListings(on: World, random: Random, span: Span): Map<number, number> {
  const { listings, settings } = on;
  const chances = Object.fromEntries(
    Object.entries(DAILY).map(([name, daily]) => [name, over(span.days, daily)]),
  ) as typeof DAILY;
  const active = new Map<number, number>(Object.keys(settings.categories).map((id) => [Number(id), 0]));
  for (let i = 0; i < listings.shop.length; i++) {
    const state = listings.state.get(i);
    if (state === world.REMOVED) continue;
    if (state !== world.ACTIVE) {
      if (random.chance(chances.back)) putBack(on, random, i, moment(random, span));
      continue;
    }
    const taxonomy = listings.taxonomy.get(i);
    active.set(taxonomy, (active.get(taxonomy) ?? 0) + 1);
    const fate = random.next();
    if (fate < chances.removed) setState(on, i, world.REMOVED, moment(random, span));
    else if (fate < chances.removed + chances.soldOut) setState(on, i, world.SOLD_OUT, moment(random, span));
    else if (fate < chances.removed + chances.soldOut + chances.inactive) {
      setState(on, i, world.INACTIVE, moment(random, span));
    } else liveOn(on, random, i, span, chances);
  }
  return active;
}

function putBack(on: World, random: Random, listing: number, at: number): void {
  setState(on, listing, world.ACTIVE, at);
  on.listings.created.set(listing, at);
  if (on.listings.quantity.get(listing) === 0) on.listings.quantity.set(listing, 1 + random.int(5));
}

/** A listing that stays on sale: seen, liked, bought, priced anew, and renewed when its time is over. */
function liveOn(on: World, random: Random, listing: number, span: Span, chances: typeof DAILY): void {
  const { listings } = on;
  const seen = random.poisson(span.days * 2 * random.next());
  listings.views.set(listing, listings.views.get(listing) + seen);
  listings.favorers.set(listing, listings.favorers.get(listing) + random.poisson(seen * 0.06));
  const stock = listings.quantity.get(listing);
  if (stock > 1 && random.chance(over(span.days, 0.02))) {
    listings.quantity.set(listing, stock - 1);
    listings.updated.set(listing, moment(random, span));
  }
  if (random.chance(chances.price)) {
    const cents = Math.round(listings.cents.get(listing) * (0.75 + 0.5 * random.next()));
    listings.cents.set(listing, Math.min(3_000_000, Math.max(20, cents)));
    listings.updated.set(listing, moment(random, span));
  }
  if (random.chance(chances.picture)) {
    listings.edition.set(listing, Math.min(6, listings.edition.get(listing) + 1));
    listings.updated.set(listing, moment(random, span));
  }
  for (let end = endOf(on, listing); end <= span.now; end = endOf(on, listing)) {
    if (!renews(on, listing)) {
      setState(on, listing, world.EXPIRED, end);
      return;
    }
    listings.created.set(listing, end);
  }
}

function addListings(on: World, random: Random, span: Span, active: ReadonlyMap<number, number>): void {
  for (const [taxonomy, count] of active) {
    const fresh = Math.max(span.days >= 1 ? 1 : 0, random.poisson(count * NEW * span.days));
    for (let i = 0; i < fresh; i++) {
      const created = moment(random, span);
      const shop = random.chance(NEW_IN_NEW_SHOP)
        ? addShop(on, random, created - random.int(DAY))
        : openShop(on, random);
      addListing(on, random, { taxonomy, shop, created });
    }
  }
}

/** Large shops list more; where luck finds only closed ones a new shop opens. */
function openShop(on: World, random: Random): number {
  for (let attempt = 0; attempt < 20; attempt++) {
    const shop = Math.floor(on.settings.shops * random.next() ** 3);
    if (!on.shops.closed.get(shop)) return shop;
  }
  return addShop(on, random, on.clock.world() - random.int(DAY));
}

/** Sales, fans and reviews of the shops. */
function sell(on: World, random: Random, span: Span): void {
  const { shops } = on;
  for (let shop = 0; shop < shops.created.length; shop++) {
    if (shops.closed.get(shop)) continue;
    const sales = random.poisson((0.02 + shops.sold.get(shop) / 1500) * span.days);
    if (sales > 0) {
      shops.sold.set(shop, shops.sold.get(shop) + sales);
      shops.updated.set(shop, moment(random, span));
    }
    shops.favorers.set(shop, shops.favorers.get(shop) + random.poisson((0.05 + sales * 0.3) * span.days));
    const written = random.poisson(sales * 0.3);
    for (let r = 0; r < written; r++) addReview(on, random, shop, moment(random, span), LATE);
  }
}
