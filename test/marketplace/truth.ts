/** What a perfect sync must hold now. */
import { pictureUrl, primary, serviceOf, type ImageService } from './images.ts';
import { listingFigures, shownTaxonomy, viewsAndPartners } from './listings.ts';
import { visibleReviews } from './reviews.ts';
import { activeUnder } from './search.ts';
import { shopFigures } from './shops.ts';
import { madeSince2000, madeWord } from './when-made.ts';
import type { World } from './world.ts';

export interface TruthImage {
  image_id: number;
  hex: string;
  suffix: string;
  url: string;
  /** What the CDN answers for it; only a `jpeg` can be held. */
  serves: ImageService;
}

export type TruthListing = ReturnType<typeof listingFigures> & {
  listing_id: number;
  shop_id: number;
  taxonomy_id: number;
  when_made: string | null;
  /** Certainly made in 2000 or later. */
  since2000: boolean;
  views: number;
  /** The lowest rank, the first of equals. */
  image: TruthImage | null;
};

export type TruthShop = ReturnType<typeof shopFigures> & { shop_id: number };

export interface Truth {
  /** Epoch seconds on the marketplace's clock. */
  at: number;
  /** Every active listing in scope. */
  listings: TruthListing[];
  /** Ids of the shops of those made since 2000. */
  shops: number[];
  shopFigures: TruthShop[];
  /** The transaction ids of these shops' reviews that can be seen now, by shop id. */
  reviews: Record<string, number[]>;
  /** Active listings under each taxonomy id asked for, as a search counts them. */
  counts: Record<string, number>;
}

export function truth(world: World, imageHost: string, taxonomies: readonly number[]): Truth {
  const found = activeUnder(world, taxonomies);
  const shops = new Set<number>();
  for (const listing of found) {
    if (madeSince2000(world.listings.made.get(listing))) shops.add(world.listings.shop.get(listing));
  }
  const { ids } = world;
  return {
    at: world.clock.world(),
    listings: Array.from(found, (listing) => truthListing(world, imageHost, listing)),
    shops: Array.from(shops, ids.shop.idOf),
    shopFigures: Array.from(shops, (shop) => ({ shop_id: ids.shop.idOf(shop), ...shopFigures(world, shop) })),
    reviews: Object.fromEntries(
      Array.from(shops, (shop) => [
        ids.shop.idOf(shop),
        Array.from(visibleReviews(world, shop), ids.transaction.idOf),
      ]),
    ),
    counts: Object.fromEntries(taxonomies.map((id) => [id, activeUnder(world, [id]).length])),
  };
}

export function truthListing(world: World, imageHost: string, listing: number): TruthListing {
  const { ids, listings } = world;
  const made = listings.made.get(listing);
  const image = primary(world, listing);
  return {
    listing_id: ids.listing.idOf(listing),
    shop_id: ids.shop.idOf(listings.shop.get(listing)),
    taxonomy_id: shownTaxonomy(world, listing),
    when_made: madeWord(made, world.clock.year()),
    since2000: madeSince2000(made),
    ...listingFigures(world, listing),
    views: viewsAndPartners(world, listing).views,
    image: image
      ? {
          image_id: image.id,
          hex: image.hex,
          suffix: image.suffix,
          url: pictureUrl(world, imageHost, listing, image, '570xN'),
          serves: serviceOf(world, listing, image.slot),
        }
      : null,
  };
}
