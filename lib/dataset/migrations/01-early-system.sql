-- Tables of the system this one takes over. A file of its first days lacks columns: they are added before (migrations.ts).
CREATE TABLE IF NOT EXISTS shops (
  shop_id INTEGER PRIMARY KEY,
  snapshot_timestamp INTEGER,
  create_date INTEGER,
  url TEXT,
  is_shop_us_based INTEGER,
  shipping_from_country_iso TEXT,
  shop_location_country_iso TEXT
);
CREATE TABLE IF NOT EXISTS shops_dynamic (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  shop_id INTEGER NOT NULL,
  snapshot_timestamp INTEGER NOT NULL,
  update_date INTEGER,
  listing_active_count INTEGER,
  accepts_custom_requests INTEGER,
  num_favorers INTEGER,
  transaction_sold_count INTEGER,
  review_average REAL,
  review_count INTEGER
);
CREATE TABLE IF NOT EXISTS listings (
  listing_id INTEGER PRIMARY KEY,
  snapshot_timestamp INTEGER,
  shop_id INTEGER NOT NULL,
  title TEXT,
  description TEXT,
  creation_timestamp INTEGER,
  url TEXT,
  is_customizable INTEGER,
  is_personalizable INTEGER,
  listing_type TEXT,
  tags TEXT,
  materials TEXT,
  processing_min INTEGER,
  processing_max INTEGER,
  who_made TEXT,
  when_made TEXT,
  item_weight REAL,
  item_weight_unit TEXT,
  item_length REAL,
  item_width REAL,
  item_height REAL,
  item_dimensions_unit TEXT,
  should_auto_renew INTEGER,
  language TEXT,
  price_amount INTEGER,
  price_divisor INTEGER,
  price_currency TEXT,
  taxonomy_id INTEGER,
  production_partners TEXT
);
CREATE TABLE IF NOT EXISTS listings_dynamic (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  listing_id INTEGER NOT NULL,
  snapshot_timestamp INTEGER NOT NULL,
  state TEXT,
  ending_timestamp INTEGER,
  quantity INTEGER,
  num_favorers INTEGER,
  views INTEGER,
  price_amount INTEGER,
  price_divisor INTEGER,
  price_currency TEXT
);
CREATE TABLE IF NOT EXISTS reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  snapshot_timestamp INTEGER,
  shop_id INTEGER NOT NULL,
  listing_id INTEGER NOT NULL,
  buyer_user_id INTEGER,
  rating INTEGER,
  review TEXT,
  language TEXT,
  create_timestamp INTEGER NOT NULL,
  transaction_id INTEGER
);
CREATE TABLE IF NOT EXISTS sync_state (
  key TEXT PRIMARY KEY,
  value TEXT
);

-- Its key (shop, listing, second) is no key: several reviews can share all three. transaction_id is.
DROP INDEX IF EXISTS idx_reviews_unique;
CREATE INDEX IF NOT EXISTS idx_shops_dynamic_shop_id ON shops_dynamic (shop_id, snapshot_timestamp);
CREATE INDEX IF NOT EXISTS idx_shops_dynamic_timestamp ON shops_dynamic (snapshot_timestamp);
CREATE INDEX IF NOT EXISTS idx_listings_shop_id ON listings (shop_id);
CREATE INDEX IF NOT EXISTS idx_listings_dynamic_listing_id ON listings_dynamic (listing_id, snapshot_timestamp);
CREATE INDEX IF NOT EXISTS idx_listings_dynamic_timestamp ON listings_dynamic (snapshot_timestamp);
CREATE INDEX IF NOT EXISTS idx_reviews_shop_id ON reviews (shop_id);
CREATE INDEX IF NOT EXISTS idx_reviews_listing_id ON reviews (listing_id);
CREATE INDEX IF NOT EXISTS idx_reviews_create_timestamp ON reviews (create_timestamp);
CREATE UNIQUE INDEX IF NOT EXISTS idx_reviews_transaction_id ON reviews (transaction_id);
CREATE INDEX IF NOT EXISTS reviews_unclaimed ON reviews (shop_id, create_timestamp) WHERE transaction_id IS NULL;
