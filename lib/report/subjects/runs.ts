import type { Sql } from '../../store/database.ts';
import { count, duration, plural, rate } from '../../text/format.ts';
import { asTyped } from '../../text/typed.ts';
import { figureWith, legend } from '../charts/chart.ts';
import { columns, everyFew } from '../charts/columns.ts';
import { figures, short, table } from '../charts/table.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { Content, Source } from '../subject.ts';
import { dayInYear, figure, moment } from '../words.ts';

interface RunRow {
  readonly id: number;
  readonly only_stage: string | null;
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly starts: number;
  /** Items that it left to the next run, which was due, and in which stages; null: none. */
  readonly left: number | null;
  readonly left_in: string | null;
  readonly requests: number | null;
  readonly faults: number | null;
  /** Milliseconds its starts were at work, and the requests in that time; null: of none the end is known. */
  readonly active_ms: number | null;
  readonly active_requests: number | null;
  readonly outcome: string | null;
  readonly counts: string | null;
}

/** What a run changed, as its last start noted it. */
interface Counts {
  readonly listings?: { readonly new?: number; readonly gone?: number };
  readonly reviews?: { readonly new?: number };
  readonly images?: { readonly done?: number };
}

/** Runs shown, newest first. */
const TOLD = 30;

function readRuns(sql: Sql): Promise<RunRow[]> {
  const ofLast = (column: string): string =>
    `(SELECT ${column} FROM starts WHERE run_id = r.id AND ${column} IS NOT NULL ORDER BY id DESC LIMIT 1) AS ${column}`;
  return sql.all<RunRow>(
    `SELECT r.id, r.only_stage, r.started_at, r.finished_at, count(s.id) AS starts, sum(s.requests) AS requests,
       sum(s.faults) AS faults, sum(s.ended_at - s.started_at) AS active_ms,
       sum(s.requests) FILTER (WHERE s.ended_at IS NOT NULL) AS active_requests,
       (SELECT sum(left) FROM units WHERE run_id = r.id) AS left,
       (SELECT group_concat(DISTINCT stage) FROM units WHERE run_id = r.id AND left > 0) AS left_in,
       ${['outcome', 'counts'].map(ofLast).join(', ')}
     FROM (SELECT * FROM runs ORDER BY id DESC LIMIT ${TOLD}) AS r LEFT JOIN starts AS s ON s.run_id = r.id
     GROUP BY r.id ORDER BY r.id DESC`,
  );
}

export async function runs({ sql }: Source): Promise<Content> {
  const rows = await readRuns(sql);
  const [newest] = rows;
  if (!newest) return { empty: asTyped('There has been no run yet. To start one: npx sync-data') };
  const whole = rows.filter((row) => row.only_stage === null);
  const complete = whole.filter((row) => row.finished_at !== null).length;
  const told = table(
    'Runs, newest first',
    [
      short('Run'),
      short('Began'),
      short('Ended'),
      ...['At work', 'Requests', 'Rate', 'Faults', 'New', 'Gone', 'Reviews', 'Images on disk'].map(figures),
    ],
    rows.map((row) => {
      const counts = countsOf(row.counts);
      return [
        html`${row.id}${row.only_stage === null ? undefined : html` <small>${row.only_stage} alone</small>`}`,
        moment(row.started_at),
        ending(row),
        row.active_ms === null ? '–' : duration(row.active_ms),
        figure(row.requests),
        row.active_requests === null || !row.active_ms
          ? '–'
          : rate(row.active_requests / (row.active_ms / 1000)),
        figure(row.faults),
        figure(counts.listings?.new),
        figure(counts.listings?.gone),
        figure(counts.reviews?.new),
        figure(counts.images?.done),
      ];
    }),
  );
  return {
    says: html`<p>
      ${rows.length === TOLD ? `Of the last ${TOLD} runs` : `Of ${plural(rows.length, 'run')}`}
      <b>${count(complete)}</b> went through all stages to the end. The rate is of the time at work; faults
      are requests that had no answer, or 429 or 5xx for one.
    </p>`,
    shows: html`${requestsOf(rows.toReversed(), told)}`,
  };
}

/** Requests a run, where there is more than one to compare. */
function requestsOf(rows: readonly RunRow[], told: Html): Html {
  const known = rows.filter((row) => row.requests !== null);
  if (known.length < 2) return told;
  const stacks = known.map(({ id, requests, faults }) => ({
    name: `Run ${id}`,
    parts: [
      { value: (requests ?? 0) - (faults ?? 0), tone: 'main' as const },
      { value: faults ?? 0, tone: 'alert' as const },
    ],
  }));
  const marks = everyFew(known.length, 8).map((index) => ({
    index,
    name: dayInYear(known[index]?.started_at ?? 0),
  }));
  return figureWith(
    [
      columns(`Requests per run, of the last ${known.length}`, stacks, marks),
      legend([
        ['main', 'requests answered'],
        ['alert', 'faults'],
      ]),
    ],
    told,
  );
}

function ending(row: RunRow): string {
  if (row.finished_at !== null) {
    const left = row.left ? `; ${count(row.left)} left to the next run (${row.left_in})` : '';
    return `${moment(row.finished_at)}${left}`;
  }
  const again = row.starts > 1 ? `, ${row.starts} starts` : '';
  return `${row.outcome === null ? 'not yet' : row.outcome}${again}`;
}

/** Of a start that was killed there is nothing, and an older or a newer sync-data may have noted other things. */
function countsOf(text: string | null): Counts {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
