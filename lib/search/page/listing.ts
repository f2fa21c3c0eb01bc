import { lineY, dot, ruleX } from '@observablehq/plot';
import { html, plainText } from '../../report/html.ts';
import type { Html } from '../../report/html.ts';
import { countryName, whenMadeName } from '../../report/words.ts';
import { drawing, GRID } from '../../report/charts/drawing.ts';
import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import type { Listing } from '../found.ts';
import { etsyUrl, money, stateOf } from '../words-for.ts';
import { addressOf } from './address.ts';
import { cardsOf, grid, shown, titleOf } from './card.ts';
import type { Result } from '../engine.ts';
import { NO_REQUEST } from './shell.ts';

interface Reading {
  /** "2026-11-20 09:15:00", UTC. */
  readonly read_at: string;
  readonly price: number | null;
  readonly currency: string | null;
  readonly state: string | null;
  readonly favorites: number | null;
  readonly views: number | null;
}

interface Review {
  readonly listing_id: number;
  readonly rating: number | null;
  readonly review: string | null;
  readonly on: string;
}

/** Of one listing, everything a page shows of it beside what looks alike. */
export interface Story {
  readonly listing: Listing;
  readonly readings: readonly Reading[];
  readonly reviews: readonly Review[];
  readonly ratings: readonly { readonly rating: number; readonly n: number }[];
  readonly sizes: string | undefined;
}

const MOST_READINGS = 520;
const MOST_REVIEWS = 12;

export async function storyOf(sql: Sql, listing: Listing): Promise<Story> {
  const id = JSON.stringify([listing.listing_id]);
  const [readings, reviews, ratings, size] = await Promise.all([
    sql.all<Reading>(
      `SELECT read_at, price, currency, state, favorites, views FROM listing_history
       WHERE listing_id = (SELECT value FROM json_each(?)) ORDER BY read_at DESC LIMIT ${MOST_READINGS}`,
      [id],
    ),
    sql.all<Review>(
      `SELECT listing_id, rating, review, date(create_timestamp, 'unixepoch') AS "on" FROM reviews WHERE shop_id = ?
       ORDER BY listing_id = (SELECT value FROM json_each(?)) DESC, create_timestamp DESC LIMIT ${MOST_REVIEWS}`,
      [listing.shop_id, id],
    ),
    sql.all<{ rating: number; n: number }>(
      'SELECT rating, count(*) AS n FROM reviews WHERE shop_id = ? AND rating IS NOT NULL GROUP BY rating ORDER BY rating DESC',
      [listing.shop_id],
    ),
    sql.get<Record<'a' | 'b' | 'c', number | null> & { unit: string | null }>(
      `SELECT item_length AS a, item_width AS b, item_height AS c, item_dimensions_unit AS unit FROM listings
       WHERE listing_id = (SELECT value FROM json_each(?))`,
      [id],
    ),
  ]);
  const sides = [size?.a, size?.b, size?.c].flatMap((side) => (side ? [side] : []));
  const sizes = sides.length === 0 ? undefined : `${sides.join(' × ')} ${size?.unit ?? ''}`.trim();
  return { listing, readings: readings.toReversed(), reviews, ratings, sizes };
}

export interface Neighbours {
  readonly alike: readonly Result[];
  /** Listings of other shops with the very same picture. */
  readonly same: readonly Result[];
}

export function listingPage(story: Story, { alike, same }: Neighbours): Html {
  const { listing, readings } = story;
  const url = etsyUrl(listing.url);
  const like = addressOf(NO_REQUEST, { like: [listing.listing_id] });
  return html`<article
      class="listing${listing.gone ? ' gone' : ''}"
      data-like="${like}"
      ${url === undefined ? '' : html` data-etsy="${url}"`}
    >
      <div class="views">
        ${shown(listing, 'whole')}${listing.hasCutout ? html`<p class="toggle"><button type="button" id="cutouts" aria-pressed="false" hidden>Show cutouts</button></p>` : ''}
      </div>
      <div class="facts">
        <h1>${titleOf(listing)}</h1>
        <p class="price">
          ${money(listing.price, listing.currency) || 'price unknown'}${sinceFirst(readings)}
        </p>
        <dl>${rows(story)}</dl>
        <p class="go">
          ${url === undefined ? '' : html`<a href="${url}" rel="noopener noreferrer">See it on Etsy</a> `}<a
            href="${like}"
            >More like this</a
          >
        </p>
      </div>
    </article>
    ${charts(readings)} ${section('Same picture elsewhere', same)} ${section('Looks like this', alike)}
    ${reviewsOf(story)}
    <section>
      <h2>In the database</h2>
      <pre tabindex="0"><code>SELECT * FROM current_listings WHERE listing_id = ${String(listing.listing_id)};
SELECT * FROM listing_history WHERE listing_id = ${String(listing.listing_id)};</code></pre>
    </section>`;
}

