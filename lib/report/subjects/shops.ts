import type { Sql } from '../../store/database.ts';
import { clip } from '../../text/clean.ts';
import { count, plural } from '../../text/format.ts';
import { bars } from '../charts/bars.ts';
import { figureWith } from '../charts/chart.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { whereThere } from '../old-schema.ts';
import type { Content, Source } from '../subject.ts';
import { countryName, figure, share } from '../words.ts';

const LONGEST = 40;

/** Countries and leading shops drawn; the tables have more. */
const DRAWN = 12;
const LEADING = 10;
const TOLD = 50;

interface Leader {
  readonly shop_id: number;
  readonly shop: string | null;
  readonly country: string | null;
  readonly active_listings: number | null;
  readonly sold: number;
  readonly rating: number | null;
  readonly reviews: number | null;
  readonly here: number;
}

function readLeaders(sql: Sql): Promise<Leader[]> {
  return sql.all<Leader>(
    `SELECT shop_id, shop, country, active_listings, sold, rating_past_year AS rating, reviews_past_year AS reviews,
       (SELECT count(*) FROM listings WHERE shop_id = s.shop_id) AS here
     FROM (SELECT * FROM current_shops WHERE sold > 0 ORDER BY sold DESC, shop_id LIMIT ${TOLD}) AS s`,
  );
}

export async function shops({ sql }: Source): Promise<Content> {
  const leaders = (await whereThere(readLeaders(sql))) ?? [];
  const rows = await sql.all<{ country: string | null; n: number }>(
    `SELECT coalesce(shop_location_country_iso, shipping_from_country_iso, iif(is_shop_us_based = 1, 'US', NULL)) AS country,
       count(*) AS n FROM shops GROUP BY country ORDER BY n DESC, country`,
  );
  if (rows.length === 0) return { empty: 'No shop is stored yet. The crawl stage of a run fills this.' };
  const all = rows.reduce((total, { n }) => total + n, 0);
  const named = rows.flatMap(({ country, n }) =>
    country === null ? [] : [{ name: countryName(country), n }],
  );
  const silent = rows.find(({ country }) => country === null)?.n ?? 0;
  const drawn = named.slice(0, DRAWN);
  const others = named.slice(DRAWN).reduce((total, { n }) => total + n, 0);
  const rest = [{ name: plural(named.length - DRAWN, 'other country', 'other countries'), n: others }].filter(
    ({ n }) => n > 0,
  );
  const bar = ({ name, n }: { name: string; n: number }) => ({
    name,
    n,
    told: `${count(n)} · ${share(n, all)}`,
    value: n,
  });
  const [first] = named;
  return {
    says: html`<p>
        <b>${plural(all, 'shop')}</b
        >${first ? html`, in ${plural(named.length, 'country', 'countries')} as far as they say; most in <b>${first.name}</b> (${share(first.n, all)})` : undefined}.
      </p>
      ${silent > 0 ? html`<p>${count(silent)} ${silent === 1 ? 'does' : 'do'} not say where.</p>` : undefined}`,
    shows: html`${leadersOf(leaders)}${figureWith(
      html`<h3>Countries</h3>
        ${
          drawn.length === 0
            ? undefined
            : bars(
                `Shops by country: ${drawn
                  .slice(0, 3)
                  .map(({ name, n }) => `${name} ${count(n)}`)
                  .join(', ')}`,
                [...drawn.map(bar), ...rest.map((one) => ({ ...bar(one), tone: 'quiet' as const }))],
                Math.max(...[...drawn, ...rest].map(({ n }) => n)),
              )
        }`,
      table(
        'Shops by country',
        [words('Country'), figures('Shops'), figures('Share')],
        [...named, ...(silent > 0 ? [{ name: 'Unknown', n: silent }] : [])].map(({ name, n }) => [
          name,
          count(n),
          share(n, all),
        ]),
      ),
    )}`,
  };
}

function leadersOf(leaders: readonly Leader[]): Html | undefined {
  const [first] = leaders;
  if (!first) return undefined;
  const nameOf = ({ shop, shop_id }: Leader): string => clip(shop ?? `Shop ${shop_id}`, LONGEST);
  const drawn = leaders.slice(0, LEADING);
  return figureWith(
    html`<h3>Most sales ever <small>by Etsy's count</small></h3>
      ${bars(
        `Shops with the most sales: ${drawn
          .slice(0, 3)
          .map((one) => `${nameOf(one)} ${count(one.sold)}`)
          .join(', ')}`,
        drawn.map((one) => ({
          name: nameOf(one),
          told: [
            one.country === null ? undefined : countryName(one.country),
            one.rating === null ? undefined : `★ ${one.rating.toFixed(1)}`,
            count(one.sold),
          ]
            .filter((part) => part !== undefined)
            .join(' · '),
          value: one.sold,
        })),
        first.sold,
      )}`,
    table(
      'Shops with the most sales',
      [
        words('Shop'),
        words('Country'),
        ...['Sold ever', 'Reviews, past year', 'Rating, past year', 'Active listings', 'Listings here'].map(
          figures,
        ),
      ],
      leaders.map((one) => [
        nameOf(one),
        one.country === null ? 'Unknown' : countryName(one.country),
        count(one.sold),
        figure(one.reviews),
        one.rating === null ? '–' : one.rating.toFixed(2),
        figure(one.active_listings),
        count(one.here),
      ]),
    ),
  );
}
