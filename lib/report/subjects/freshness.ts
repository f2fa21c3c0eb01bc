import { shopFacts } from '../../dataset/review-queue.ts';
import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { bars } from '../charts/bars.ts';
import { figureWith } from '../charts/chart.ts';
import { columns, everyFew } from '../charts/columns.ts';
import { figures, short, table, words } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { day, dayInYear, ofDay, share } from '../words.ts';
import { DAY_S, WEEK_S } from '../../time.ts';

/** A review counts as in soon when it comes in within so many days. */
const SOON = 14;
/** Weeks drawn. */
const DRAWN = 60;

/** Reviews written in one week, by the week they came in. Weeks are counted from 1970-01-01. */
interface Arrived {
  readonly written: number;
  readonly came: number;
  readonly n: number;
  /** Of their ages when they came in, seconds. */
  readonly ages: number;
  /** How many came in within SOON days. */
  readonly soon: number;
}

/** Those written since `since`, epoch seconds. */
function readArrived(sql: Sql, since: number): Promise<Arrived[]> {
  return sql.all<Arrived>(
    `SELECT create_timestamp / ${WEEK_S} AS written, snapshot_timestamp / ${WEEK_S} AS came, count(*) AS n,
       sum(max(0, snapshot_timestamp - create_timestamp)) AS ages,
       sum(snapshot_timestamp - create_timestamp <= ${SOON * DAY_S}) AS soon
     FROM reviews WHERE create_timestamp >= ? AND snapshot_timestamp IS NOT NULL GROUP BY written, came`,
    [since],
  );
}

interface Week {
  readonly week: number;
  readonly n: number;
  readonly sum: number;
}

/** By the week that `key` names, those that `value` sums up. In the order of time. */
function byWeek(rows: readonly Arrived[], key: 'written' | 'came', value: 'ages' | 'soon'): Week[] {
  const weeks = new Map<number, Week>();
  for (const row of rows) {
    const { n = 0, sum = 0 } = weeks.get(row[key]) ?? {};
    weeks.set(row[key], { week: row[key], n: n + row.n, sum: sum + row[value] });
  }
  return [...weeks.values()].toSorted((a, b) => a.week - b.week);
}

/** How the counts of shops compare with what is stored, where a pass has read all there is. */
interface Checked {
  stored: number;
  counted: number;
  /** Shops by `counted - stored`. */
  equal: number;
  more: number;
  fewer: number;
  /** Reviews that Etsy counts and does not list, and the other way round. */
  reviewsMore: number;
  reviewsFewer: number;
}

async function check(sql: Sql, now: number): Promise<Checked> {
  const sums = { stored: 0, counted: 0, equal: 0, more: 0, fewer: 0, reviewsMore: 0, reviewsFewer: 0 };
  for await (const facts of shopFacts(sql, 0, now)) {
    const { at, counted, have, startedAt, completedAt } = facts;
    sums.stored += have;
    sums.counted += Math.max(have, counted ?? 0);
    // Figures from after the last pass tell of what is new, too.
    if (at === null || counted === null || startedAt === null || at > (completedAt ?? 0)) continue;
    if (counted === have) sums.equal += 1;
    else if (counted > have) {
      sums.more += 1;
      sums.reviewsMore += counted - have;
    } else {
      sums.fewer += 1;
      sums.reviewsFewer += have - counted;
    }
  }
  return sums;
}

/** How old reviews are when they come in, how much of the past year is in, and whether Etsy's counts agree. */
export async function freshness({ sql, now }: Source): Promise<Content> {
  const first = await sql.get<{ at: number | null }>('SELECT min(started_at) / 1000 AS at FROM runs');
  if (!first || first.at === null)
    return { empty: 'There has been no run yet. The reviews stage of a run fills this.' };
  const today = Math.floor(now / 1000);
  const checked = await check(sql, today);
  if (checked.stored === 0)
    return { empty: 'No review is stored yet. The reviews stage of a run fills this.' };
  // What was written before the first run says nothing of how fast reviews come in.
  const arrived = await readArrived(sql, Math.max(first.at, today - DRAWN * WEEK_S));
  const compared = checked.equal + checked.more + checked.fewer;
  return {
    says: html`<p>
        <b>${share(checked.stored, checked.counted)}</b> of the past year's reviews are in, by the counts of
        the shops.
      </p>
      ${says(arrived)}
      ${
        compared > 0
          ? html`<p>
              Etsy's count was checked where all reviews of a shop were read after it: it agrees for
              <b>${share(checked.equal, compared)}</b> of ${plural(compared, 'shop')}; it is
              ${count(checked.reviewsMore)} too high and ${count(checked.reviewsFewer)} too low in all.
            </p>`
          : undefined
      }`,
    shows: html`${arrived.length > 0 ? overTime(arrived, today) : undefined}
    ${compared > 0 ? agreement(checked, compared) : undefined}`,
  };
}

