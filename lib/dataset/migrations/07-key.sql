-- Which API key a request was made with: a quota is of one key. A hash; null: made by a version that did not note it.
ALTER TABLE ledger ADD COLUMN key TEXT;
-- The screen counts the requests of the last day each second: from the index alone.
DROP INDEX ledger_at;
CREATE INDEX ledger_at ON ledger (at_ms, key);
