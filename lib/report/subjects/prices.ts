import type { Sql } from '../../store/database.ts';
import { clip } from '../../text/clean.ts';
import { count, plural } from '../../text/format.ts';
import { figureWith, legend } from '../charts/chart.ts';
import { ranges } from '../charts/ranges.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { LONGEST_CURRENCY, money } from '../words.ts';

/** Of the listings of a category in one currency, of which there are n. */
interface Spread {
  readonly category: number | null;
  readonly currency: string;
  readonly n: number;
  /** The prices, in units of the currency, that 10, 25, 50, 75 and 90 of a hundred listings do not go beyond. */
  readonly p10: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  /** JSON of all of them, where they are few. */
  readonly few: string | null;
}

/** Categories drawn, categories in the table (there are 50 of furniture), and other currencies named. */
const DRAWN = 16;
const TOLD = 100;
const NAMED = 12;
/** Of fewer there is no range: each price is drawn. */
const FEW = 20;

/** Of what is on offer, at the newest price that is known: as in the finding at the top. In one pass over the listings. */
function readSpreads(sql: Sql): Promise<Spread[]> {
  const at = (hundredths: number): string =>
    `max(price) FILTER (WHERE place = (n * ${hundredths} + 99) / 100) AS p${hundredths}`;
  return sql.all<Spread>(
    `SELECT category, currency, n, ${[10, 25, 50, 75, 90].map(at).join(', ')},
       json_group_array(price) FILTER (WHERE n < ${FEW}) AS few FROM (
       SELECT category_id AS category, currency, price,
         row_number() OVER (PARTITION BY category_id, currency ORDER BY price) AS place,
         count(*) OVER (PARTITION BY category_id, currency) AS n
       FROM offers WHERE price > 0 AND currency IS NOT NULL)
     GROUP BY category, currency ORDER BY n DESC, category`,
  );
}

/** Of each currency but the main one, by how many: the most frequent ones. */
function readOthers(sql: Sql, main: string): Promise<{ currency: string; n: number; median: number }[]> {
  return sql.all(
    `SELECT currency, n, max(price) FILTER (WHERE place = (n + 1) / 2) AS median FROM (
       SELECT currency, price, row_number() OVER (PARTITION BY currency ORDER BY price) AS place,
         count(*) OVER (PARTITION BY currency) AS n
       FROM offers WHERE price > 0 AND currency <> ?)
     GROUP BY currency ORDER BY n DESC, currency LIMIT ${NAMED}`,
    [main],
  );
}

function byCurrency(priced: readonly Spread[]): { currency: string; n: number }[] {
  const sums = new Map<string, number>();
  for (const { currency, n } of priced) sums.set(currency, (sums.get(currency) ?? 0) + n);
  return Array.from(sums, ([currency, n]) => ({ currency, n })).toSorted(
    (a, b) => b.n - a.n || a.currency.localeCompare(b.currency),
  );
}

export async function prices({ sql, category: nameOf }: Source): Promise<Content> {
  const priced = await readSpreads(sql);
  const [main, ...others] = byCurrency(priced);
  if (!main)
    return { empty: 'No listing with a price is on offer yet. The crawl stage of a run fills this.' };
  const { currency } = main;
  const currencyName = clip(currency, LONGEST_CURRENCY);
  const ofMain = priced.filter((one) => one.currency === currency);
  const spreads = ofMain.slice(0, TOLD);
  const shown = spreads.slice(0, DRAWN);
  const price = (value: number): string => money(value, currency);
  const drawn = ranges(
    `Prices in ${currencyName} by category: ${shown.map((one) => `${nameOf(one.category)} ${price(one.p50)}`).join(', ')} in the middle`,
    shown.map(({ few, ...one }) => ({
      ...one,
      name: nameOf(one.category),
      told: `${price(one.p50)} · ${plural(one.n, 'piece')}`,
      ...(one.n < FEW && { values: JSON.parse(few ?? '[]') as number[] }),
    })),
    (value) => money(value, currency, value < 1 ? 2 : 0),
  );
  const behind = table(
    `Prices in ${currencyName} by category`,
    [
      words('Category'),
      ...['Listings', 'Tenth', 'First quarter', 'Median', 'Third quarter', 'Nine tenths'].map(figures),
    ],
    spreads.map((one) => [
      nameOf(one.category),
      count(one.n),
      ...[one.p10, one.p25, one.p50, one.p75, one.p90].map((value) => money(value, currency, 2)),
    ]),
  );
  const spoken = await readOthers(sql, currency);
  const elsewhere =
    spoken.length === 0
      ? undefined
      : html`<h3>In other currencies <small>nothing is converted</small></h3>
          <ul class="facts">
            ${spoken.map(
              (one) =>
                html`<li>
                  <b>${money(one.median, one.currency)}</b> median of ${plural(one.n, 'piece')} in
                  ${clip(one.currency, LONGEST_CURRENCY)}
                </li> `,
            )}
          </ul>
          ${others.length > NAMED ? html`<p>${plural(others.length - NAMED, 'more currency', 'more currencies')}.</p>` : undefined}`;
  return {
    says: html`<p>
        <b>${plural(main.n, 'listing')}</b> ${main.n === 1 ? 'is' : 'are'} priced in
        <b>${currencyName}</b> and drawn
        here${spreads.length > DRAWN ? html`, the ${DRAWN} largest of ${ofMain.length} categories` : undefined}.
      </p>
      <p>Prices are the newest known, of the listings that are on Etsy now.</p>`,
    shows: html`${figureWith(
      [
        drawn,
        legend([
          ['median', 'median (right)'],
          ...(shown.some(({ n }) => n >= FEW)
            ? [
                ['soft', 'middle half'] as const,
                ['whisker', 'all but the cheapest and the dearest tenth'] as const,
              ]
            : []),
          ...(shown.some(({ n }) => n < FEW)
            ? [['dot', `each price, where there are fewer than ${FEW}`] as const]
            : []),
        ]),
      ],
      behind,
    )}${elsewhere}`,
  };
}
