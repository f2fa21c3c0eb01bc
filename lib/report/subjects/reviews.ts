import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { bars } from '../charts/bars.ts';
import { figureWith } from '../charts/chart.ts';
import { columns, everyFew } from '../charts/columns.ts';
import { figures, short, table } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { MONTHS, month as monthName, share } from '../words.ts';

/** Months drawn: ten years. */
const DRAWN = 120;

/** Etsy opened in June 2005. As months are counted here: from January of the year 0. */
const OLDEST = 2005 * 12;

interface Month {
  readonly month: number;
  readonly n: number;
}

function sum(months: readonly { readonly n: number }[]): number {
  return months.reduce((total, { n }) => total + n, 0);
}

/** Reviews by the month they were written in; null where no calendar has the date. */
function readMonths(sql: Sql): Promise<(Month | { month: null; n: number })[]> {
  return sql.all(
    `SELECT strftime('%Y', at, 'unixepoch') * 12 + strftime('%m', at, 'unixepoch') - 1 AS month, sum(n) AS n FROM (
       SELECT create_timestamp / 86400 * 86400 AS at, count(*) AS n FROM reviews GROUP BY at)
     GROUP BY month ORDER BY month`,
  );
}

/** Ratings of so many reviews, the newest, are counted. */
const RATED = 200_000;

interface Rating {
  readonly rating: number;
  readonly n: number;
}

function readRatings(sql: Sql): Promise<Rating[]> {
  return sql.all<Rating>(
    `SELECT rating, count(*) AS n FROM (SELECT rating FROM reviews ORDER BY create_timestamp DESC LIMIT ${RATED})
     WHERE rating BETWEEN 1 AND 5 GROUP BY rating ORDER BY rating DESC`,
  );
}

function ratingsOf(ratings: readonly Rating[]): Html | undefined {
  const all = sum(ratings);
  if (all === 0) return undefined;
  const mean = ratings.reduce((total, { rating, n }) => total + rating * n, 0) / all;
  const rows = [5, 4, 3, 2, 1].map((stars) => ({
    stars,
    n: ratings.find(({ rating }) => rating === stars)?.n ?? 0,
  }));
  const name = (stars: number): string => '★'.repeat(stars);
  return figureWith(
    html`<h3>
        Ratings <b>${mean.toFixed(2)}</b>
        <small>mean of ${all === RATED ? 'the newest ' : ''}${plural(all, 'review')}</small>
      </h3>
      ${bars(
        `Reviews by stars: ${share(rows[0]?.n ?? 0, all)} have five`,
        rows.map(({ stars, n }) => ({ name: name(stars), told: `${count(n)} · ${share(n, all)}`, value: n })),
        Math.max(...rows.map(({ n }) => n)),
      )}`,
    table(
      'Reviews by stars',
      [short('Stars'), figures('Reviews'), figures('Share')],
      rows.map(({ stars, n }) => [String(stars), count(n), share(n, all)]),
    ),
  );
}

export async function reviews({ sql, now }: Source): Promise<Content> {
  const read = await readMonths(sql);
  const today = new Date(now);
  const current = today.getUTCFullYear() * 12 + today.getUTCMonth();
  const rows = read.filter(
    (one): one is Month => one.month !== null && one.month >= OLDEST && one.month <= current + 1,
  );
  const all = read.reduce((total, { n }) => total + n, 0);
  const odd = all - sum(rows);
  const [first] = rows;
  const last = rows.at(-1);
  if (!first || !last) return { empty: 'No review is stored yet. The reviews stage of a run fills this.' };
  const end = Math.max(current, last.month);
  const begin = Math.max(first.month, end - DRAWN + 1);
  const of = new Map(rows.map(({ month, n }) => [month, n]));
  const months = Array.from({ length: end - begin + 1 }, (_, index) => begin + index);
  const nameOf = (month: number): string => monthName(Date.UTC(Math.floor(month / 12), month % 12));
  const before = sum(rows.filter(({ month }) => month < begin));
  const drawn = columns(
    `Reviews per month, from ${nameOf(begin)} to ${nameOf(end)}`,
    months.map((month) => ({ name: nameOf(month), parts: [{ value: of.get(month) ?? 0, tone: 'main' }] })),
    marksOf(months, nameOf),
  );
  const years = Array.from(
    { length: Math.floor(end / 12) - Math.floor(first.month / 12) + 1 },
    (_, back) => Math.floor(end / 12) - back,
  );
  const behind = table(
    'Reviews per month',
    [short('Year'), ...MONTHS.map(figures), figures('Year')],
    years.map((year) => {
      const each = MONTHS.map((_, month) => of.get(year * 12 + month) ?? 0);
      const told = each.map((n, month) => (year * 12 + month > end ? undefined : count(n)));
      return [String(year), ...told, count(each.reduce((total, n) => total + n, 0))];
    }),
  );
  return {
    says: html`<p>
        <b>${plural(all, 'review')}</b>, written from ${nameOf(first.month)} to ${nameOf(last.month)};
        <b>${count(of.get(current - 1) ?? 0)}</b> in ${nameOf(current - 1)}, the last whole month.
      </p>
      ${odd > 0 ? html`<p>Of ${count(odd)} the date cannot be right.</p>` : undefined}
      ${before > 0 ? html`<p>${plural(before, 'review')} from before ${nameOf(begin)} ${before === 1 ? 'is' : 'are'} not drawn.</p>` : undefined}`,
    shows: html`${figureWith(
      html`<h3>By the month they were written in</h3>
        ${drawn}`,
      behind,
    )}${ratingsOf(await readRatings(sql))}`,
  };
}

/** Januaries where there are years of them, else months. */
function marksOf(
  months: readonly number[],
  nameOf: (month: number) => string,
): { index: number; name: string }[] {
  if (months.length <= 24)
    return everyFew(months.length, 8).map((index) => ({ index, name: nameOf(months[index] ?? 0) }));
  return months.flatMap((month, index) => (month % 12 === 0 ? [{ index, name: String(month / 12) }] : []));
}
