import { bytes } from './bytes.ts';
import { titleOf } from './listings.ts';
import { aspect, hash, share } from './random.ts';
import { countryOf, currencyOf, money } from './shops.ts';
import { knownTaxonomy, withDescendants } from './taxonomy.ts';
import { ACTIVE, perVersion, type World } from './world.ts';

export interface Search {
  taxonomy?: number | undefined;
  min?: number | undefined;
  max?: number | undefined;
  keywords?: string | undefined;
  safe?: boolean | undefined;
  shipsTo?: string | undefined;
  shopLocation?: string | undefined;
  sortOn: 'created' | 'price' | 'updated' | 'score';
  ascending: boolean;
}

const SCORE = aspect('search.score');
const MATURE = aspect('search.mature');
const SHIPS = aspect('search.ships');
const CENT_PART = aspect('search.cents');
/** A sort key and a listing's serial number share one double: 2^32 keys times 2^21 listings are exact. */
const SERIALS = 2 ** 21;
const MOST_KEPT = 400;

const kept = perVersion(() => new Map<string, Uint32Array>());

/** Every listing that a search finds, in its order. The same search is answered from memory. */
export function find(world: World, search: Search): Uint32Array {
  const known = kept(world);
  const name = JSON.stringify(search);
  const last = known.get(name);
  if (last) return last;
  const matches = filterOf(world, search);
  const found = inCategory(world, search).filter(matches);
  if (known.size >= MOST_KEPT) known.clear();
  known.set(name, found);
  return found;
}

function inCategory(world: World, { taxonomy, sortOn, ascending }: Search): Uint32Array {
  const known = kept(world);
  const name = `${taxonomy} ${sortOn} ${ascending}`;
  const last = known.get(name);
  if (last) return last;
  const { unknownTaxonomy, deafTaxonomies } = world.settings;
  const all = taxonomy === undefined ? undefined : withDescendants(taxonomy);
  const works = taxonomy !== undefined && knownTaxonomy(taxonomy) && !deafTaxonomies.includes(taxonomy);
  const wanted = works
    ? all
    : taxonomy !== undefined && unknownTaxonomy === 'empty'
      ? new Set<number>()
      : undefined;
  const { state, taxonomy: filed, shop } = world.listings;
  const keyOf = sortKey(world, sortOn);
  const keys = new Float64Array(shop.length);
  let count = 0;
  for (let i = 0; i < shop.length; i++) {
    if (state.get(i) !== ACTIVE || (wanted && !wanted.has(filed.get(i)))) continue;
    keys[count++] = keyOf(i) * SERIALS + i;
  }
  const sorted = keys.subarray(0, count).toSorted();
  const found = Uint32Array.from(sorted, (key) => key % SERIALS);
  if (!ascending) found.reverse();
  known.set(name, found);
  return found;
}

function sortKey(world: World, sortOn: Search['sortOn']): (listing: number) => number {
  switch (sortOn) {
    case 'created':
      return (listing) => world.listings.created.get(listing);
    case 'updated':
      return (listing) => world.listings.updated.get(listing);
    case 'price':
      return (listing) => Math.round(searchPrice(world, listing) * 1000);
    case 'score':
      return (listing) => hash(world.seed, listing, SCORE);
  }
}

/** The price that a search compares, in currency units. */
export function searchPrice(world: World, listing: number): number {
  const cents = world.listings.cents.get(listing);
  if (world.settings.searchPrice === 'usd') return cents / 100;
  const currency = currencyOf(world, world.listings.shop.get(listing));
  if (world.settings.searchPrice === 'shop') {
    const { amount, divisor } = money(cents, currency);
    return amount / divisor;
  }
  // A converted price is seldom a whole cent.
  return currency.code === 'USD' ? cents / 100 : (cents + share(world.seed, listing, CENT_PART)) / 100;
}

function filterOf(world: World, search: Search): (listing: number) => boolean {
  const { min = 0, max = Infinity } = search;
  // 19.99 * 100 is not 1999: compare with a margin far below a cent.
  const margin = 1e-6;
  const words = bytes(search.keywords?.toLowerCase() ?? '')
    .split(/\s+/)
    .filter(Boolean);
  const priced = min > 0 || max < Infinity;
  return (listing) => {
    if (priced) {
      const price = searchPrice(world, listing);
      if (price < min - margin || price > max + margin) return false;
    }
    if (search.safe && share(world.seed, listing, MATURE) < 0.01) return false;
    if (search.shipsTo && hash(world.seed, listing, SHIPS + search.shipsTo.charCodeAt(0)) % 10 > 6)
      return false;
    if (search.shopLocation && countryOf(world, world.listings.shop.get(listing)) !== search.shopLocation)
      return false;
    if (words.length === 0) return true;
    const title = titleOf(world, listing).toLowerCase();
    return words.every((word) => title.includes(word));
  };
}

/** The active listings filed under any of these taxonomies or below: what a crawl of them should come to. */
export function activeUnder(world: World, taxonomies: readonly number[]): Uint32Array {
  const wanted = new Set(taxonomies.flatMap((id) => [...withDescendants(id)]));
  const { state, taxonomy } = world.listings;
  const found: number[] = [];
  for (let i = 0; i < state.length; i++) {
    if (state.get(i) === ACTIVE && wanted.has(taxonomy.get(i))) found.push(i);
  }
  return Uint32Array.from(found);
}
