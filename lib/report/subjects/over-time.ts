import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { comparableFrom } from '../comparable.ts';
import { figureWith } from '../charts/chart.ts';
import type { Tone } from '../charts/chart.ts';
import { columns, everyFew } from '../charts/columns.ts';
import { figures, short, table } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { day as dayName, dayInYear, ofDay } from '../words.ts';
import { DAY_S } from '../../time.ts';

/** A history of up to this many days is shown by day, a longer one by week. */
const DAYS = 35;
const WEEKS = 26;
/** Readings that are compared: a report is written within half a minute. */
const MOST_READINGS = 2_000_000;

/** Counts by day since 1970. */
type ByDay = readonly { readonly day: number; readonly n: number }[];

/** A time that is drawn as one column; days since 1970, both ends inclusive. */
interface Bucket {
  readonly from: number;
  readonly to: number;
}

function readNew(sql: Sql, from: number): Promise<ByDay> {
  return sql.all(
    `SELECT snapshot_timestamp / ${DAY_S} AS day, count(*) AS n FROM listings WHERE snapshot_timestamp >= ? GROUP BY day`,
    [from * DAY_S],
  );
}

/** Listings that were there at the reading before and are not any more. */
function readGone(sql: Sql, from: number): Promise<ByDay> {
  return sql.all(
    `SELECT snapshot_timestamp / ${DAY_S} AS day, count(*) AS n FROM listings_dynamic AS d
     WHERE state = 'removed' AND snapshot_timestamp >= ? AND 'removed' <> (
       SELECT coalesce(p.state, '') FROM listings_dynamic AS p
       WHERE p.listing_id = d.listing_id AND p.snapshot_timestamp < d.snapshot_timestamp
       ORDER BY p.snapshot_timestamp DESC LIMIT 1)
     GROUP BY day`,
    [from * DAY_S],
  );
}

/**
 * Readings that differ from the one before in price, quantity or state. One that is gone has no such figures, and those
 * of the earlier system may lack the price: what is not known has not changed.
 */
function readChanged(sql: Sql, from: number): Promise<ByDay> {
  return sql.all(
    `SELECT snapshot_timestamp / ${DAY_S} AS day, count(*) AS n FROM listings_dynamic AS d
     WHERE snapshot_timestamp >= ? AND state <> 'removed' AND (
       SELECT p.state <> 'removed' AND (p.state <> d.state OR p.quantity <> d.quantity
         OR p.price_amount <> d.price_amount OR p.price_divisor <> d.price_divisor OR p.price_currency <> d.price_currency)
       FROM listings_dynamic AS p
       WHERE p.listing_id = d.listing_id AND p.snapshot_timestamp < d.snapshot_timestamp
       ORDER BY p.snapshot_timestamp DESC LIMIT 1)
     GROUP BY day`,
    [from * DAY_S],
  );
}

export async function overTime({ sql, now }: Source): Promise<Content> {
  const begun = await sql.get<{ at: number | null }>('SELECT min(snapshot_timestamp) AS at FROM listings');
  if (begun === undefined || begun.at === null)
    return {
      empty: 'Of no listing is it known when it was first read. The crawl stage of a run fills this.',
    };
  const buckets = bucketsUpTo(Math.floor(now / 1000 / DAY_S), Math.floor(begun.at / DAY_S));
  const from = buckets[0]?.from ?? 0;
  const isDaily = buckets.every((bucket) => bucket.from === bucket.to);
  const comparable = await comparableFrom(sql, from, MOST_READINGS);
  const compared = buckets.find((bucket) => bucket.from >= comparable)?.from ?? comparable;
  const series: [name: string, tone: Tone, values: number[]][] = [
    ['New', 'main', sums(buckets, await readNew(sql, from))],
    ['Gone', 'alert', sums(buckets, await readGone(sql, from))],
    ['Changed', 'quiet', sums(buckets, await readChanged(sql, compared))],
  ];
  const nameOf = (bucket: Bucket): string => dayName(ofDay(bucket.from));
  const marks = everyFew(buckets.length, 8).map((index) => ({
    index,
    name: dayInYear(ofDay(buckets[index]?.from ?? 0)),
  }));
  const drawn = series.map(([name, tone, values]): Html => {
    const all = values.reduce((total, n) => total + n, 0);
    const stacks = buckets.map((bucket, index) => ({
      name: isDaily ? nameOf(bucket) : `Week of ${nameOf(bucket)}`,
      parts: [{ value: values[index] ?? 0, tone }],
    }));
    const label = `${name} listings per ${isDaily ? 'day' : 'week'}: ${count(all)} in all`;
    return html`<h3>${name} <b>${count(all)}</b></h3>
      ${all === 0 ? undefined : columns(label, stacks, marks)}`;
  });
  const behind = table(
    `New, gone and changed listings per ${isDaily ? 'day' : 'week'}`,
    [short(isDaily ? 'Day' : 'Week that begins'), ...series.map(([name]) => figures(name))],
    buckets
      .map((bucket, index) => [
        nameOf(bucket),
        ...series.map(([name, , values]) =>
          name === 'Changed' && bucket.from < compared ? '–' : count(values[index] ?? 0),
        ),
      ])
      .toReversed(),
  );
  return {
    says: html`<p>
        ${isDaily ? 'Day by day' : `Week by week, the last ${plural(buckets.length, 'week')}`}. <b>New</b> is
        a listing's first reading here. <b>Gone</b> is one that Etsy showed at the reading before and shows no
        more. <b>Changed</b> is a reading with another price, quantity or state.
      </p>
      ${compared > from ? html`<p>Changes are looked for in the newest readings only, from ${dayName(ofDay(compared))} on.</p>` : undefined}`,
    shows: figureWith(drawn, behind),
  };
}

/** Days, or weeks that begin on Monday, oldest first. */
function bucketsUpTo(today: number, first: number): Bucket[] {
  if (today - first < DAYS) {
    const length = Math.max(1, today - first + 1);
    return Array.from({ length }, (_, index) => ({
      from: today - length + 1 + index,
      to: today - length + 1 + index,
    }));
  }
  // 1970-01-01 was a Thursday.
  const monday = (day: number): number => day - ((day + 3) % 7);
  const length = Math.min(WEEKS, (monday(today) - monday(first)) / 7 + 1);
  return Array.from({ length }, (_, index) => {
    const from = monday(today) - 7 * (length - 1 - index);
    return { from, to: from + 6 };
  });
}

function sums(buckets: readonly Bucket[], counts: ByDay): number[] {
  return buckets.map(({ from, to }) =>
    counts.reduce((total, { day, n }) => (day >= from && day <= to ? total + n : total), 0),
  );
}
