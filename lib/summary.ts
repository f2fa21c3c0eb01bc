import { relative } from 'node:path';
import type { Run } from '../checkpoints/checkpoints.ts';
import { classify } from './etsy/when-made.ts';
import type { Pipeline } from './pipeline/config.ts';
import type { Outcome } from './pipeline/runner.ts';
import { count as integer, duration, plural } from './pipeline/screen/format.ts';
import type { StopSwitch } from './pipeline/stop.ts';
import type { Database, Sql } from './store/database.ts';
import { countFindings, openFindings } from './store/findings.ts';
import { countImages } from './store/images.ts';
import type { Ledger } from './store/ledger.ts';
import { countSetAside } from './store/set-aside.ts';

export interface SummaryOptions {
  readonly pipeline: Pipeline;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly run: Run;
  readonly outcome: Outcome;
  readonly stop: StopSwitch;
  /** Epoch ms of this start. */
  readonly begun: number;
  readonly describe: (error: unknown) => string;
  /** Paths are shown from here. */
  readonly cwd: string;
}

/** Open findings told one by one. */
const SHOWN = 5;

/** What is left on the terminal: how it ended, what changed, and what to do next. */
export async function summary(options: SummaryOptions): Promise<string> {
  const { outcome, pipeline } = options;
  const rows = outcome.state === 'finished' ? await figures(options) : [];
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
  return `\n${ending(options)}\n${table}${outcome.state === 'finished' ? `\nThe data: ${relative(options.cwd, pipeline.data.database)}\n` : ''}`;
}

function ending({ outcome, stop, run, begun, describe, pipeline }: SummaryOptions): string {
  const took = duration(Date.now() - begun);
  const where = outcome.places.map(({ stage, unit, progress }) => {
    const { done, total } = progress;
    const reached =
      done === undefined ? '' : ` at ${integer(done)}${total === undefined ? '' : ` of ${integer(total)}`}`;
    return `  stage ${stage}, unit ${unit}${reached}`;
  });
  const again = `npx sync-data${run.onlyStage === undefined ? '' : ` --stage ${run.onlyStage}`}`;
  if (outcome.state === 'finished')
    return `Finished in ${took}${run.resumed ? ' (went on with an earlier start)' : ''}.`;
  if (outcome.state === 'stopped') {
    const places = where.length > 0 ? where.join('\n') : '  between two stages';
    return `Stopped after ${took}: ${stop.stopped?.message ?? ''}.\n${places}\nEverything up to there is saved. To go on: ${again}`;
  }
  const errors = outcome.failures.map(({ stage, unit, error }) => {
    const lines = describe(error)
      .split('\n')
      .map((line) => `  ${line}`);
    return `Stage ${stage} failed${unit === undefined ? '' : `, in unit ${unit}`}:\n${lines.join('\n')}`;
  });
  return `${errors.join('\n')}\nIts checkpoint is kept in ${pipeline.data.database}. To go on: ${again}`;
}

async function figures({
  database,
  ledger,
  run,
  pipeline,
  cwd,
}: SummaryOptions): Promise<[string, string][]> {
  const sql = database.read;
  const since = Math.floor(run.startedAt / 1000);
  const listings = await rowsOf(sql, 'SELECT count(*) AS n FROM listings WHERE snapshot_timestamp >= ?', [
    since,
  ]);
  const dynamics = await rowsOf(
    sql,
    "SELECT count(*) AS n FROM listings_dynamic WHERE snapshot_timestamp >= ? AND state IS NOT 'removed'",
    [since],
  );
  const gone = await rowsOf(
    sql,
    "SELECT count(*) AS n FROM listings_dynamic WHERE snapshot_timestamp >= ? AND state = 'removed'",
    [since],
  );
  const shops = await rowsOf(sql, 'SELECT count(*) AS n FROM shops WHERE snapshot_timestamp >= ?', [since]);
  const shopRows = await rowsOf(
    sql,
    'SELECT count(*) AS n FROM shops_dynamic WHERE snapshot_timestamp >= ?',
    [since],
  );
  const reviews = await rowsOf(sql, 'SELECT count(*) AS n FROM reviews WHERE snapshot_timestamp >= ?', [
    since,
  ]);
  const images = await countImages(sql);
  const entries = await rowsOf(sql, 'SELECT count(*) AS n FROM meta_data', []);
  const left = await leftOut(sql, pipeline.rules.madeSince);
  const pace = await ledger.pace(run.id);
  const aside = await countSetAside(sql, run.id);
  const lost = images.failed + images.missing;
  const file = relative(cwd, pipeline.data.database);
  const look = (table: string, where: string): string =>
    `sqlite3 ${file} "SELECT * FROM ${table} WHERE ${where}"`;
  const rows: [string, string][] = [
    [
      'listings',
      `${integer(listings)} new, ${integer(Math.max(0, dynamics - listings))} refreshed, ${integer(gone)} gone`,
    ],
    ['meta_data', `${plural(entries, 'entry', 'entries')}, of these without rows:`],
    [
      '',
      `${integer(left.before)} before ${pipeline.rules.madeSince}, ${integer(left.uncertain)} uncertain, ${integer(left.unrecognised)} unrecognised`,
    ],
    ['shops', `${integer(shops)} new, ${integer(Math.max(0, shopRows - shops))} refreshed`],
    ['reviews', `${integer(reviews)} new`],
    [
      'images',
      `${integer(images.done)} on disk, ${integer(lost)} failed, ${integer(images.none)} without one`,
    ],
  ];
  if (lost > 0) rows.push(['', look('images', "state IN ('failed', 'missing')")]);
  rows.push([
    'requests',
    `${integer(pace.requests)}, ${pace.perSecond.toFixed(2)} a second, ${pace.worstSecond} in the busiest`,
  ]);
  const open = await openFindings(sql, run.id, SHOWN);
  const counts = await countFindings(sql, run.id);
  for (const kind of counts) {
    rows.push(['findings', `${kind.kind}: ${integer(kind.open)} open, ${integer(kind.repaired)} repaired`]);
  }
  for (const finding of open) rows.push(['', `${finding.kind}: ${finding.subject}: ${finding.detail}`]);
  if (counts.some((kind) => kind.open > 0)) rows.push(['', look('findings', `run_id = ${run.id}`)]);
  if (counts.length === 0) rows.push(['findings', 'none: everything is in step']);
  if (aside.met > 0) {
    const fate =
      aside.open === 0 ? 'all had since' : `${integer(aside.open)} open, asked for again in the next run`;
    rows.push(['set aside', `${plural(aside.met, 'record', 'records')} that could not be used: ${fate}`]);
    rows.push(['', look('set_aside', `settled_at IS NULL OR run_id = ${run.id}`)]);
  }
  return rows;
}

/** Entries that get no rows, by what their when_made says. */
async function leftOut(
  sql: Sql,
  madeSince: number,
): Promise<Record<'before' | 'uncertain' | 'unrecognised' | 'since', number>> {
  const counts = { before: 0, uncertain: 0, unrecognised: 0, since: 0 };
  const words = await sql.all<{ word: string | null; n: number }>(
    `SELECT iif(json_type(value) = 'object', value ->> 'when_made', NULL) AS word, count(*) AS n FROM meta_data
     WHERE earliest_year IS NULL OR earliest_year < ? GROUP BY word`,
    [madeSince],
  );
  for (const { word, n } of words) counts[classify(word, madeSince)] += n;
  return counts;
}

async function rowsOf(sql: Sql, text: string, params: number[]): Promise<number> {
  return (await sql.get<{ n: number }>(text, params))?.n ?? 0;
}
