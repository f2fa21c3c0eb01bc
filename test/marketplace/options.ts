import type { Faults } from './faults.ts';
import type { ImageService } from './images.ts';

export interface CategorySize {
  /** Active listings filed under exactly this taxonomy. */
  listings: number;
  /** So many of them cost exactly so much. */
  cluster?: { cents: number; listings: number };
}

export interface MarketplaceOptions {
  seed?: number;
  /** Where the clock starts, epoch milliseconds; the real time by default. */
  now?: number;
  /** The year that the `when_made` words start with. */
  year?: number;
  /** The only value of x-api-key that is let in: `keystring:shared_secret`. */
  key?: string;
  port?: number;
  imagePort?: number;
  categories?: Record<number, CategorySize>;
  shops?: number;
  /** `big` names a shop by its index and how many reviews it has, all of them visible. */
  reviews?: { perShop?: number; big?: { shop: number; count: number } };
  /** Whether search pages carry `views` and `production_partners`. */
  viewsOnPages?: boolean;
  /** Whether listings/batch answers with inactive, expired and sold-out listings too. */
  batchReturnsInactive?: boolean;
  /** Ignore sort_on and sort_order in a search without keywords, as the documentation says it may. */
  sortNeedsKeywords?: boolean;
  /** What an offset beyond the count is answered with. */
  pastTheEnd?: 'error' | 'empty';
  /** A limit above 100: refuse it, or take it for 100, as Etsy's staff once said (open-api issue 422). */
  overLimit?: 'refuse' | 'clamp';
  /**
   * What min_price and max_price are compared with: the price in USD to the cent, the same before rounding
   * (so that it can fall between two cents), or the number in the shop's own currency.
   */
  searchPrice?: 'usd' | 'usd-exact' | 'shop';
  /** A taxonomy_id the search does not know, or that is in `deafTaxonomies`: no filter at all, or nothing found. */
  unknownTaxonomy?: 'mixed' | 'empty';
  /** Taxonomy ids that do not work as filters; seen: 12405, 12369, 12370. */
  deafTaxonomies?: readonly number[];
  /** Answer gzipped whoever accepts it. */
  compress?: boolean;
  /** 429 beyond so many API requests in any second. Not enforced when absent. */
  perSecond?: number;
  /** 429 beyond so many API requests in a day. Not enforced when absent. */
  perDay?: number;
  /** How long a day is to the daily limit, in milliseconds; shorter days let a test wait for one. */
  dayMs?: number;
  headersOn429?: 'all' | 'none' | 'seen';
  /** How many drawings there are of each kind of furniture; 36 at most. Drawing one takes a moment. */
  drawings?: number;
  /** The share of listings whose first picture fails in each way. */
  badImages?: Partial<Record<ImageService, number>>;
  faults?: Faults;
}

const DEFAULTS = {
  seed: 1,
  year: 2026,
  key: 'demo-keystring:demo-secret',
  port: 0,
  imagePort: 0,
  categories: { 12470: { listings: 150 }, 976: { listings: 250 } },
  reviews: {},
  viewsOnPages: true,
  batchReturnsInactive: true,
  sortNeedsKeywords: false,
  pastTheEnd: 'error',
  overLimit: 'refuse',
  searchPrice: 'usd',
  unknownTaxonomy: 'mixed',
  deafTaxonomies: [],
  compress: false,
  dayMs: 86_400_000,
  headersOn429: 'seen',
  drawings: 6,
  badImages: { missing: 0.003, tiny: 0.003 },
  faults: {},
} satisfies MarketplaceOptions;

export type Settings = MarketplaceOptions &
  Required<Omit<MarketplaceOptions, 'perSecond' | 'perDay' | 'now' | 'shops'>> & {
    now: number;
    shops: number;
  };

export function settle(options: MarketplaceOptions): Settings {
  const settings = { ...DEFAULTS, now: Date.now(), shops: 0, ...options };
  const listings = Object.values(settings.categories).reduce((sum, size) => sum + size.listings, 0);
  settings.shops ||= Math.max(1, Math.round(listings / 8));
  return settings;
}
