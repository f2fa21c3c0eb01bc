import type { ListingImage, Listing, Review, Shop } from '../../lib/etsy/schemas.ts';
import { createdAt } from '../../lib/etsy/schemas.ts';
import type { ListingRow } from '../../lib/dataset/listings.ts';
import type { ReviewRow } from '../../lib/dataset/reviews.ts';
import type { ShopRow } from '../../lib/dataset/shops.ts';

// How Etsy's records become rows. `now` is in epoch seconds throughout.

export function listingRow(listing: Listing, now: number): ListingRow {
  return {
    listing_id: listing.listing_id,
    snapshot_timestamp: now,
    shop_id: listing.shop_id,
    title: listing.title ?? null,
    description: listing.description ?? null,
    creation_timestamp: listing.creation_timestamp ?? listing.created_timestamp ?? null,
    url: listing.url ?? null,
    is_customizable: listing.is_customizable ?? null,
    is_personalizable: listing.is_personalizable ?? null,
    listing_type: listing.listing_type ?? null,
    tags: listing.tags ?? null,
    materials: listing.materials ?? null,
    processing_min: listing.processing_min ?? null,
    processing_max: listing.processing_max ?? null,
    who_made: listing.who_made ?? null,
    when_made: listing.when_made ?? null,
    item_weight: listing.item_weight ?? null,
    item_weight_unit: listing.item_weight_unit ?? null,
    item_length: listing.item_length ?? null,
    item_width: listing.item_width ?? null,
    item_height: listing.item_height ?? null,
    item_dimensions_unit: listing.item_dimensions_unit ?? null,
    should_auto_renew: listing.should_auto_renew ?? null,
    language: listing.language ?? null,
    price_amount: listing.price?.amount ?? null,
    price_divisor: listing.price?.divisor ?? null,
    price_currency: listing.price?.currency_code ?? null,
    taxonomy_id: listing.taxonomy_id ?? null,
    production_partners: listing.production_partners ?? null,
    state: listing.state ?? null,
    ending_timestamp: listing.ending_timestamp ?? null,
    quantity: listing.quantity ?? null,
    num_favorers: listing.num_favorers ?? null,
    views: listing.views ?? null,
  };
}

export function shopRow(shop: Shop, now: number): ShopRow {
  return {
    shop_id: shop.shop_id,
    snapshot_timestamp: now,
    create_date: shop.create_date ?? shop.created_timestamp ?? null,
    url: shop.url ?? null,
    is_shop_us_based: shop.is_shop_us_based ?? null,
    shipping_from_country_iso: shop.shipping_from_country_iso ?? null,
    shop_location_country_iso: shop.shop_location_country_iso ?? null,
    update_date: shop.update_date ?? shop.updated_timestamp ?? null,
    listing_active_count: shop.listing_active_count ?? null,
    accepts_custom_requests: shop.accepts_custom_requests ?? null,
    num_favorers: shop.num_favorers ?? null,
    transaction_sold_count: shop.transaction_sold_count ?? null,
    review_average: shop.review_average ?? null,
    review_count: shop.review_count ?? null,
  };
}

export function reviewRow(review: Review, now: number): ReviewRow {
  return {
    snapshot_timestamp: now,
    shop_id: review.shop_id,
    listing_id: review.listing_id,
    transaction_id: review.transaction_id ?? null,
    buyer_user_id: review.buyer_user_id ?? null,
    rating: review.rating ?? null,
    review: review.review ?? null,
    language: review.language ?? null,
    create_timestamp: createdAt(review) ?? 0,
    isTextless: review.review === undefined,
  };
}

/** The image a listing is known by: the lowest rank, the first of equals (ranks do occur twice). */
export function primaryImage(images: readonly ListingImage[]): ListingImage | undefined {
  const rank = (image: ListingImage): number => image.rank ?? Infinity;
  return images.reduce<ListingImage | undefined>(
    (best, image) => (best === undefined || rank(image) < rank(best) ? image : best),
    undefined,
  );
}
