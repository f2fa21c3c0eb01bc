import { count, plural } from '../../text/format.ts';
import { bars } from '../charts/bars.ts';
import { figureWith } from '../charts/chart.ts';
import { figures, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { countryName, share } from '../words.ts';

/** Countries drawn; the table has them all. */
const DRAWN = 12;

export async function shops({ sql }: Source): Promise<Content> {
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
    shows: figureWith(
      bars(
        `Shops by country: ${drawn
          .slice(0, 3)
          .map(({ name, n }) => `${name} ${count(n)}`)
          .join(', ')}`,
        [...drawn.map(bar), ...rest.map((one) => ({ ...bar(one), tone: 'quiet' as const }))],
        Math.max(...[...drawn, ...rest].map(({ n }) => n)),
      ),
      table(
        'Shops by country',
        [words('Country'), figures('Shops'), figures('Share')],
        [...named, ...(silent > 0 ? [{ name: 'Not said', n: silent }] : [])].map(({ name, n }) => [
          name,
          count(n),
          share(n, all),
        ]),
      ),
    ),
  };
}
