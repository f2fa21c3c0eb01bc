-- One row a start of the program, the names of the categories, and what the report reads in place of whole tables:
-- of a million listings 24 MB instead of 1.1 GB, and the few readings that say a listing is gone.
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
CREATE TABLE taxonomy (
  taxonomy_id INTEGER PRIMARY KEY,
  parent_id INTEGER,            -- null: at the top
  name TEXT NOT NULL,
  fetched_at INTEGER NOT NULL   -- epoch s
);
CREATE INDEX listings_price ON listings (taxonomy_id, price_currency, price_amount, price_divisor);
CREATE INDEX listings_dynamic_gone ON listings_dynamic (snapshot_timestamp, listing_id) WHERE state = 'removed';
