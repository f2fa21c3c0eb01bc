import { jsonBytes, type Bytes } from './bytes.ts';
import { DAY } from './clock.ts';
import { WHAT, listingImage, pictures } from './images.ts';
import { soldIn } from './kinds.ts';
import { aspect, hash, share } from './random.ts';
import { currencyOf, knownRate, money, shopJson } from './shops.ts';
import * as texts from './texts.ts';
import { madeWord } from './when-made.ts';
import { ACTIVE, STATES, type World } from './world.ts';

const ODDS = aspect('listing.odds');
const SIZES = aspect('listing.sizes');
const MAKER = aspect('listing.maker');
const TREE = aspect('listing.tree');
const RUN = aspect('listing.run');
const UNITS = ['in', 'cm', 'mm', 'ft', 'inches'] as const;

/** Listings run for 120 to 123 days; then they are renewed or expire. */
export function endOf(world: World, listing: number): number {
  return world.listings.created.get(listing) + (120 + (hash(world.seed, listing, RUN) % 4)) * DAY;
}

export function renews(world: World, listing: number): boolean {
  return hash(world.seed, listing, ODDS) % 8 > 0;
}

/** As it stands between the quotes of a JSON string. */
export function titleOf(world: World, listing: number): Bytes {
  const { name } = soldIn(world.listings.taxonomy.get(listing), hash(world.seed, listing, WHAT));
  return texts.title(world.seed, listing, name);
}

/** What changes about a listing from day to day. */
export function listingFigures(world: World, listing: number) {
  const { listings } = world;
  return {
    state: STATES[listings.state.get(listing)] ?? 'removed',
    ending_timestamp: endOf(world, listing),
    quantity: listings.quantity.get(listing),
    num_favorers: listings.favorers.get(listing),
    price: money(listings.cents.get(listing), currencyOf(world, listings.shop.get(listing))),
  };
}

/** Some listings carry an id that the tree no longer has. */
export function shownTaxonomy(world: World, listing: number): number {
  return share(world.seed, listing, TREE) < 0.002 ? 995 : world.listings.taxonomy.get(listing);
}

function sizes(world: World, listing: number): Bytes {
  const bits = hash(world.seed, listing, SIZES);
  const weight = bits % 7 === 0 ? ((bits >>> 3) % 900) / 4 : null;
  const unit = bits % 7 === 0 ? (bits % 2 === 0 ? '"lb"' : '"kg"') : null;
  if (bits % 10 !== 0) {
    return `,"item_weight":${weight},"item_weight_unit":${unit},"item_length":null,"item_width":null,"item_height":null,"item_dimensions_unit":null`;
  }
  // Whole and broken numbers mix, as they do in real answers.
  const length = (bits >>> 4) % 2 === 0 ? (bits >>> 8) % 200 : ((bits >>> 8) % 2000) / 10;
  return `,"item_weight":${weight},"item_weight_unit":${unit},"item_length":${length},"item_width":${length / 2},"item_height":${Math.round(length * 0.8)},"item_dimensions_unit":"${UNITS[(bits >>> 12) % UNITS.length]}"`;
}

/** What may be missing from a listing, or null. */
function optional(world: World, listing: number, title: Bytes): Bytes {
  const odds = hash(world.seed, listing, ODDS);
  let fields = '';
  if (odds % 64 === 1) fields += `,"rich_description":"<p>${title}<\\/p>"`;
  if (odds % 50 !== 2) fields += ',"featured_rank":-1';
  if (odds % 40 !== 3) fields += `,"return_policy_id":${odds % 6 === 0 ? null : 1_000_000_000_000 + odds}`;
  if (odds % 60 !== 4) {
    const known = odds % 12 > 0;
    fields += `,"processing_min":${known ? 1 + (odds % 5) : null},"processing_max":${known ? 5 + (odds % 30) : null}`;
  }
  if (odds % 70 !== 5) fields += ',"file_data":""';
  if (odds % 25 === 0) fields += ',"suggested_title":null';
  return fields;
}

export interface Extras {
  /** Also what a search page may leave out. */
  views?: boolean;
  currency?: string | undefined;
}

/**
 * A listing as the API shows it, without the closing brace: more may follow. Written out by hand, as a page of a
 * hundred is what the marketplace answers with most, and must be made faster than a client can ask for it.
 */
