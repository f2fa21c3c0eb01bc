-- What was odd in a run, and the second look that is taken before anything odd is believed.
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
CREATE TABLE answers (
  run_id INTEGER NOT NULL,
  endpoint TEXT NOT NULL,       -- ids left out: shops/{id}/reviews
  usable INTEGER NOT NULL,      -- records
  unusable INTEGER NOT NULL,    -- records that were set aside
  refused INTEGER NOT NULL,     -- requests without a usable answer, after a second try
  reason TEXT,                  -- why the last of them was set aside
  PRIMARY KEY (run_id, endpoint)
) WITHOUT ROWID;
CREATE TABLE review_pass_seen (
  shop_id INTEGER NOT NULL,
  review TEXT NOT NULL,         -- what tells one from another; kept while a pass is under way
  PRIMARY KEY (shop_id, review)
) WITHOUT ROWID;
-- The run in which fewer reviews could be read than Etsy counts: the shop is due again in the next one.
ALTER TABLE review_sync ADD COLUMN short_run INTEGER;
-- Answers of this run that did not name the listing.
ALTER TABLE wanted ADD COLUMN misses INTEGER NOT NULL DEFAULT 0;
-- Epoch s; set where a request was refused while others were answered: it is not made again before.
ALTER TABLE set_aside ADD COLUMN retry_at INTEGER;
