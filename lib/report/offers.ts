import type { Database } from '../store/database.ts';
import { whereThere } from './old-schema.ts';

/**
 * What is on Etsy now, read once: half of the report is written from it, and looking up the newest reading of a million
 * listings takes seconds each time. Prices are in units, not cents; times are epoch seconds.
 */
const OFFERS = `
CREATE TEMP TABLE offers AS
SELECT c.listing_id, c.shop_id, c.category_id, c.price, c.currency, c.favorites, l.snapshot_timestamp AS first_read,
  l.price_amount * 1.0 / l.price_divisor AS first_price, l.price_currency AS first_currency,
  EXISTS (SELECT 1 FROM images AS i WHERE i.listing_id = c.listing_id AND i.state = 'done') AS has_image
FROM current_listings AS c CROSS JOIN listings AS l ON l.listing_id = c.listing_id
WHERE NOT c.gone;
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
