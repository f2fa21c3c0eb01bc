-- Cutouts, vectors, and the words of listings for full-text search.
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
CREATE INDEX cutouts_state ON cutouts (space, state);
CREATE INDEX cutouts_reason ON cutouts (reason) WHERE state = 'failed';
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
CREATE TABLE embedding_codes (
  space INTEGER NOT NULL,
  listing_id INTEGER NOT NULL,
  code BLOB NOT NULL,           -- a bit per dimension: set where the value is above 0
  PRIMARY KEY (space, listing_id)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE listing_words USING fts5 (title, tags, materials, content='', contentless_delete=1);
