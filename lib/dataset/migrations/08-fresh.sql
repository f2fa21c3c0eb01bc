-- What the order of reviews is made of, when a stage began, and what a run left to the next one.
ALTER TABLE review_sync ADD COLUMN drift INTEGER NOT NULL DEFAULT 0; -- review_count less the reviews stored, that no pass makes up for
ALTER TABLE review_sync ADD COLUMN older_than INTEGER;               -- epoch s: older reviews are still to be read; null: all are in
ALTER TABLE review_sync ADD COLUMN older_left INTEGER;               -- how many these are
CREATE INDEX reviews_shop_created ON reviews (shop_id, create_timestamp);
ALTER TABLE units ADD COLUMN left INTEGER;                           -- items left to the next run, which was due; null: none
CREATE TABLE stages (
  run_id INTEGER NOT NULL,
  stage TEXT NOT NULL,
  began_at INTEGER NOT NULL,    -- epoch ms; of stages that end where they are when the next run is due
  PRIMARY KEY (run_id, stage)
) WITHOUT ROWID;
