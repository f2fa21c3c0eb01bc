CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  only_stage TEXT,              -- set when the run is of one stage (--stage)
  started_at INTEGER NOT NULL,  -- epoch ms
  finished_at INTEGER           -- epoch ms; null: to be resumed
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
CREATE TABLE wanted (
  listing_id INTEGER PRIMARY KEY, -- to be asked for in the next batch
  shop_id INTEGER
);
CREATE INDEX wanted_shop_id ON wanted (shop_id);
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
CREATE TABLE review_sync (
  shop_id INTEGER PRIMARY KEY,
  started_at INTEGER,           -- epoch s: start of the last complete pass; the next one begins a day before
  completed_at INTEGER,         -- epoch s
  review_count INTEGER,         -- the shop's figures at that time
  review_average REAL,
  transaction_sold_count INTEGER,
  pass TEXT                     -- JSON of a pass under way; null: none
);
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
CREATE TABLE set_aside (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL,
  at INTEGER NOT NULL,          -- epoch s
  endpoint TEXT NOT NULL,
  reason TEXT NOT NULL,
  raw TEXT NOT NULL,            -- JSON as it came, cut at 64 KiB
  UNIQUE (endpoint, reason, raw)
);
CREATE TABLE findings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  repaired INTEGER NOT NULL DEFAULT 0,
  UNIQUE (run_id, kind, subject)
);
