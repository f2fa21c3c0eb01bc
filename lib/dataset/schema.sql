-- The tables as all migrations leave them. Written by: npm run schema

CREATE TABLE answers (
  run_id INTEGER NOT NULL,
  endpoint TEXT NOT NULL,       -- ids left out: shops/{id}/reviews
  usable INTEGER NOT NULL,      -- records
  unusable INTEGER NOT NULL,    -- records that were set aside
  refused INTEGER NOT NULL,     -- requests without a usable answer, after a second try
  reason TEXT,                  -- why the last of them was set aside
  PRIMARY KEY (run_id, endpoint)
) WITHOUT ROWID;

CREATE TABLE cutouts (
  listing_id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,       -- spaces.id
  source TEXT NOT NULL,         -- sha256 of the image it was made from; '': it could not be read
  stamp TEXT NOT NULL,          -- bytes+modified_ms of that image, as images has them
  state TEXT NOT NULL,          -- done, whole (nothing sensible to cut), failed
  cover REAL,                   -- share of the picture that was kept, 0 to 1
  box TEXT,                     -- JSON [x, y, width, height] in pixels of the cutout
  bytes INTEGER,                -- of cutouts/{listing_id}.webp
  sha256 TEXT,
  reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  tried_run INTEGER             -- the run of the last failed attempt
);
CREATE INDEX cutouts_reason ON cutouts (reason) WHERE state = 'failed';
CREATE INDEX cutouts_state ON cutouts (space, state);

CREATE TABLE embedding_codes (
  space INTEGER NOT NULL,
  listing_id INTEGER NOT NULL,
  code BLOB NOT NULL,           -- a bit per dimension: set where the value is above 0
  PRIMARY KEY (space, listing_id)
) WITHOUT ROWID;

CREATE TABLE embeddings (
  id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,       -- spaces.id
  listing_id INTEGER NOT NULL,
  source TEXT NOT NULL,         -- sha256 of the cutout, image or text
  stamp TEXT NOT NULL,          -- what is compared to see whether it is due again
  vector BLOB,                  -- a signed byte per dimension; null: failed
  reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  tried_run INTEGER,            -- the run of the last failed attempt
  UNIQUE (space, listing_id)
);
CREATE INDEX embeddings_failed ON embeddings (space, listing_id) WHERE vector IS NULL;

CREATE TABLE findings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  repaired INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run_id, kind, subject)
);

CREATE TABLE images (
  listing_id INTEGER PRIMARY KEY,
  state TEXT NOT NULL,          -- unknown, waiting, done, failed, missing, none
  image_id INTEGER,
  url TEXT,
  reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  tried_run INTEGER,            -- the run of the last attempt
  bytes INTEGER,
  modified_ms INTEGER,          -- of the file, when it was accepted
  sha256 TEXT                   -- null for files that were there before sync-data
);
CREATE INDEX images_open ON images (listing_id) WHERE state IN ('waiting', 'failed');
CREATE INDEX images_state ON images (state);

CREATE TABLE ledger (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,       -- epoch ms, just before the request was put on the wire
  run_id INTEGER,
  endpoint TEXT NOT NULL,
  status INTEGER,               -- null: no answer
  took_ms INTEGER,
  remaining_today INTEGER       -- x-remaining-today of the answer
);
CREATE INDEX ledger_at ON ledger (at_ms);
CREATE INDEX ledger_remaining ON ledger (id) WHERE remaining_today IS NOT NULL;

CREATE VIRTUAL TABLE listing_words USING fts5 (title, tags, materials, content='', contentless_delete=1);

