-- What is counted, for the screen, verify and the summary, is counted in an index: the rows themselves are wide.
CREATE INDEX images_state ON images (state);
CREATE INDEX listings_when_made ON listings (when_made);
CREATE INDEX listings_snapshot_timestamp ON listings (snapshot_timestamp);
CREATE INDEX shops_snapshot_timestamp ON shops (snapshot_timestamp);
CREATE INDEX reviews_snapshot_timestamp ON reviews (snapshot_timestamp);
CREATE INDEX ledger_remaining ON ledger (id) WHERE remaining_today IS NOT NULL;