function says(arrived: readonly Arrived[]): Html {
  const sum = (of: (row: Arrived) => number): number => arrived.reduce((total, row) => total + of(row), 0);
  const n = sum((row) => row.n);
  if (n === 0) return html`<p>None of them was written since the first run began.</p>`;
  const age = sum((row) => row.ages) / n / DAY_S;
  return html`<p>
    Of <b>${plural(n, 'review')}</b> written since the first run began,
    ${share(
      sum((row) => row.soon),
      n,
    )}
    were less than ${SOON} days old when they came in; their mean age was <b>${age.toFixed(1)} days</b>.
  </p>`;
}

function overTime(arrived: readonly Arrived[], today: number): Html {
  const ages = byWeek(arrived, 'came', 'ages');
  // Of the last two weeks some are still to come in.
  const soon = byWeek(arrived, 'written', 'soon').filter(
    ({ week }) => (week + 1) * WEEK_S <= today - SOON * DAY_S,
  );
  const nameOf = ({ week }: Week): string => `week of ${day(ofDay(week * 7))}`;
  const drawn = (label: string, weeks: readonly Week[], value: (week: Week) => number): Html =>
    columns(
      label,
      weeks.map((week) => ({ name: nameOf(week), parts: [{ value: value(week), tone: 'main' as const }] })),
      everyFew(weeks.length, 8).map((index) => ({
        index,
        name: dayInYear(ofDay((weeks[index]?.week ?? 0) * 7)),
      })),
    );
  const behind = table(
    'Reviews by the week they came in, and by the week they were written',
    [short('Week'), ...['Came in', 'Mean age, days', 'Written', `In within ${SOON} days`].map(figures)],
    [...new Set([...ages, ...soon].map(({ week }) => week))]
      .toSorted((a, b) => b - a)
      .map((week) => {
        const [came, written] = [ages, soon].map((weeks) => weeks.find((one) => one.week === week));
        return [
          day(ofDay(week * 7)),
          came && count(came.n),
          came && ageOf(came).toFixed(1),
          written && count(written.n),
          written && share(written.sum, written.n),
        ];
      }),
  );
  return figureWith(
    [
      drawn('Mean age of new reviews when they came in, days, by week', ages, (week) =>
        Math.round(ageOf(week)),
      ),
      ...(soon.length > 0
        ? [
            drawn(
              `Share of reviews that came in within ${SOON} days, per cent, by the week they were written`,
              soon,
              ({ n, sum }) => Math.floor((100 * sum) / n),
            ),
          ]
        : []),
    ],
    behind,
  );
}

function ageOf({ n, sum }: Week): number {
  return sum / n / DAY_S;
}

function agreement({ equal, more, fewer, reviewsMore, reviewsFewer }: Checked, compared: number): Html {
  const rows = [
    ['Etsy counts as many as are stored', equal, 0],
    ['Etsy counts more than it lists', more, reviewsMore],
    ['Etsy counts fewer than it lists', fewer, reviewsFewer],
  ] as const;
  return figureWith(
    bars(
      "Shops by whether Etsy's count of the past year agrees, after all their reviews were read",
      rows.map(([name, shops]) => ({ name, told: share(shops, compared), value: shops / compared })),
      1,
    ),
    table(
      "Etsy's count of the past year's reviews, against those stored",
      [words('Shops where'), figures('Shops'), figures('Reviews')],
      rows.map(([name, shops, reviews]) => [name, count(shops), count(reviews)]),
    ),
  );
}
