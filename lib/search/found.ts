import type { Sql } from '../store/database.ts';

/** A listing as a search shows it. */
export interface Listing {
  readonly listing_id: number;
  /** As a person reads it: no HTML entities. */
  readonly title: string | null;
  readonly category: string | null;
  readonly shop_id: number;
  readonly shop: string | null;
  readonly country: string | null;
  /** In units of `currency`; the last one known. */
  readonly price: number | null;
  readonly currency: string | null;
  /** Etsy's word; null: never read. */
  readonly state: string | null;
  readonly gone: boolean;
  readonly favorites: number | null;
  readonly when_made: string | null;
  readonly url: string | null;
  /** UTC, "2026-11-20 09:15:00". */
  readonly first_seen: string | null;
  readonly last_read: string | null;
  /** Whether images/{listing_id}.jpg and cutouts/{listing_id}.webp are on record as whole. */
  readonly hasImage: boolean;
  readonly hasCutout: boolean;
  /** Of the image file, where it is known: the same in several shops is the same picture. */
  readonly picture: string | null;
  /** JSON arrays as stored. */
  readonly tags: string | null;
  readonly materials: string | null;
}

type Flag = 'gone' | 'hasImage' | 'hasCutout';

/** What these ids are, in their order; ids that are not in the dataset are left out. */
export async function listingsOf(sql: Sql, ids: readonly number[]): Promise<Listing[]> {
  if (ids.length === 0) return [];
  const rows = await sql.all<Omit<Listing, Flag> & Record<Flag, number>>(
    `SELECT c.listing_id, c.title, c.category, c.shop_id, c.shop, s.country, c.price, c.currency, c.state, c.gone,
       c.favorites, c.when_made, c.url, c.first_seen, c.last_read, i.state IS 'done' AS hasImage,
       k.state IS 'done' AS hasCutout, i.sha256 AS picture, l.tags, l.materials
     FROM json_each(?) AS r JOIN current_listings AS c ON c.listing_id = r.value
     JOIN listings AS l ON l.listing_id = c.listing_id
     LEFT JOIN current_shops AS s ON s.shop_id = c.shop_id
     LEFT JOIN images AS i ON i.listing_id = c.listing_id LEFT JOIN cutouts AS k ON k.listing_id = c.listing_id`,
    [JSON.stringify(ids)],
  );
  const known = new Map(rows.map((row) => [row.listing_id, row]));
  return ids.flatMap((id) => {
    const row = known.get(id);
    if (!row) return [];
    return [{ ...row, gone: row.gone === 1, hasImage: row.hasImage === 1, hasCutout: row.hasCutout === 1 }];
  });
}
