import { jsonBytes, type Bytes } from './bytes.ts';
import { DAY } from './clock.ts';
import { aspect, hash, pick, share } from './random.ts';
import { ACTIVE, perVersion, reviewsOfShops, type World } from './world.ts';
import { rating } from './reviews.ts';

/** Currencies with their share of shops, what a dollar buys of them, and how many parts a unit has. */
const CURRENCIES = [
  { code: 'USD', share: 0.72, rate: 1, divisor: 100 },
  { code: 'EUR', share: 0.09, rate: 0.92, divisor: 100 },
  { code: 'GBP', share: 0.06, rate: 0.79, divisor: 100 },
  { code: 'MAD', share: 0.05, rate: 9.9, divisor: 100 },
  { code: 'CAD', share: 0.04, rate: 1.36, divisor: 100 },
  { code: 'JPY', share: 0.04, rate: 151, divisor: 1 },
] as const;
type Currency = (typeof CURRENCIES)[number];

const CURRENCY = aspect('shop.currency');
const NAME = aspect('shop.name');
const PLACE = aspect('shop.place');
const ODDS = aspect('shop.odds');

const FIRST = ['Oak', 'Birch', 'Willow', 'Harbour', 'Copper', 'Old Mill', 'North', 'Hearth', 'River', 'Stone', 'Meadow', 'Atlas'] as const; // prettier-ignore
const SECOND = ['Workshop', 'Joinery', 'And Co', 'Furniture', 'Studio', 'Finds', 'Home', 'Works', 'Barn', 'Atelier'] as const; // prettier-ignore
const COUNTRIES = ['US', 'US', 'US', 'GB', 'DE', 'FR', 'MA', 'CA', 'PL', 'JP', 'TR', 'UA'] as const;

export function currencyOf(world: World, shop: number): Currency {
  const edited = world.currencyEdits.get(shop);
  if (edited !== undefined) return knownRate(edited) ?? CURRENCIES[0];
  let left = share(world.seed, shop, CURRENCY);
  for (const currency of CURRENCIES) {
    left -= currency.share;
    if (left < 0) return currency;
  }
  return CURRENCIES[0];
}

export function knownRate(code: string): Currency | undefined {
  return CURRENCIES.find((currency) => currency.code === code);
}

export interface Money {
  amount: number;
  divisor: number;
  currency_code: string;
}

export function money(cents: number, { rate, divisor, code }: Currency): Money {
  return { amount: Math.max(1, Math.round((cents * rate * divisor) / 100)), divisor, currency_code: code };
}

export function countryOf(world: World, shop: number): string {
  return pick(COUNTRIES, hash(world.seed, shop, PLACE));
}

export function shopName(world: World, shop: number): string {
  const bits = hash(world.seed, shop, NAME);
  return `${pick(FIRST, bits)}${pick(SECOND, bits >>> 8)}${shop}`.replaceAll(' ', '');
}

const activeCounts = perVersion((world) => {
  const counts = new Uint32Array(world.shops.created.length);
  const { shop, state } = world.listings;
  for (let i = 0; i < shop.length; i++) {
    if (state.get(i) === ACTIVE) counts[shop.get(i)] = (counts[shop.get(i)] ?? 0) + 1;
  }
  return counts;
});

/** What changes about a shop while it is open. */
export function shopFigures(world: World, shop: number) {
  const now = world.clock.world();
  const { created, visible } = world.reviews;
  let count = 0;
  let stars = 0;
  for (const review of reviewsOfShops(world).members(shop)) {
    if (visible.get(review) > now || created.get(review) < now - 365 * DAY) continue;
    count++;
    stars += rating(world, review);
  }
  const { shops } = world;
  return {
    update_date: shops.updated.get(shop),
    updated_timestamp: shops.updated.get(shop),
    listing_active_count: activeCounts(world)[shop] ?? 0,
    num_favorers: shops.favorers.get(shop),
    transaction_sold_count: shops.sold.get(shop),
    accepts_custom_requests: hash(world.seed, shop, ODDS) % 3 > 0,
    // Both over the past year only.
    review_count: count === 0 && shop % 2 === 0 ? null : count,
    review_average: count === 0 ? null : Math.round((stars / count) * 10_000) / 10_000,
  };
}

const rendered = perVersion(() => new Map<number, Bytes>());
const MOST_RENDERED = 20_000;

/** A shop as the API shows it; a batch can ask for the same one a hundred times. */
export function shopJson(world: World, shop: number): Bytes {
  const known = rendered(world);
  const last = known.get(shop);
  if (last !== undefined) return last;
  if (known.size >= MOST_RENDERED) known.clear();
  const made = jsonBytes(shopObject(world, shop));
  known.set(shop, made);
  return made;
}

function shopObject(world: World, shop: number): object {
  const { seed, ids, shops } = world;
  const odds = hash(seed, shop, ODDS);
  const name = shopName(world, shop);
  const country = countryOf(world, shop);
  const created = shops.created.get(shop);
  return {
    shop_id: ids.shop.idOf(shop),
    user_id: ids.user.idOf(shop),
    shop_name: name,
    create_date: created,
    created_timestamp: created,
    title: odds % 4 === 0 ? null : 'Furniture made slowly &amp; to last 🌲',
    announcement: odds % 5 === 0 ? 'We&#39;re back from holidays!' : null,
    currency_code: currencyOf(world, shop).code,
    is_vacation: odds % 97 === 0,
    vacation_message: null,
    sale_message: odds % 7 === 0 ? 'Thank you for your order!' : null,
    digital_sale_message: null,
    digital_listing_count: 0,
    login_name: name.toLowerCase(),
    policy_update_date: created + DAY,
    policy_has_private_receipt_info: false,
    has_unstructured_policies: false,
    policy_welcome: null,
    policy_payment: odds % 6 === 0 ? 'Pay as you like.' : null,
    policy_shipping: null,
    policy_refunds: null,
    policy_additional: null,
    policy_seller_info: null,
    policy_privacy: null,
    vacation_autoreply: null,
    url: `https://www.etsy.com/shop/${name}`,
    image_url_760x100: null,
    icon_url_fullxfull: null,
    is_using_structured_policies: true,
    has_onboarded_structured_policies: true,
    include_dispute_form_link: false,
    is_direct_checkout_onboarded: true,
    is_etsy_payments_onboarded: true,
    is_calculated_eligible: country === 'US',
    is_opted_in_to_buyer_promise: odds % 2 === 0,
    is_shop_us_based: country === 'US',
    languages: country === 'DE' ? ['de', 'en-US'] : ['en-US'],
    shipping_from_country_iso: odds % 11 === 0 ? null : country,
    shop_location_country_iso: odds % 3 === 0 ? null : country,
    ...shopFigures(world, shop),
  };
}
