import type { Sql } from '../../store/database.ts';
import { clip } from '../../text/clean.ts';
import { count, plural } from '../../text/format.ts';
import { figureWith, legend } from '../charts/chart.ts';
import { ranges } from '../charts/ranges.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { listed, LONGEST_CURRENCY, money } from '../words.ts';

interface Priced {
  readonly category: number | null;
  readonly currency: string;
  /** Listings. */
  readonly n: number;
}

type Spread = Priced & Record<'p10' | 'p25' | 'p50' | 'p75' | 'p90', number>;

/** Categories drawn, categories in the table (there are 50 of furniture), and other currencies named. */
const DRAWN = 16;
const TOLD = 100;
const NAMED = 12;

/** Read from the index listings_price alone, as all of this is. */
function readPriced(sql: Sql): Promise<Priced[]> {
  return sql.all<Priced>(
    `SELECT taxonomy_id AS category, price_currency AS currency, count(*) AS n FROM listings
     WHERE price_amount > 0 AND price_divisor > 0 AND price_currency IS NOT NULL
     GROUP BY taxonomy_id, price_currency ORDER BY n DESC, taxonomy_id`,
  );
}

/** The prices, in units of the currency, that 10, 25, 50, 75 and 90 of a hundred listings do not go beyond. */
async function readSpread(sql: Sql, priced: Priced): Promise<Spread> {
  const place = (hundredths: number): number => Math.ceil((priced.n * hundredths) / 100);
  const rows = await sql.all<{ place: number; price: number }>(
    `SELECT place, price FROM (
       SELECT price, row_number() OVER (ORDER BY price) AS place FROM (
         SELECT price_amount * 1.0 / price_divisor AS price FROM listings
         WHERE taxonomy_id IS ? AND price_currency = ? AND price_amount > 0 AND price_divisor > 0))
     WHERE place IN (SELECT value FROM json_each(?))`,
    [priced.category, priced.currency, JSON.stringify([10, 25, 50, 75, 90].map(place))],
  );
  const at = (hundredths: number): number => rows.find((row) => row.place === place(hundredths))?.price ?? 0;
  return { ...priced, p10: at(10), p25: at(25), p50: at(50), p75: at(75), p90: at(90) };
}

function byCurrency(priced: readonly Priced[]): { currency: string; n: number }[] {
  const sums = new Map<string, number>();
  for (const { currency, n } of priced) sums.set(currency, (sums.get(currency) ?? 0) + n);
  return Array.from(sums, ([currency, n]) => ({ currency, n })).toSorted(
    (a, b) => b.n - a.n || a.currency.localeCompare(b.currency),
  );
}

export async function prices({ sql, category: nameOf }: Source): Promise<Content> {
  const priced = await readPriced(sql);
  const [main, ...others] = byCurrency(priced);
  if (!main) return { empty: 'No listing with a price is stored yet. The crawl stage of a run fills this.' };
  const { currency } = main;
  const currencyName = clip(currency, LONGEST_CURRENCY);
  const spreads: Spread[] = [];
  const ofMain = priced.filter((one) => one.currency === currency);
  for (const one of ofMain.slice(0, TOLD)) spreads.push(await readSpread(sql, one));
  const shown = spreads.slice(0, DRAWN);
  const price = (value: number): string => money(value, currency);
  const drawn = ranges(
    `Prices in ${currencyName} by category: ${shown.map((one) => `${nameOf(one.category)} ${price(one.p50)}`).join(', ')} in the middle`,
    shown.map((one) => ({ ...one, name: nameOf(one.category), told: price(one.p50) })),
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
  const rest = [
    ...others
      .slice(0, NAMED)
      .map((other) => `${count(other.n)} in ${clip(other.currency, LONGEST_CURRENCY)}`),
    ...(others.length > NAMED ? [plural(others.length - NAMED, 'other currency', 'other currencies')] : []),
  ];
  return {
    says: html`<p>
        <b>${plural(main.n, 'listing')}</b> ${main.n === 1 ? 'is' : 'are'} priced in
        <b>${currencyName}</b> and drawn
        here${spreads.length > DRAWN ? html`, the ${DRAWN} largest of ${ofMain.length} categories` : undefined}.
        ${rest.length > 0 ? html`Left out, for nothing is converted: ${listed(rest)}.` : undefined}
      </p>
      <p>A price is the one a listing had when it was first read.</p>`,
    shows: figureWith(
      [
        drawn,
        legend([
          ['soft', 'the middle half'],
          ['median', 'the median, told at the right'],
          ['whisker', 'all but the cheapest and the dearest tenth'],
        ]),
      ],
      behind,
    ),
  };
}
