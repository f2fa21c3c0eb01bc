import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { card, sheet, titleOf } from '../card.ts';
import { figureWith } from '../charts/chart.ts';
import { scatter } from '../charts/scatter.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { OFFER } from '../offers.ts';
import type { Offer } from '../offers.ts';
import type { Content, Source } from '../subject.ts';
import { money } from '../words.ts';

/** Categories with pictures, and listings that a category has at least: a fifth of few says nothing. */
const CATEGORIES = 4;
const LEAST = 20;
const FIFTHS = ['Cheapest fifth', 'Second', 'Middle', 'Fourth', 'Dearest fifth'];
/** Pictures that are tried for a fifth: the first may be missing. */
const TRIED = 3;
const SHARE = 0.25;
/** Dots drawn. */
const DOTS = 500;

interface Fifth {
  readonly category: number;
  readonly fifth: number;
  readonly n: number;
  readonly low: number;
  readonly high: number;
  readonly median: number | null;
  /** JSON of listing ids, those with an image and the most favourites first. */
  readonly best: string;
}

function readFifths(sql: Sql, currency: string, categories: readonly number[]): Promise<Fifth[]> {
  return sql.all<Fifth>(
    `SELECT category, fifth, count(*) AS n, min(price) AS low, max(price) AS high,
       max(favorites) FILTER (WHERE place = (known + 1) / 2) AS median,
       json_group_array(listing_id ORDER BY rank) FILTER (WHERE rank <= ${TRIED}) AS best
     FROM (
       SELECT *, count(favorites) OVER (PARTITION BY category, fifth) AS known,
         row_number() OVER (PARTITION BY category, fifth ORDER BY favorites IS NULL, favorites) AS place,
         row_number() OVER (PARTITION BY category, fifth ORDER BY has_image DESC, favorites DESC, listing_id) AS rank
       FROM (
         SELECT category_id AS category, listing_id, price, favorites, has_image,
           ntile(5) OVER (PARTITION BY category_id ORDER BY price, listing_id) AS fifth
         FROM offers WHERE currency = ? AND price > 0 AND category_id IN (SELECT value FROM json_each(?))))
     GROUP BY category, fifth ORDER BY category, fifth`,
    [currency, JSON.stringify(categories)],
  );
}

/** Price against favourites: as dots, and with pictures of each fifth of the prices. */
export async function favourites(source: Source): Promise<Content> {
  const { sql, category: nameOf } = source;
  const main = await sql.get<{ currency: string; n: number }>(
    `SELECT currency, count(*) AS n FROM offers WHERE price > 0 AND favorites IS NOT NULL AND currency IS NOT NULL
     GROUP BY currency ORDER BY n DESC, currency LIMIT 1`,
  );
  if (!main)
    return {
      empty: 'No listing with a price and favourites is known yet. The crawl stage of a run fills this.',
    };
  const { currency, n } = main;
  const spots = await sql.all<{ x: number; y: number }>(
    `SELECT price AS x, favorites AS y FROM offers WHERE currency = ? AND price > 0 AND favorites IS NOT NULL
     AND listing_id % ? = 0 LIMIT ${2 * DOTS}`,
    [currency, Math.max(1, Math.floor(n / DOTS))],
  );
  if (spots.length < 2)
    return {
      empty: 'Fewer than two listings have a price and favourites. The crawl stage of a run fills this.',
    };
  const categories = await sql.all<{ id: number; n: number }>(
    `SELECT category_id AS id, count(*) AS n FROM offers
     WHERE currency = ? AND price > 0 AND category_id IS NOT NULL
     GROUP BY category_id HAVING n >= ${LEAST} ORDER BY n DESC, category_id LIMIT ${CATEGORIES}`,
    [currency],
  );
  const fifths = await readFifths(
    sql,
    currency,
    categories.map(({ id }) => id),
  );
  const rungs: Html[] = [];
  for (const { id } of categories) {
    const own = fifths.filter(({ category }) => category === id);
    rungs.push(html`<h3>${nameOf(id)} <small>by price, a fifth of the pieces each</small></h3>`);
    const cards: Html[] = [];
    for (const fifth of own) cards.push(await rung(source, fifth, currency));
    rungs.push(sheet(cards, 'sheet row'));
  }
  const behind = table(
    `Price and favourites, pieces in ${currency}`,
    [
      words('Category'),
      words('Of its prices'),
      ...['Pieces', 'From', 'To', 'Favourites, median'].map(figures),
    ],
    fifths.map((one) => [
      nameOf(one.category),
      FIFTHS[one.fifth - 1],
      count(one.n),
      money(one.low, currency, 2),
      money(one.high, currency, 2),
      one.median === null ? '–' : count(one.median),
    ]),
  );
  const drawn = html`${scatter(
      `Price in ${currency} against favourites of ${plural(spots.length, 'piece')}`,
      spots,
      (value) => money(value, currency, value < 1 ? 2 : 0),
    )}
    <p class="axis">Upwards: favourites. To the right: price in ${currency}.</p>`;
  return {
    says: html`<p>
        Each dot is a
        piece${n > spots.length ? html`; ${count(spots.length)} of ${count(n)} are drawn` : undefined}.
      </p>
      ${rungs.length > 0 ? html`<p>Below, each category from the cheapest to the dearest fifth, with the piece of each that people like most.</p>` : undefined}`,
    shows: figureWith(drawn, behind),
    below: rungs.length === 0 ? undefined : html`${rungs}`,
  };
}

async function rung({ sql, album }: Source, fifth: Fifth, currency: string): Promise<Html> {
  const ids = JSON.parse(fifth.best) as number[];
  const offers = await sql.all<Offer>(
    `SELECT ${OFFER} FROM json_each(?) AS r CROSS JOIN offers AS o ON o.listing_id = r.value
     CROSS JOIN listings AS l ON l.listing_id = o.listing_id ORDER BY r.key`,
    [JSON.stringify(ids)],
  );
  const range = `${money(fifth.low, currency)}–${money(fifth.high, currency)}`;
  const notes = [
    fifth.median === null ? undefined : `median ${count(fifth.median)} ♥`,
    plural(fifth.n, 'piece'),
  ];
  for (const offer of offers) {
    const picture = await album.image(offer.listing_id, titleOf(offer), 'favourites', SHARE);
    if (picture) return card(offer, picture, range, notes);
  }
  const [first] = offers;
  return first ? card(first, undefined, range, notes) : html``;
}
