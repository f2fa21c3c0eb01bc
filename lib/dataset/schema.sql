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
, key TEXT);
CREATE INDEX ledger_at ON ledger (at_ms, key);
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
CREATE INDEX listings_category ON listings (taxonomy_id, listing_id, price_currency, price_amount, price_divisor);
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
, short_run INTEGER, drift INTEGER NOT NULL DEFAULT 0, older_than INTEGER, older_left INTEGER);

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
CREATE INDEX reviews_shop_created ON reviews (shop_id, create_timestamp);
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
  pictures INTEGER NOT NULL DEFAULT 0, -- of late, and the milliseconds that they took: how fast it goes
  worked_ms INTEGER NOT NULL DEFAULT 0,
  UNIQUE (kind, model, sha256, recipe, input)
);

CREATE TABLE stages (
  run_id INTEGER NOT NULL,
  stage TEXT NOT NULL,
  began_at INTEGER NOT NULL,    -- epoch ms; of stages that end where they are when the next run is due
  PRIMARY KEY (run_id, stage)
) WITHOUT ROWID;

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
CREATE INDEX taxonomy_name ON taxonomy (name);

CREATE TABLE units (
  run_id INTEGER NOT NULL,
  stage TEXT NOT NULL,
  unit TEXT NOT NULL,
  finished_at INTEGER,          -- epoch ms; null: to be resumed
  cursor TEXT,                  -- JSON, the task's own
  progress TEXT, left INTEGER,                -- JSON {done, total, note}
  PRIMARY KEY (run_id, stage, unit)
) WITHOUT ROWID;

CREATE TABLE wanted (
  listing_id INTEGER PRIMARY KEY, -- to be asked for in the next batch
  shop_id INTEGER
, misses INTEGER NOT NULL DEFAULT 0);
CREATE INDEX wanted_shop_id ON wanted (shop_id);

CREATE TABLE workers (
  run_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  device TEXT NOT NULL,         -- what runs its models: cpu, cuda, dml, coreml, webgpu; '': not known
  state TEXT NOT NULL,          -- working, silent, refused, left
  pictures INTEGER NOT NULL,    -- done in this run
  per_second REAL NOT NULL,     -- of late
  heard_at INTEGER NOT NULL,    -- epoch s
  reason TEXT,                  -- why it is refused or has left
  PRIMARY KEY (run_id, name)
) WITHOUT ROWID;

CREATE VIEW categories AS
WITH RECURSIVE tree (id, parent, name, path, depth) AS (
  SELECT taxonomy_id, parent_id, name, name, 0 FROM taxonomy
  WHERE parent_id IS NULL OR parent_id NOT IN (SELECT taxonomy_id FROM taxonomy)
  UNION ALL
  SELECT t.taxonomy_id, t.parent_id, t.name, tree.path || ' > ' || t.name, tree.depth + 1
  FROM tree JOIN taxonomy AS t ON t.parent_id = tree.id
)
SELECT id, parent, name, path, depth FROM tree;

