import { soldIn, type Kind } from './kinds.ts';
import { aspect, hash, share } from './random.ts';
import { SLOTS } from './ids.ts';
import type { World } from './world.ts';

/** What the CDN answers for a picture. */
export const SERVICES = [
  'jpeg',
  'missing', // 404
  'tiny', // 200 with a placeholder of a few bytes
  'html', // 200 with a page
  'huge', // over 20 MB
  'truncated', // less than its content-length says
  'elsewhere', // the API names another host
] as const;
export type ImageService = (typeof SERVICES)[number];

/** A host nobody can reach, should a client believe in it. */
const ELSEWHERE = 'https://pictures.example.invalid';
const MOST_EDITIONS = SLOTS - 10;

const COUNT = aspect('image.count');
const RANKS = aspect('image.ranks');
const ORDER = aspect('image.order');
const HEX = aspect('image.hex');
const SUFFIX = aspect('image.suffix');
const SERVICE = aspect('image.service');
const DRAWING = aspect('image.drawing');
const COLOUR = aspect('image.colour');
export const WHAT = aspect('listing.what');

export interface Picture {
  slot: number;
  rank: number;
  id: number;
  hex: string;
  suffix: string;
}

/** The pictures of a listing, in the order the API gives them, which is not always that of their ranks. */
export function pictures(world: World, listing: number): Picture[] {
  const { seed } = world;
  const chance = share(seed, listing, COUNT);
  const count = chance < 0.01 ? 0 : 1 + Math.floor(chance * 10);
  const sameRank = share(seed, listing, RANKS) < 0.03;
  const found: Picture[] = [];
  for (let place = 0; place < count; place++) {
    const slot = place === 0 ? firstSlot(world, listing) : place;
    found.push({ ...picture(world, listing, slot), rank: sameRank && place > 0 ? place : place + 1 });
  }
  const last = share(seed, listing, ORDER) < 0.1 ? found.pop() : undefined;
  return last ? [last, ...found] : found;
}

/** The first picture is replaced now and then, each time under a new id. */
function firstSlot(world: World, listing: number): number {
  const edition = Math.min(world.listings.edition.get(listing), MOST_EDITIONS);
  return edition === 0 ? 0 : 9 + edition;
}

function picture(world: World, listing: number, slot: number): Omit<Picture, 'rank'> {
  const serial = listing * SLOTS + slot;
  return {
    slot,
    id: world.ids.image.idOf(serial),
    hex: (hash(world.seed, serial, HEX) & 0xffffff).toString(16).padStart(6, '0'),
    suffix: (hash(world.seed, serial, SUFFIX) % 36 ** 4).toString(36).padStart(4, '0'),
  };
}

/** The picture a shop window shows: the lowest rank, the first of equals. */
export function primary(world: World, listing: number): Picture | undefined {
  let best: Picture | undefined;
  for (const next of pictures(world, listing)) if (!best || next.rank < best.rank) best = next;
  return best;
}

export function serviceOf(world: World, listing: number, slot: number): ImageService {
  const edited = SERVICES.find((service) => service === world.imageEdits.get(listing));
  if (edited) return edited;
  if (slot > 0 && slot < 10) return 'jpeg';
  let left = share(world.seed, listing, SERVICE);
  for (const service of SERVICES) {
    left -= world.settings.badImages[service] ?? 0;
    if (left < 0) return service;
  }
  return 'jpeg';
}

export function pictureUrl(
  world: World,
  host: string,
  listing: number,
  shown: Picture,
  size: string,
): string {
  const shop = world.ids.shop.idOf(world.listings.shop.get(listing));
  const base = serviceOf(world, listing, shown.slot) === 'elsewhere' ? ELSEWHERE : `http://${host}`;
  return `${base}/${shop}/r/il/${shown.hex}/${shown.id}/il_${size}.${shown.id}_${shown.suffix}.jpg`;
}

/** What is drawn on a picture: of the kinds of furniture, which one, and in which of its drawings. */
export function drawingOf(world: World, listing: number, slot: number): { kind: Kind; drawing: number } {
  const { kind } = soldIn(world.listings.taxonomy.get(listing), hash(world.seed, listing, WHAT));
  return { kind, drawing: hash(world.seed, listing * SLOTS + slot, DRAWING) % world.settings.drawings };
}

/** Heights of the drawings of a kind in their turn, in pixels, at a width of 570. */
export const HEIGHTS = [570, 428, 760, 380, 713, 512] as const;

export function listingImage(world: World, host: string, listing: number, shown: Picture): object {
  const { drawing } = drawingOf(world, listing, shown.slot);
  const colour = hash(world.seed, listing * SLOTS + shown.slot, COLOUR);
  const created = world.listings.original.get(listing) + shown.slot;
  const [red, green, blue] = [colour & 255, (colour >>> 8) & 255, (colour >>> 16) & 255];
  return {
    listing_id: world.ids.listing.idOf(listing),
    listing_image_id: shown.id,
    hex_code: (colour & 0xffffff).toString(16).padStart(6, '0').toUpperCase(),
    red,
    green,
    blue,
    hue: colour % 361,
    saturation: colour % 101,
    brightness: (colour >>> 8) % 101,
    is_black_and_white: colour % 50 === 0 ? null : false,
    creation_tsz: created,
    created_timestamp: created,
    rank: shown.rank,
    url_75x75: pictureUrl(world, host, listing, shown, '75x75'),
    url_170x135: pictureUrl(world, host, listing, shown, '170x135'),
    url_570xN: pictureUrl(world, host, listing, shown, '570xN'),
    url_fullxfull: pictureUrl(world, host, listing, shown, 'fullxfull'),
    full_height:
      colour % 40 === 1 ? null : Math.round(((HEIGHTS[drawing % HEIGHTS.length] ?? 570) * 2000) / 570),
    full_width: colour % 40 === 1 ? null : 2000,
    alt_text: colour % 3 === 0 ? 'A piece of furniture &amp; its room' : null,
  };
}
