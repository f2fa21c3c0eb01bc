import type { Sql } from '../../store/database.ts';
import { count } from '../../text/format.ts';
import { card, priceOf, sheet, titleOf } from '../card.ts';
import { spark } from '../charts/spark.ts';
import type { Point } from '../charts/spark.ts';
import { comparableFrom } from '../comparable.ts';
import { html } from '../html.ts';
import type { Html, Piece } from '../html.ts';
import { OFFER } from '../offers.ts';
import type { Offer } from '../offers.ts';
import type { Content, Source } from '../subject.ts';
import { money } from '../words.ts';
import { DAY_S, WEEK_S } from '../../time.ts';

const SHOWN = 5;
/** Some are gone, or their picture is. */
const LOOKED_AT = 40;
const SHARE = 0.2;
/** Price cuts are looked for in the last four weeks, and in so many readings at most. */
const WEEKS_BACK = 28;
const MOST_READINGS = 2_000_000;
const OFFERED = 'JOIN offers AS o USING (listing_id) JOIN listings AS l USING (listing_id)';

interface Liked extends Offer {
  readonly gained: number;
  readonly per_week: number;
}

function readLiked(sql: Sql): Promise<Liked[]> {
  return sql.all<Liked>(
    `SELECT ${OFFER}, gained, per_week FROM (
       SELECT listing_id, gained, per_week FROM favorites_growth
       WHERE per_week > 0 AND days >= 5 ORDER BY per_week DESC, listing_id LIMIT ${LOOKED_AT}) ${OFFERED}
     ORDER BY per_week DESC, listing_id`,
  );
}

interface Cut extends Offer {
  readonly before: number;
  readonly percent: number;
}

/** Readings since then that are cheaper than the one before, and whose price still holds. @param since epoch seconds */
function readCuts(sql: Sql, since: number): Promise<Cut[]> {
  return sql.all<Cut>(
    `SELECT ${OFFER}, before, percent FROM (
       SELECT d.listing_id, p.price_amount * 1.0 / p.price_divisor AS before,
         d.price_amount * 1.0 / d.price_divisor AS after, d.price_currency AS cut_currency,
         100.0 * d.price_amount * p.price_divisor / (d.price_divisor * p.price_amount) - 100 AS percent
       FROM listings_dynamic AS d JOIN listings_dynamic AS p ON p.id = (
         SELECT id FROM listings_dynamic
         WHERE listing_id = d.listing_id AND (snapshot_timestamp, id) < (d.snapshot_timestamp, d.id)
           AND price_amount > 0 AND price_divisor > 0
         ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
       WHERE d.snapshot_timestamp >= ? AND d.price_amount > 0 AND d.price_divisor > 0
         AND p.price_currency = d.price_currency
         AND d.price_amount * p.price_divisor < p.price_amount * d.price_divisor
       ORDER BY percent LIMIT ${LOOKED_AT}) ${OFFERED}
     WHERE o.price = after AND o.currency = cut_currency ORDER BY percent, listing_id`,
    [since],
  );
}

interface Fresh extends Offer {
  readonly first_read: number;
}

function readFresh(sql: Sql, since: number): Promise<Fresh[]> {
  return sql.all<Fresh>(
    `SELECT ${OFFER}, o.first_read FROM offers AS o CROSS JOIN listings AS l ON l.listing_id = o.listing_id
     WHERE o.first_read >= ? ORDER BY o.has_image DESC, o.favorites DESC, o.first_read DESC, o.listing_id
     LIMIT ${LOOKED_AT}`,
    [since],
  );
}

interface Reading {
  readonly listing_id: number;
  readonly at: number;
  readonly price: number | null;
  readonly currency: string | null;
  readonly favorites: number | null;
}

