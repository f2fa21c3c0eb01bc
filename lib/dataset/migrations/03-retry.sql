-- listing_id, shop_id: to be asked for again. settled_at: epoch s; a good one came in, or it was not met again.
ALTER TABLE set_aside ADD COLUMN listing_id INTEGER;
ALTER TABLE set_aside ADD COLUMN shop_id INTEGER;
ALTER TABLE set_aside ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;
ALTER TABLE set_aside ADD COLUMN settled_at INTEGER;
CREATE INDEX set_aside_open ON set_aside (listing_id) WHERE settled_at IS NULL;
