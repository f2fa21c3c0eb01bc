import { aspect, hash, share } from './random.ts';
import { reviewText } from './texts.ts';
import { perVersion, reviewsOfShops, type World } from './world.ts';

const BUYER = aspect('review.buyer');
const NO_BUYER = aspect('review.nobuyer');
const RATING = aspect('review.rating');
const PHOTO = aspect('review.photo');
const EDITED = aspect('review.edited');
const LANGUAGE = aspect('review.language');
// Reviews have serial numbers of their own: a text must not be the one of the listing with the same number.
const OF_REVIEWS = aspect('review');

export function rating(world: World, review: number): number {
  const chance = share(world.seed, review, RATING);
  return chance < 0.82 ? 5 : chance < 0.92 ? 4 : chance < 0.96 ? 3 : chance < 0.98 ? 2 : 1;
}

/** The buyer of a twin is the buyer of the review before it. */
function buyer(world: World, review: number): number {
  let first = review;
  while (world.reviews.twin.get(first) === 1) first--;
  return 11_000_000 + (hash(world.seed, first, BUYER) % 900_000_000);
}

export function reviewJson(world: World, review: number): object {
  const { seed, reviews, ids } = world;
  const created = reviews.created.get(review);
  const edited =
    share(seed, review, EDITED) < 0.03 ? created + (hash(seed, review, EDITED) % 1_000_000) : created;
  const updated = Math.min(edited, Math.max(created, world.clock.world()));
  return {
    shop_id: ids.shop.idOf(reviews.shop.get(review)),
    listing_id: ids.listing.idOf(reviews.listing.get(review)),
    transaction_id: ids.transaction.idOf(review),
    ...(share(seed, review, NO_BUYER) < 0.03 ? {} : { buyer_user_id: buyer(world, review) }),
    rating: rating(world, review),
    review: reviewText(seed ^ OF_REVIEWS, review),
    language: share(seed, review, LANGUAGE) < 0.9 ? 'en' : 'de',
    ...(share(seed, review, PHOTO) < 0.8
      ? {}
      : {
          image_url_fullxfull: `https://i.etsystatic.com/iap/${hash(seed, review, PHOTO).toString(16)}/0.jpg`,
        }),
    create_timestamp: created,
    created_timestamp: created,
    update_timestamp: updated,
    updated_timestamp: updated,
  };
}

const ordered = perVersion(() => new Map<number, Uint32Array>());
const MOST_ORDERED = 500;

/** The reviews of a shop that can be seen now, newest first. */
export function visibleReviews(world: World, shop: number): Uint32Array {
  const known = ordered(world);
  const last = known.get(shop);
  if (last) return last;
  const now = world.clock.world();
  const { created, visible } = world.reviews;
  const seen = reviewsOfShops(world)
    .members(shop)
    .filter((review) => visible.get(review) <= now)
    .toSorted((a, b) => created.get(b) - created.get(a) || b - a);
  if (known.size >= MOST_ORDERED) known.clear();
  known.set(shop, seen);
  return seen;
}

export function reviewsBetween(world: World, shop: number, from: number, to: number): Uint32Array {
  const { created } = world.reviews;
  return visibleReviews(world, shop).filter((review) => {
    const at = created.get(review);
    return at >= from && at <= to;
  });
}
