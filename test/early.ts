import type { Tx } from '../lib/store/database.ts';
import type { TruthListing } from './marketplace/index.ts';

/** A file of the early system's first days: columns missing, description added last. */
export const EARLY_TABLES = `
CREATE TABLE shops (shop_id INTEGER PRIMARY KEY, create_date INTEGER, url TEXT, is_shop_us_based INTEGER,
  shipping_from_country_iso TEXT, shop_location_country_iso TEXT);
CREATE TABLE shops_dynamic (id INTEGER PRIMARY KEY AUTOINCREMENT, shop_id INTEGER NOT NULL, snapshot_timestamp INTEGER NOT NULL,
  update_date INTEGER, listing_active_count INTEGER, accepts_custom_requests INTEGER, num_favorers INTEGER,
  transaction_sold_count INTEGER, review_average REAL, review_count INTEGER);
CREATE TABLE listings (listing_id INTEGER PRIMARY KEY, shop_id INTEGER NOT NULL, title TEXT, creation_timestamp INTEGER,
  url TEXT, is_customizable INTEGER, is_personalizable INTEGER, listing_type TEXT, tags TEXT, materials TEXT,
  processing_min INTEGER, processing_max INTEGER, who_made TEXT, when_made TEXT, item_weight REAL, item_weight_unit TEXT,
  item_length REAL, item_width REAL, item_height REAL, item_dimensions_unit TEXT, should_auto_renew INTEGER, language TEXT,
  price_amount INTEGER, price_divisor INTEGER, price_currency TEXT, taxonomy_id INTEGER, production_partners TEXT);
ALTER TABLE listings ADD COLUMN description TEXT;
CREATE TABLE listings_dynamic (id INTEGER PRIMARY KEY AUTOINCREMENT, listing_id INTEGER NOT NULL,
  snapshot_timestamp INTEGER NOT NULL, state TEXT, ending_timestamp INTEGER, quantity INTEGER, num_favorers INTEGER, views INTEGER);
CREATE TABLE reviews (id INTEGER PRIMARY KEY AUTOINCREMENT, shop_id INTEGER NOT NULL, listing_id INTEGER NOT NULL,
  buyer_user_id INTEGER, rating INTEGER, review TEXT, language TEXT, create_timestamp INTEGER NOT NULL);
CREATE TABLE sync_state (key TEXT PRIMARY KEY, value TEXT);
CREATE INDEX idx_shops_dynamic_shop_id ON shops_dynamic(shop_id);
CREATE INDEX idx_listings_shop_id ON listings(shop_id);
CREATE INDEX idx_listings_dynamic_listing_id ON listings_dynamic(listing_id);
CREATE INDEX idx_reviews_shop_id ON reviews(shop_id);
CREATE UNIQUE INDEX idx_reviews_unique ON reviews(shop_id, listing_id, create_timestamp)`;

/** @param at when it was read, epoch seconds */
export async function addListing(to: Tx, listing: TruthListing, at: number): Promise<void> {
  const { listing_id: id, shop_id, when_made, taxonomy_id, state, quantity } = listing;
  await to.run(
    `INSERT INTO listings (listing_id, shop_id, title, description, when_made, taxonomy_id, tags, production_partners, price_amount)
     SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, 'As it was', r.value ->> 3, r.value ->> 4, '["early"]', '[]', 1 FROM json_each(?) AS r`,
    [JSON.stringify([[id, shop_id, `Early title of ${id}`, when_made, taxonomy_id]])],
  );
  await to.run(
    `INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state, quantity, views)
     SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, 7 FROM json_each(?) AS r`,
    [JSON.stringify([[id, at, state, quantity]])],
  );
}
