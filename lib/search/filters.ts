import type { Value } from '../store/database.ts';
import type { Filter } from '../vectors/nearest.ts';

/** What may be found; left out: everything. */
export interface Filters {
  /** A category with all below it: Etsy's id. */
  readonly category?: number;
  /** In units of `currency`, both inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** ISO letters; of the price. */
  readonly currency?: string;
  /** Of the shop: two ISO letters. */
  readonly country?: string;
  /** Etsy's word: made_to_order, 2020_2026 … */
  readonly made?: string;
  /** True: on sale now; false: gone. */
  readonly onSale?: boolean;
}

const NEWEST = `(SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)`;
const PRICED = `(SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id AND price_amount IS NOT NULL
  ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)`;

/** These filters as one condition; undefined: none is set. */
export function filterOf(filters: Filters): Filter | undefined {
  const conditions: string[] = [];
  const params: Record<`:${string}`, Value> = {};
  const add = (condition: string, values: Record<`:${string}`, Value>): void => {
    conditions.push(condition);
    Object.assign(params, values);
  };
  const { category, from, to, currency, country, made, onSale } = filters;
  if (category !== undefined)
    add(
      `l.taxonomy_id IN (WITH RECURSIVE below (id) AS (SELECT :category UNION
         SELECT t.taxonomy_id FROM taxonomy AS t JOIN below ON t.parent_id = below.id) SELECT id FROM below)`,
      { ':category': category },
    );
  if (made !== undefined) add('l.when_made = :made', { ':made': made });
  if (country !== undefined)
    add('EXISTS (SELECT 1 FROM current_shops AS s WHERE s.shop_id = l.shop_id AND s.country = :country)', {
      ':country': country,
    });
  const price: string[] = [];
  if (from !== undefined) price.push('d.price_amount >= :from * d.price_divisor');
  if (to !== undefined) price.push('d.price_amount <= :to * d.price_divisor');
  if (currency !== undefined) price.push('d.price_currency = :currency');
  if (price.length > 0)
    add(`EXISTS (SELECT 1 FROM listings_dynamic AS d WHERE d.id = ${PRICED} AND ${price.join(' AND ')})`, {
      ...(from !== undefined && { ':from': from }),
      ...(to !== undefined && { ':to': to }),
      ...(currency !== undefined && { ':currency': currency }),
    });
  if (onSale !== undefined)
    add(
      `${onSale ? '' : 'NOT '}EXISTS (SELECT 1 FROM listings_dynamic AS d WHERE d.id = ${NEWEST} AND d.state = 'active')`,
      {},
    );
  if (conditions.length === 0) return undefined;
  return { where: conditions.join(' AND '), params };
}