CREATE VIEW current_listings AS
SELECT
  l.listing_id,
  -- &quot; and its like, from the left and each once: of &amp;lt; the text &lt; is left, and no <.
  CASE WHEN instr(l.title, '&') = 0 THEN l.title ELSE (
    WITH RECURSIVE decoded (done, rest, name, said) AS (
      SELECT '', l.title, NULL, NULL
      UNION ALL
      SELECT done || substr(rest, 1, instr(rest, '&') - 1), substr(rest, instr(rest, '&')),
        substr(rest, instr(rest, '&') + 1, max(instr(substr(rest, instr(rest, '&') + 1, 9), ';') - 1, 0)), NULL
      FROM decoded WHERE name IS NULL AND instr(rest, '&') > 0
      UNION ALL
      SELECT done, rest, name, CASE
        WHEN name = 'quot' THEN '"' WHEN name = 'apos' THEN '''' WHEN name = 'amp' THEN '&'
        WHEN name = 'lt' THEN '<' WHEN name = 'gt' THEN '>'
        WHEN name LIKE '#_%' AND substr(name, 2) NOT GLOB '*[^0-9]*' AND (
          substr(name, 2) + 0 BETWEEN 1 AND 55295 OR substr(name, 2) + 0 BETWEEN 57344 AND 1114111)
        THEN char(substr(name, 2) + 0)
        ELSE '' END
      FROM decoded WHERE name IS NOT NULL AND said IS NULL
      UNION ALL
      SELECT done || iif(said = '', '&', said), substr(rest, iif(said = '', 2, length(name) + 3)), NULL, NULL
      FROM decoded WHERE said IS NOT NULL
    )
    SELECT done || rest FROM decoded WHERE name IS NULL AND instr(rest, '&') = 0
  ) END AS title,
  t.name AS category,
  l.shop_id,
  (SELECT shop FROM current_shops WHERE shop_id = l.shop_id) AS shop,
  coalesce(newest.price_amount * 1.0 / newest.price_divisor, (
    SELECT price_amount * 1.0 / price_divisor FROM listings_dynamic WHERE listing_id = l.listing_id AND price_amount IS NOT NULL
    ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1), l.price_amount * 1.0 / l.price_divisor) AS price,
  coalesce(newest.price_currency, (
    SELECT price_currency FROM listings_dynamic WHERE listing_id = l.listing_id AND price_amount IS NOT NULL
    ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1), l.price_currency) AS currency,
  newest.state,
  newest.state IS 'removed' AS gone,
  coalesce(newest.quantity, (
    SELECT quantity FROM listings_dynamic WHERE listing_id = l.listing_id AND quantity IS NOT NULL
    ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)) AS quantity,
  coalesce(newest.num_favorers, (
    SELECT num_favorers FROM listings_dynamic WHERE listing_id = l.listing_id AND num_favorers IS NOT NULL
    ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)) AS favorites,
  coalesce(newest.views, (
    SELECT views FROM listings_dynamic WHERE listing_id = l.listing_id AND views IS NOT NULL
    ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)) AS views,
  l.when_made,
  l.who_made,
  date(l.creation_timestamp, 'unixepoch') AS listed_on,
  datetime(coalesce(l.snapshot_timestamp, (
    SELECT min(snapshot_timestamp) FROM listings_dynamic WHERE listing_id = l.listing_id)), 'unixepoch') AS first_seen,
  datetime(newest.snapshot_timestamp, 'unixepoch') AS last_read,
  l.url,
  (SELECT listing_id || '.jpg' FROM images WHERE listing_id = l.listing_id AND state = 'done') AS image,
  l.taxonomy_id AS category_id
FROM listings AS l
LEFT JOIN taxonomy AS t ON t.taxonomy_id = l.taxonomy_id
LEFT JOIN listings_dynamic AS newest ON newest.id = (
  SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id
  ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1);

CREATE VIEW current_shops AS
SELECT
  s.shop_id,
  iif(instr(s.url, '/shop/') > 0,
    substr(s.url, instr(s.url, '/shop/') + 6, instr(substr(s.url, instr(s.url, '/shop/') + 6) || '?', '?') - 1),
    NULL) AS shop,
  coalesce(s.shop_location_country_iso, s.shipping_from_country_iso, iif(s.is_shop_us_based = 1, 'US', NULL)) AS country,
  date(s.create_date, 'unixepoch') AS opened_on,
  d.listing_active_count AS active_listings,
  d.transaction_sold_count AS sold,
  d.num_favorers AS favorites,
  d.review_average AS rating_past_year,
  d.review_count AS reviews_past_year,
  datetime(d.snapshot_timestamp, 'unixepoch') AS last_read
FROM shops AS s
LEFT JOIN shops_dynamic AS d ON d.id = (
  SELECT id FROM shops_dynamic WHERE shop_id = s.shop_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1);

CREATE VIEW favorites_growth AS
SELECT
  l.listing_id,
  newest.num_favorers AS favorites,
  newest.num_favorers - first.num_favorers AS gained,
  round((newest.snapshot_timestamp - first.snapshot_timestamp) / 86400.0, 1) AS days,
  iif(newest.snapshot_timestamp - first.snapshot_timestamp >= 86400,
    round((newest.num_favorers - first.num_favorers) * 604800.0 / (newest.snapshot_timestamp - first.snapshot_timestamp), 2),
    NULL) AS per_week
FROM listings AS l
JOIN listings_dynamic AS newest ON newest.id = (
  SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id AND num_favorers IS NOT NULL
  ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
JOIN listings_dynamic AS first ON first.id = (
  SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id AND num_favorers IS NOT NULL
  ORDER BY snapshot_timestamp, id LIMIT 1);

CREATE VIEW listing_history AS
SELECT
  listing_id,
  datetime(snapshot_timestamp, 'unixepoch') AS read_at,
  date(snapshot_timestamp, 'unixepoch', 'weekday 0', '-6 days') AS week,
  price_amount * 1.0 / price_divisor AS price,
  price_currency AS currency,
  state,
  quantity,
  num_favorers AS favorites,
  views
FROM listings_dynamic;

CREATE VIEW listing_tags AS
SELECT l.listing_id, replace(replace(replace(t.value, '&#39;', ''''), '&quot;', '"'), '&amp;', '&') AS tag
FROM listings AS l, json_each(iif(json_valid(l.tags), l.tags, '[]')) AS t
WHERE t.type = 'text';

CREATE VIEW price_changes AS
SELECT
  d.listing_id,
  datetime(d.snapshot_timestamp, 'unixepoch') AS read_at,
  p.price_amount * 1.0 / p.price_divisor AS before,
  d.price_amount * 1.0 / d.price_divisor AS price,
  d.price_currency AS currency,
  round(100.0 * d.price_amount * p.price_divisor / (d.price_divisor * p.price_amount) - 100, 1) AS percent
FROM listings_dynamic AS d
JOIN listings_dynamic AS p ON p.id = (
  SELECT id FROM listings_dynamic
  WHERE listing_id = d.listing_id AND (snapshot_timestamp, id) < (d.snapshot_timestamp, d.id)
    AND price_amount IS NOT NULL AND price_divisor > 0 AND price_currency IS NOT NULL
  ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
WHERE p.price_currency = d.price_currency
  AND d.price_amount * p.price_divisor <> p.price_amount * d.price_divisor AND d.price_divisor > 0;

CREATE VIEW shop_reviews AS
SELECT
  r.shop_id,
  (SELECT shop FROM current_shops WHERE shop_id = r.shop_id) AS shop,
  count(*) AS reviews,
  round(avg(r.rating), 2) AS rating,
  sum(r.create_timestamp > coalesce(
    (SELECT started_at FROM review_sync WHERE shop_id = r.shop_id),
    (SELECT max(create_timestamp) FROM reviews)) - 31536000) AS past_year,
  date(min(r.create_timestamp), 'unixepoch') AS first_on,
  date(max(r.create_timestamp), 'unixepoch') AS newest_on
FROM reviews AS r
GROUP BY r.shop_id;

CREATE VIEW weekly_flow AS
SELECT week, sum(is_new) AS new, sum(is_gone) AS gone FROM (
  SELECT date(snapshot_timestamp, 'unixepoch', 'weekday 0', '-6 days') AS week, 1 AS is_new, 0 AS is_gone
  FROM listings WHERE snapshot_timestamp IS NOT NULL
  UNION ALL
  SELECT date(d.snapshot_timestamp, 'unixepoch', 'weekday 0', '-6 days'), 0, 1 FROM listings_dynamic AS d
  WHERE d.state = 'removed' AND 'removed' <> (
    SELECT coalesce(p.state, '') FROM listings_dynamic AS p
    WHERE p.listing_id = d.listing_id AND (p.snapshot_timestamp, p.id) < (d.snapshot_timestamp, d.id)
    ORDER BY p.snapshot_timestamp DESC, p.id DESC LIMIT 1))
GROUP BY week;