function rows({ listing, sizes }: Story): Html[] {
  const { category, shop, shop_id, country, favorites, when_made, first_seen, last_read, materials } =
    listing;
  const made = when_made === null ? undefined : whenMadeName(when_made);
  const facts: [string, string | undefined][] = [
    ['State', listing.gone ? `gone since ${last_read?.slice(0, 10) ?? ''}` : stateOf(listing)],
    ['Shop', `${shop ?? `shop ${shop_id}`}${country === null ? '' : `, ${countryName(country)}`}`],
    ['Category', category ?? undefined],
    ['Made', made],
    ['Size', sizes],
    ['Materials', words(materials)],
    ['Favourites', favorites === null ? undefined : count(favorites)],
    ['First seen', first_seen?.slice(0, 10)],
    ['Last read', last_read?.slice(0, 10)],
  ];
  return facts.flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
        ],
  );
}

/** A JSON array of texts, as stored; whatever else it is says nothing. */
function words(json: string | null): string | undefined {
  try {
    const list: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string').join(', ') : undefined;
  } catch {
    return undefined;
  }
}

function sinceFirst(readings: readonly Reading[]): string {
  const priced = readings.filter(({ price }) => price !== null);
  const [first, last] = [priced[0], priced.at(-1)];
  if (!first || !last || first === last || first.currency !== last.currency) return '';
  const percent = Math.round(100 * ((last.price ?? 0) / (first.price ?? 1) - 1));
  if (!Number.isFinite(percent) || percent === 0) return ', unchanged since first seen';
  return `, ${percent > 0 ? '+' : '−'}${Math.abs(percent)} % since first seen`;
}

/** Price as steps above, favourites below, on one axis of time. */
function charts(readings: readonly Reading[]): Html {
  const at = ({ read_at }: Reading): Date => new Date(`${read_at.replace(' ', 'T')}Z`);
  const { currency } = readings.findLast((one) => one.price !== null) ?? { currency: null };
  const priced = readings.filter((one) => one.price !== null && one.currency === currency);
  const liked = readings.filter(({ favorites }) => favorites !== null);
  if (priced.length < 2 && liked.length < 2)
    return html`<section>
      <h2>Over time</h2>
      <p class="empty">Read once so far. Its price and favourites are drawn from the second reading on.</p>
    </section>`;
  const [begin, end] = [readings[0], readings.at(-1)];
  const domain = begin && end ? [at(begin), at(end)] : [];
  const one = (
    label: string,
    data: readonly Reading[],
    y: 'price' | 'favorites',
    curve: 'step-after' | 'linear',
  ): Html =>
    data.length < 2
      ? html``
      : html`<h3>${label}</h3>
          ${drawing(label, () => ({
            height: 150,
            marginLeft: 56,
            marginRight: 16,
            x: { type: 'utc', domain, label: null },
            y: { label: null, grid: true, nice: true, ticks: 4, zero: y === 'favorites' },
            marks: [
              lineY(data, { x: at, y, curve, stroke: 'var(--main)', strokeWidth: 2 }),
              dot(data, {
                x: at,
                y,
                fill: 'var(--main)',
                r: 2.5,
                title: (row: Reading) => `${row.read_at.slice(0, 10)}: ${count(row[y] ?? 0)}`,
              }),
              ...readings
                .filter(({ state }) => state === 'removed')
                .slice(-1)
                .map((row) => ruleX([at(row)], { ...GRID, stroke: 'var(--alert)' })),
            ],
          }))}`;
  return html`<section>
    <h2>Over time</h2>
    ${one(`Price in ${currency ?? ''}`, priced, 'price', 'step-after')}${one('Favourites', liked, 'favorites', 'linear')}
  </section>`;
}

function section(title: string, results: readonly Result[]): Html {
  if (results.length === 0) return html``;
  return html`<section>
    <h2>${title}</h2>
    ${grid(cardsOf(results), NO_REQUEST)}
  </section>`;
}

function reviewsOf({ listing, reviews, ratings }: Story): Html {
  const all = ratings.reduce((sum, { n }) => sum + n, 0);
  if (all === 0 && reviews.length === 0)
    return html`<section>
      <h2>Reviews</h2>
      <p class="empty">None of this shop yet.</p>
    </section>`;
  const bars = [5, 4, 3, 2, 1].map((stars) => {
    const n = ratings.find(({ rating }) => rating === stars)?.n ?? 0;
    return html`<div>
      <dt>${stars} ★</dt>
      <dd><meter min="0" max="${Math.max(1, all)}" value="${n}">${n}</meter> ${count(n)}</dd>
    </div>`;
  });
  return html`<section>
    <h2>Reviews</h2>
    <p>${plural(all, 'review')} of this shop.</p>
    <dl class="ratings">${bars}</dl>
    <ul class="reviews">
      ${reviews.map(
        (one) =>
          html`<li>
            <b>${'★'.repeat(Math.min(5, Math.max(0, Math.round(one.rating ?? 0))))}</b>
            <small>${one.on}${one.listing_id === listing.listing_id ? ', of this piece' : ''}</small
            >${one.review === null || one.review === '' ? '' : html`<p>${plainText(one.review)}</p>`}
          </li>`,
      )}
    </ul>
  </section>`;
}
