import type { Sql } from '../../store/database.ts';
import { count, plural } from '../../text/format.ts';
import { figureWith } from '../charts/chart.ts';
import { everyFew } from '../charts/columns.ts';
import { FEW, lines } from '../charts/lines.ts';
import { figures, short, table } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { share } from '../words.ts';
import { WEEK_S } from '../../time.ts';

const MOST_WEEKS = 104;

/** Listings by the weeks from the first reading to the last, and whether the last found them gone. */
interface Followed {
  readonly weeks: number;
  readonly gone: 0 | 1;
  readonly n: number;
}

function readFollowed(sql: Sql): Promise<Followed[]> {
  return sql.all<Followed>(
    `SELECT max(0, (last.snapshot_timestamp - l.snapshot_timestamp) / ${WEEK_S}) AS weeks,
       last.state IS 'removed' AS gone, count(*) AS n
     FROM listings AS l CROSS JOIN listings_dynamic AS last ON last.id = (
       SELECT id FROM listings_dynamic WHERE listing_id = l.listing_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
     WHERE l.snapshot_timestamp IS NOT NULL GROUP BY weeks, gone`,
  );
}

interface Week {
  readonly week: number;
  /** Listings that were there at its beginning. */
  readonly atRisk: number;
  readonly gone: number;
  /** Share of all that is still there at its end. */
  readonly left: number;
}

/**
 * The share that is left after each week, as a life table has it: a listing that is still there counts for as long as it
 * was followed, and for half of the week in which that ended.
 */
export function survival(followed: readonly Followed[]): Week[] {
  const sum = (rows: readonly Followed[]): number => rows.reduce((total, { n }) => total + n, 0);
  const longest = Math.min(MOST_WEEKS, Math.max(0, ...followed.map(({ weeks }) => weeks)));
  let left = 1;
  return Array.from({ length: longest + 1 }, (_, week) => {
    const own = followed.filter(({ weeks }) => weeks === week);
    const gone = sum(own.filter((one) => one.gone === 1));
    const atRisk = sum(followed.filter(({ weeks }) => weeks >= week));
    const exposed = atRisk - (sum(own) - gone) / 2;
    if (exposed > 0) left *= 1 - gone / exposed;
    return { week: week + 1, atRisk, gone, left };
  });
}

export async function lifetimes({ sql }: Source): Promise<Content> {
  const followed = await readFollowed(sql);
  const weeks = survival(followed);
  const gone = followed.reduce((sum, one) => sum + one.n * one.gone, 0);
  const last = weeks.at(-1);
  if (!last || weeks.length < 2 || gone === 0)
    return { empty: 'No listing has been followed for two weeks and then gone. Later runs fill this.' };
  const half = weeks.find(({ left }) => left <= 0.5);
  const points = [{ week: 0, atRisk: weeks[0]?.atRisk ?? 0, gone: 0, left: 1 }, ...weeks];
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  return {
    says: html`<p>
        ${half ? html`Half of the listings are gone after <b>${plural(half.week, 'week')}</b> here.` : html`<b>${share(last.left, 1)}</b> of the listings are still there <b>${plural(last.week, 'week')}</b> after they were first read.`}
      </p>
      <p>
        Counted from the first reading; a listing that is still on Etsy counts for as long as it was followed.
        Gone is not sold: Etsy does not say why. A hollow dot: fewer than ${FEW} listings.
      </p>`,
    shows: figureWith(
      lines(
        `Share of listings still on Etsy by weeks since the first reading: ${percent(last.left)} after ${plural(last.week, 'week')}`,
        points.map(({ left, atRisk }) => ({ value: left, n: atRisk })),
        everyFew(points.length, 8).map((index) => ({
          index,
          name: index === 0 ? 'first read' : plural(points[index]?.week ?? 0, 'week'),
        })),
        { domain: [Math.min(0.5, last.left), 1], unit: percent },
      ),
      table(
        'Listings still on Etsy',
        [short('After weeks'), figures('Followed'), figures('Gone in that week'), figures('Still there')],
        weeks.map((one) => [count(one.week), count(one.atRisk), count(one.gone), share(one.left, 1)]),
      ),
    ),
  };
}
