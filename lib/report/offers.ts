import type { Database } from '../store/database.ts';
import { whereThere } from './old-schema.ts';

const newestKnown = (column: string, of = column): string => `(
    SELECT ${column} FROM listings_dynamic WHERE listing_id = l.listing_id AND ${of} IS NOT NULL
    ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)`;
const PRICE = 'price_amount * 1.0 / price_divisor';

/**
 * What is on Etsy now, read once: half of the report is written from it, and looking up the newest reading of a million
 * listings takes seconds each time. As `current_listings` has it, with the first price beside it and in the order of the
 * table, which is twice as fast as the view. Prices are in units, not cents; times are epoch seconds.
 */
const OFFERS = `
CREATE TEMP TABLE offers AS
SELECT l.listing_id, l.shop_id, l.taxonomy_id AS category_id,
  coalesce(n.price_amount * 1.0 / n.price_divisor, ${newestKnown(PRICE, 'price_amount')},
    l.price_amount * 1.0 / l.price_divisor) AS price,
  coalesce(n.price_currency, ${newestKnown('price_currency', 'price_amount')}, l.price_currency) AS currency,
  coalesce(n.num_favorers, ${newestKnown('num_favorers')}) AS favorites,
  l.snapshot_timestamp AS first_read,
  l.price_amount * 1.0 / l.price_divisor AS first_price, l.price_currency AS first_currency,
  EXISTS (SELECT 1 FROM images AS i WHERE i.listing_id = l.listing_id AND i.state = 'done') AS has_image
FROM listings AS l NOT INDEXED LEFT JOIN listings_dynamic AS n ON n.id = (
  SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
WHERE n.state IS NOT 'removed';
CREATE INDEX temp.offers_listing ON offers (listing_id);
CREATE INDEX temp.offers_favorites ON offers (favorites, first_read);
CREATE INDEX temp.offers_first ON offers (first_read);`;

/** `offers`, for the connection that the report reads. In a database of an earlier version there is none. */
export async function makeOffers(database: Database): Promise<void> {
  await whereThere(database.scratch(OFFERS));
}

/** What a card shows. */
export interface Offer {
  readonly listing_id: number;
  readonly title: string | null;
  readonly url: string | null;
  readonly price: number | null;
  readonly currency: string | null;
  readonly favorites: number | null;
}

export const OFFER = 'o.listing_id, l.title, l.url, o.price, o.currency, o.favorites';
