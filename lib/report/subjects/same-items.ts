import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { figureWith } from '../charts/chart.ts';
import { diverging } from '../charts/diverging.ts';
import { everyFew } from '../charts/columns.ts';
import { FEW, lines } from '../charts/lines.ts';
import { figures, short, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { day, dayInYear, ofDay } from '../words.ts';
import { DAY_S } from '../../time.ts';

/** A change takes two readings that are so many days apart. */
const APART = 5;
/** Listings whose readings are all compared: of more, every so-many-th. */
const SAMPLE = 100_000;
const WEEKS = 52;
const DRAWN = 12;

interface Week {
  /** Its Monday, days since 1970. */
  readonly monday: number;
  /** Readings that had one before. */
  readonly n: number;
  /** The mean of ln(price / price before). */
  readonly step: number;
}

/** @param nth of every so-many-th listing */
function readWeeks(sql: Sql, nth: number): Promise<Week[]> {
  return sql.all<Week>(
    `SELECT (snapshot_timestamp / ${DAY_S} + 3) / 7 * 7 - 3 AS monday, count(*) AS n, avg(step) AS step FROM (
       SELECT snapshot_timestamp, ln(price / lag(price) OVER before) AS step,
         currency = lag(currency) OVER before AS is_same
       FROM (SELECT listing_id, id, snapshot_timestamp, price_amount * 1.0 / price_divisor AS price,
               price_currency AS currency
             FROM listings_dynamic INDEXED BY idx_listings_dynamic_listing_id
             WHERE listing_id % ? = 0 AND price_amount > 0 AND price_divisor > 0)
       WINDOW before AS (PARTITION BY listing_id ORDER BY snapshot_timestamp, id))
     WHERE is_same GROUP BY monday ORDER BY monday`,
    [nth],
  );
}

interface Changed {
  readonly category: number | null;
  readonly n: number;
  readonly changed: number;
  readonly percent: number;
}

/** Price now against the first, of the same listings in the same currency. @param until first read by then, epoch seconds */
function readChanged(sql: Sql, until: number): Promise<Changed[]> {
  return sql.all<Changed>(
    `SELECT category_id AS category, count(*) AS n, sum(abs(price - first_price) > 0.004) AS changed,
       100 * exp(avg(ln(price / first_price))) - 100 AS percent
     FROM offers WHERE price > 0 AND first_price > 0 AND currency = first_currency AND first_read <= ?
     GROUP BY category_id ORDER BY n DESC, category_id`,
    [until],
  );
}

/** How the prices of the same items changed, which the mean of all that is on offer does not tell. */
export async function sameItems({ sql, category }: Source): Promise<Content> {
  const last = (
    await sql.get<{ at: number | null }>('SELECT max(snapshot_timestamp) AS at FROM listings_dynamic')
  )?.at;
  const changed = last ? await readChanged(sql, last - APART * DAY_S) : [];
  if (changed.length === 0)
    return {
      empty: 'No listing has been read twice in different weeks. The crawl stage of the next run fills this.',
    };
  const listings = (await sql.get<{ n: number }>('SELECT count(*) AS n FROM offers'))?.n ?? 0;
  const nth = Math.max(1, Math.ceil(listings / SAMPLE));
  const weeks = await readWeeks(sql, nth);
  const all = changed.reduce((sum, { n }) => sum + n, 0);
  const moved = changed.reduce((sum, one) => sum + one.changed, 0);
  const index = indexOf(weeks);
  return {
    says: html`<p>
        Of <b>${plural(all, 'listing')}</b> on offer that were first read at least ${APART} days ago,
        <b>${count(moved)}</b> ${moved === 1 ? 'has' : 'have'} another price now. A mean over everything on
        offer would move with what happens to be on sale; this follows the same items.
      </p>
      <p>
        Changes are geometric means, so that half the price and twice the price cancel out. A hollow dot:
        fewer than ${FEW} items.${nth > 1 ? ` The line is drawn from every ${nth}th listing.` : ''}
      </p>`,
    shows: html`${index.length > 1 ? overTime(index) : undefined}${byCategory(changed, category)}`,
  };
}

interface Level {
  readonly monday: number;
  readonly n: number;
  readonly level: number;
}

/** 100 in the week before the first change. */
function indexOf(weeks: readonly Week[]): Level[] {
  let level = 100;
  const levels = weeks.map(({ monday, n, step }) => ({ monday, n, level: (level *= Math.exp(step)) }));
  const [first] = levels;
  return first ? [{ monday: first.monday - 7, n: first.n, level: 100 }, ...levels].slice(-WEEKS) : [];
}

function overTime(index: readonly Level[]): Html {
  const unit = (value: number): string => value.toFixed(1);
  const [first] = index;
  return figureWith(
    html`<h3>
        Price index of the same items
        <small>week before ${dayInYear(ofDay((first?.monday ?? 0) + 7))} = 100</small>
      </h3>
      ${lines(
        `Price index of the same items by week: ${unit(index.at(-1)?.level ?? 100)} in the last`,
        index.map(({ level, n }) => ({ value: level, n })),
        everyFew(index.length, 8).map((at) => ({
          index: at,
          name: dayInYear(ofDay(index[at]?.monday ?? 0)),
        })),
        { base: 100, unit },
      )}`,
    table(
      'Price index by week',
      [short('Week that begins'), figures('Index'), figures('Pairs compared')],
      index
        .map(({ monday, n, level }, at) => [day(ofDay(monday)), level.toFixed(2), at === 0 ? '–' : count(n)])
        .toReversed(),
    ),
  );
}

/** "+1.2 %" */
function signed(percent: number): string {
  const rounded = Math.round(10 * percent) / 10;
  const sign = rounded < 0 ? '−' : rounded > 0 ? '+' : '';
  return `${sign}${Math.abs(rounded).toFixed(1)} %`;
}

function byCategory(changed: readonly Changed[], category: Source['category']): Html {
  const drawn = changed.slice(0, DRAWN);
  return figureWith(
    html`<h3>First price to price now, by category</h3>
      ${diverging(
        `Change of the price since the first reading by category: ${drawn
          .slice(0, 3)
          .map((one) => `${category(one.category)} ${signed(one.percent)}`)
          .join(', ')}`,
        drawn.map((one) => ({
          name: category(one.category),
          told: `${signed(one.percent)} · ${plural(one.n, 'item')}`,
          value: one.percent,
          n: one.n,
        })),
      )}`,
    table(
      'Change of the price by category',
      [words('Category'), figures('Items'), figures('With another price'), figures('Change')],
      changed.map((one) => [category(one.category), count(one.n), count(one.changed), signed(one.percent)]),
    ),
  );
}