/** What moves: liked, cheaper, new. */
export async function movers({ sql, album }: Source): Promise<Content> {
  const span = await sql.get<{ first: number | null; last: number | null }>(
    `SELECT (SELECT min(snapshot_timestamp) FROM listings) AS first,
       (SELECT max(snapshot_timestamp) FROM listings_dynamic) AS last`,
  );
  const { first = null, last = null } = span ?? {};
  if (first === null || last === null || last - first < DAY_S)
    return {
      empty: 'Nothing can have moved yet: this compares readings. The crawl stage of the next run fills it.',
    };
  const recent = Math.floor(last / DAY_S) - WEEKS_BACK;
  const since = (await comparableFrom(sql, recent, MOST_READINGS)) * DAY_S;
  // In the first week all is new.
  const weekAgo = last - WEEK_S;
  const groups: { title: string; says: string; offers: readonly Offer[]; told: (offer: never) => Told }[] = [
    {
      title: 'Most favourites gained a week',
      says: 'since their first reading',
      offers: await readLiked(sql),
      told: ({ per_week, gained, favorites }: Liked) => ({
        bold: html`+${perWeek(per_week)} ♥ a week`,
        note: `${count(favorites ?? 0)} now, ${count(gained)} more`,
        of: 'favorites',
      }),
    },
    {
      title: 'Biggest price cuts',
      says: 'of the last four weeks, against the reading before',
      offers: await readCuts(sql, since),
      told: ({ percent, before, currency }: Cut) => ({
        bold: `−${(-percent).toFixed(0)} %`,
        note: `was ${money(before, currency ?? '')}`,
        of: 'price',
      }),
    },
    {
      title: 'New this week',
      says: 'those with the most favourites',
      offers: first < weekAgo ? await readFresh(sql, weekAgo) : [],
      told: ({ favorites }: Fresh) => ({
        bold: undefined,
        note: favorites === null ? undefined : `${count(favorites)} ♥ already`,
        of: undefined,
      }),
    },
  ];
  const shows: Html[] = [];
  for (const { title, says, offers, told } of groups) {
    const chosen = offers.slice(0, SHOWN);
    if (chosen.length === 0) continue;
    const readings = await readingsOf(sql, chosen);
    const cards: Html[] = [];
    for (const offer of chosen) {
      const name = titleOf(offer);
      const { bold, note, of } = told(offer as never);
      const picture = await album.image(offer.listing_id, name, 'movers', SHARE);
      const line = of && lineOf(offer, readings.get(offer.listing_id) ?? [], of);
      const price = priceOf(offer);
      cards.push(
        card(offer, picture, bold ?? price, [bold === undefined ? undefined : price, note, name], line),
      );
    }
    shows.push(html`<h3>${title} <small>${says}</small></h3>`, sheet(cards, 'sheet row'));
  }
  if (shows.length === 0)
    return { empty: 'Nothing has moved: no listing gained favourites, became cheaper or is new this week.' };
  return {
    says: html`<p>Of what is on Etsy now. The small lines show each listing's own history.</p>`,
    shows: html`${shows}`,
  };
}

interface Told {
  readonly bold: Piece;
  readonly note: string | undefined;
  /** What its line is of. */
  readonly of: 'price' | 'favorites' | undefined;
}

function perWeek(value: number): string {
  return value < 10 ? value.toFixed(1) : count(value);
}

async function readingsOf(sql: Sql, offers: readonly Offer[]): Promise<Map<number, Reading[]>> {
  const rows = await sql.all<Reading>(
    `SELECT listing_id, snapshot_timestamp AS at, price_amount * 1.0 / price_divisor AS price,
       price_currency AS currency, num_favorers AS favorites
     FROM listings_dynamic WHERE listing_id IN (SELECT value FROM json_each(?))
     ORDER BY listing_id, snapshot_timestamp, id`,
    [JSON.stringify(offers.map(({ listing_id }) => listing_id))],
  );
  const byListing = new Map<number, Reading[]>();
  for (const row of rows) byListing.set(row.listing_id, [...(byListing.get(row.listing_id) ?? []), row]);
  return byListing;
}

function lineOf(
  { currency }: Offer,
  readings: readonly Reading[],
  of: 'price' | 'favorites',
): Html | undefined {
  const points: Point[] = readings.flatMap((one) => {
    const value = one[of];
    return value === null || (of === 'price' && one.currency !== currency) ? [] : [{ at: one.at, value }];
  });
  const spelt = (value = 0): string => (of === 'price' ? money(value, currency ?? '') : count(value));
  const what = of === 'price' ? 'Price' : 'Favourites';
  const label = `${what} in ${count(points.length)} readings: from ${spelt(points[0]?.value)} to ${spelt(points.at(-1)?.value)}`;
  return spark(label, points, of === 'price');
}
