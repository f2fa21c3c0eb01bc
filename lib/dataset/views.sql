-- Views for reading, one per CREATE VIEW at the start of a line. They hold no data: dropped and made again whenever this
-- file or the tables change. A view that leaves this file is dropped by a migration. Described in README.md here. Times are UTC text that sorts, prices are units of the currency (not cents), weeks are named by their Monday.

CREATE VIEW categories AS
WITH RECURSIVE tree (id, parent, name, path, depth) AS (
  SELECT taxonomy_id, parent_id, name, name, 0 FROM taxonomy
  WHERE parent_id IS NULL OR parent_id NOT IN (SELECT taxonomy_id FROM taxonomy)
  UNION ALL
  SELECT t.taxonomy_id, t.parent_id, t.name, tree.path || ' > ' || t.name, tree.depth + 1
  FROM tree JOIN taxonomy AS t ON t.parent_id = tree.id
)
SELECT id, parent, name, path, depth FROM tree;

-- Each figure is the newest that is known: the reading that says a listing is gone has none. The newest reading is looked
-- up in the index, listing by listing: many times as fast as row_number() over all readings.
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

-- A reading against the one before it that had a price. Another currency is another seller's setting, not a change.
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

-- From the first reading of a listing that had the figure to the newest; per_week from a day apart.
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

-- The name is the last part of the shop's address.
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

-- New: first read. Gone: shown at the reading before, not any more. One that comes back is not new, and may go again.
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

-- Counted from the reviews themselves, of all years. past_year: written in the 365 days before the shop's reviews were
-- last read to the end, or before the newest review of all while they never were.
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

CREATE VIEW listing_tags AS
SELECT l.listing_id, replace(replace(replace(t.value, '&#39;', ''''), '&quot;', '"'), '&amp;', '&') AS tag
FROM listings AS l, json_each(iif(json_valid(l.tags), l.tags, '[]')) AS t
WHERE t.type = 'text';