export function openListing(world: World, listing: number, extras: Extras): Bytes {
  const { seed, ids, listings } = world;
  const id = ids.listing.idOf(listing);
  const shop = listings.shop.get(listing);
  const odds = hash(seed, listing, ODDS);
  const maker = share(seed, listing, MAKER);
  const title = titleOf(world, listing);
  const wood = texts.wood(seed, listing);
  const style = texts.style(seed, listing);
  const created = listings.created.get(listing);
  const updated = listings.updated.get(listing);
  const cents = listings.cents.get(listing);
  const made = madeWord(listings.made.get(listing), world.clock.year());
  const whoMade = maker < 0.6 ? '"someone_else"' : maker < 0.87 ? '"collective"' : '"i_did"';
  const tags = ['furniture', wood.toLowerCase(), style, 'gift &amp; home', 'solid wood'].slice(0, odds % 6);
  const slug = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  let text =
    `{"listing_id":${id},"user_id":${ids.user.idOf(shop)},"shop_id":${ids.shop.idOf(shop)},"title":"${title}"` +
    `,"description":"${texts.description(seed, listing, title)}","state":"${STATES[listings.state.get(listing)]}"` +
    `,"creation_timestamp":${created},"created_timestamp":${created},"ending_timestamp":${endOf(world, listing)}` +
    `,"original_creation_timestamp":${listings.original.get(listing)},"last_modified_timestamp":${updated}` +
    `,"updated_timestamp":${updated},"state_timestamp":${listings.stateSince.get(listing)}` +
    `,"quantity":${listings.quantity.get(listing)}` +
    `,"shop_section_id":${odds % 3 === 0 ? null : 10_000_000 + (odds % 40_000_000)}` +
    `,"url":"https://www.etsy.com/listing/${id}/${slug}","num_favorers":${listings.favorers.get(listing)}` +
    `,"non_taxable":false,"is_taxable":true,"is_customizable":${odds % 4 === 0}` +
    `,"is_personalizable":${odds % 9 === 0},"listing_type":"${odds % 200 === 7 ? 'both' : 'physical'}"` +
    `,"tags":[${tags.map((tag) => `"${tag}"`).join(',')}],"materials":[${odds % 5 === 0 ? '' : `"${wood}","Oil"`}]` +
    `,"shipping_profile_id":${odds % 30 === 0 ? null : 100_000_000_000 + odds}` +
    `,"who_made":${odds % 150 === 9 ? null : whoMade},"when_made":${made === null ? null : `"${made}"`}` +
    `,"is_supply":${odds % 150 === 9 ? null : false}${sizes(world, listing)},"is_private":false` +
    `,"style":[${odds % 10 === 0 ? `"${style}"` : ''}],"has_variations":${odds % 3 === 0}` +
    `,"should_auto_renew":${renews(world, listing)}` +
    `,"language":${odds % 33 === 6 ? null : odds % 20 === 0 ? '"de"' : '"en-US"'}` +
    `,"price":${JSON.stringify(money(cents, currencyOf(world, shop)))}` +
    `,"taxonomy_id":${shownTaxonomy(world, listing)}${optional(world, listing, title)}`;
  if (extras.currency !== undefined) {
    const rate = knownRate(extras.currency);
    text += `,"converted_price":${rate ? JSON.stringify(money(cents, rate)) : null}`;
  }
  if (extras.views) {
    const { views, production_partners: partners } = viewsAndPartners(world, listing);
    text += `,"views":${views},"production_partners":${partners.length > 0 ? JSON.stringify(partners) : '[]'}`;
  }
  return text;
}

export function viewsAndPartners(world: World, listing: number) {
  const odds = hash(world.seed, listing, MAKER);
  const { views, state } = world.listings;
  return {
    // Counted daily, for active listings only.
    views: state.get(listing) === ACTIVE ? views.get(listing) : 0,
    production_partners:
      odds % 20 === 0
        ? [
            {
              production_partner_id: 1_000_000 + (odds % 9_000_000),
              partner_name: 'A joinery',
              location: 'PL',
            },
          ]
        : [],
  };
}

export const INCLUDES = [
  'Images',
  'Shop',
  'User',
  'Translations',
  'Videos',
  'Personalization',
  'BuyerPrice',
] as const;
export type Include = (typeof INCLUDES)[number];

/** A listing as the batch and single reads show it, with what was asked to be included. */
export function fullListing(
  world: World,
  host: string,
  listing: number,
  includes: ReadonlySet<Include>,
  currency: string | undefined,
): Bytes {
  const shop = world.listings.shop.get(listing);
  const images = includes.has('Images')
    ? pictures(world, listing).map((shown) => listingImage(world, host, listing, shown))
    : null;
  const associations = {
    skus: [],
    images,
    user: includes.has('User') ? { user_id: world.ids.user.idOf(shop), primary_email: null } : null,
    translations: null,
    videos: [],
    ...(includes.has('Personalization') ? { personalization: { personalization_questions: [] } } : {}),
    ...(includes.has('BuyerPrice')
      ? {
          buyer_price: {
            base_price: listingFigures(world, listing).price,
            is_free_shipping: false,
            has_discount: false,
          },
        }
      : {}),
  };
  const open = openListing(world, listing, { views: true, currency });
  const shopText = includes.has('Shop') ? shopJson(world, shop) : 'null';
  return `${open},"shop":${shopText},${jsonBytes(associations).slice(1)}`;
}