CREATE TABLE listings (
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
CREATE INDEX idx_listings_shop_id ON listings (shop_id);
CREATE INDEX listings_price ON listings (taxonomy_id, price_currency, price_amount, price_divisor);
CREATE INDEX listings_snapshot_timestamp ON listings (snapshot_timestamp);
CREATE INDEX listings_when_made ON listings (when_made);

CREATE TABLE listings_dynamic (
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
CREATE INDEX idx_listings_dynamic_listing_id ON listings_dynamic (listing_id, snapshot_timestamp);
CREATE INDEX idx_listings_dynamic_timestamp ON listings_dynamic (snapshot_timestamp);
CREATE INDEX listings_dynamic_gone ON listings_dynamic (snapshot_timestamp, listing_id) WHERE state = 'removed';

CREATE TABLE meta_data (
  listing_id INTEGER PRIMARY KEY,
  value TEXT NOT NULL,          -- the entry of image_metadata.json, as JSON text
  earliest_year INTEGER,        -- the year its when_made certainly does not precede; null: not certain
  seen_slice INTEGER            -- slices.id in which a crawl last saw it
);

CREATE TABLE meta_data_other (
  key TEXT PRIMARY KEY,         -- an entry whose key is no listing id
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE oddities (
  run_id INTEGER NOT NULL,
  what TEXT NOT NULL,           -- what was odd
  became TEXT NOT NULL,         -- what was done about it
  n INTEGER NOT NULL,           -- how often
  endpoint TEXT,                -- set with `field`: a field that did not fit
  field TEXT,
  example TEXT,                 -- the first one, as JSON or as a subject
  PRIMARY KEY (run_id, what, became)
) WITHOUT ROWID;

CREATE TABLE review_pass_seen (
  shop_id INTEGER NOT NULL,
  review TEXT NOT NULL,         -- what tells one from another; kept while a pass is under way
  PRIMARY KEY (shop_id, review)
) WITHOUT ROWID;

CREATE TABLE review_sync (
  shop_id INTEGER PRIMARY KEY,
  started_at INTEGER,           -- epoch s: start of the last complete pass; the next one begins a day before
  completed_at INTEGER,         -- epoch s
  review_count INTEGER,         -- the shop's figures at that time
  review_average REAL,
  transaction_sold_count INTEGER,
  pass TEXT                     -- JSON of a pass under way; null: none
, short_run INTEGER);

CREATE TABLE reviews (
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
CREATE INDEX idx_reviews_create_timestamp ON reviews (create_timestamp);
CREATE INDEX idx_reviews_listing_id ON reviews (listing_id);
CREATE INDEX idx_reviews_shop_id ON reviews (shop_id);
CREATE UNIQUE INDEX idx_reviews_transaction_id ON reviews (transaction_id);
CREATE INDEX reviews_snapshot_timestamp ON reviews (snapshot_timestamp);
CREATE INDEX reviews_unclaimed ON reviews (shop_id, create_timestamp) WHERE transaction_id IS NULL;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  only_stage TEXT,              -- set when the run is of one stage (--stage)
  started_at INTEGER NOT NULL,  -- epoch ms
  finished_at INTEGER           -- epoch ms; null: to be resumed
);

CREATE TABLE set_aside (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL,
  at INTEGER NOT NULL,          -- epoch s
  endpoint TEXT NOT NULL,
  reason TEXT NOT NULL,
  raw TEXT NOT NULL, listing_id INTEGER, shop_id INTEGER, tries INTEGER NOT NULL DEFAULT 1, settled_at INTEGER, retry_at INTEGER,            -- JSON as it came, cut at 64 KiB
  UNIQUE (endpoint, reason, raw)
);
CREATE INDEX set_aside_open ON set_aside (listing_id) WHERE settled_at IS NULL;

CREATE TABLE shops (
  shop_id INTEGER PRIMARY KEY,
  snapshot_timestamp INTEGER,
  create_date INTEGER,
  url TEXT,
  is_shop_us_based INTEGER,
  shipping_from_country_iso TEXT,
  shop_location_country_iso TEXT
);
CREATE INDEX shops_snapshot_timestamp ON shops (snapshot_timestamp);

CREATE TABLE shops_dynamic (
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
CREATE INDEX idx_shops_dynamic_shop_id ON shops_dynamic (shop_id, snapshot_timestamp);
CREATE INDEX idx_shops_dynamic_timestamp ON shops_dynamic (snapshot_timestamp);

CREATE TABLE slices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL,
  taxonomy_id INTEGER NOT NULL,
  low_cents INTEGER NOT NULL,   -- inclusive
  high_cents INTEGER NOT NULL,  -- inclusive; -1: no upper end
  counted INTEGER NOT NULL,     -- what Etsy said
  seen INTEGER NOT NULL DEFAULT 0,
  split INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run_id, taxonomy_id, low_cents, high_cents)
);

CREATE TABLE spaces (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,           -- cutout, image, text
  model TEXT NOT NULL,
  sha256 TEXT NOT NULL,         -- of the weights
  recipe INTEGER NOT NULL,      -- version of the pre-processing, or of how the text is built
  input TEXT NOT NULL,          -- image, cutout, listing
  dims INTEGER,                 -- null: of cutouts
  since INTEGER NOT NULL,       -- epoch s
  complete_at INTEGER,          -- epoch s: nothing was due in it for the first time; null: not yet
  UNIQUE (kind, model, sha256, recipe, input)
);

CREATE TABLE starts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL,
  started_at INTEGER NOT NULL,  -- epoch ms
  ended_at INTEGER,             -- epoch ms; null: under way, or it was killed
  outcome TEXT,                 -- finished, stopped, failed
  reason TEXT,                  -- why it stopped or failed
  requests INTEGER,             -- attempts, as the ledger has them
  faults INTEGER,               -- of these without an answer, or answered 429 or 5xx
  worst_second INTEGER,         -- most requests in any 1,000 ms
  counts TEXT                   -- JSON: what it changed (see lib/dataset/tally.ts)
);
CREATE INDEX starts_run ON starts (run_id);

CREATE TABLE sync_state (
  key TEXT PRIMARY KEY,
  value TEXT
);

CREATE TABLE taxonomy (
  taxonomy_id INTEGER PRIMARY KEY,
  parent_id INTEGER,            -- null: at the top
  name TEXT NOT NULL,
  fetched_at INTEGER NOT NULL   -- epoch s
);

CREATE TABLE units (
  run_id INTEGER NOT NULL,
  stage TEXT NOT NULL,
  unit TEXT NOT NULL,
  finished_at INTEGER,          -- epoch ms; null: to be resumed
  cursor TEXT,                  -- JSON, the task's own
  progress TEXT,                -- JSON {done, total, note}
  PRIMARY KEY (run_id, stage, unit)
) WITHOUT ROWID;

CREATE TABLE wanted (
  listing_id INTEGER PRIMARY KEY, -- to be asked for in the next batch
  shop_id INTEGER
, misses INTEGER NOT NULL DEFAULT 0);
CREATE INDEX wanted_shop_id ON wanted (shop_id);
