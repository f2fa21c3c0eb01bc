import type { Sql } from '../store/database.ts';
import { latest } from '../text/to-come.ts';

/** What says when a row is due. Seconds. */
export interface Rhythm {
  /** As pipeline.yaml has it. */
  readonly refreshAfter: number;
  /** Time from one run to the next; 0: not known. */
  readonly cadence: number;
  /** When the run began: what it has read is not due in it. Epoch seconds. */
  readonly runStartedAt: number;
}

/** A dynamic row of this span counts as fresh; one from before it is due, and one of a time to come is unknown. Epoch seconds. */
export interface FreshSpan {
  readonly since: number;
  readonly until: number;
}

/**
 * Rows written earlier are due: waiting for the next run would make them staler than refreshing them now makes it early,
 * `age + cadence / 2 > refreshAfter`. With the age alone, weekly runs that meet a listing some hours earlier than the
 * week before would refresh it every other week. Epoch seconds.
 */
export function dueBefore(now: number, { refreshAfter, cadence, runStartedAt }: Rhythm): number {
  const byAge = now - refreshAfter;
  return Math.max(byAge, Math.min(byAge + cadence / 2, runStartedAt));
}

export interface RefreshRules {
  /** Seconds. */
  readonly refreshAfter: number;
  /** From one run to the next, where pipeline.yaml says so. Seconds. */
  readonly every?: number | undefined;
}

/**
 * Of a run: the cadence is `every`, or else the time since the run before it began.
 * @param runId undefined: of a run of all stages that would begin now
 */
export async function rhythmOf(
  sql: Sql,
  { refreshAfter, every }: RefreshRules,
  runId: number | undefined,
  now: number,
): Promise<Rhythm> {
  const run = runId === undefined ? await nextOf(sql, now) : await beginningsOf(sql, runId);
  // A run that began in time to come began by a clock that was wrong: it can only have been before now.
  const started = Math.min(run?.started ?? Infinity, now * 1000);
  return {
    refreshAfter,
    cadence: every ?? Math.max(0, started - (run?.before ?? started)) / 1000,
    runStartedAt: Math.floor(started / 1000),
  };
}

/** When a run began, and the one of the same stages before it. Epoch ms. */
interface Beginnings {
  readonly started: number;
  readonly before: number | null;
}

/** They do not change, and are asked for with every answer of Etsy. By connection and run. */
const known = new WeakMap<Sql, Map<number, Beginnings>>();

async function beginningsOf(sql: Sql, runId: number): Promise<Beginnings | undefined> {
  const runs = known.get(sql) ?? new Map<number, Beginnings>();
  known.set(sql, runs);
  const before = runs.get(runId);
  if (before) return before;
  const found = await sql.get<Beginnings>(
    `SELECT r.started_at AS started, (
       SELECT b.started_at FROM runs AS b WHERE b.id < r.id AND b.only_stage IS r.only_stage
       ORDER BY b.id DESC LIMIT 1) AS before FROM runs AS r WHERE r.id = ?`,
    [runId],
  );
  if (found) runs.set(runId, found);
  return found;
}

async function nextOf(sql: Sql, now: number): Promise<Beginnings> {
  const last = await sql.get<{ at: number }>(
    'SELECT started_at AS at FROM runs WHERE only_stage IS NULL ORDER BY id DESC LIMIT 1',
  );
  return { started: now * 1000, before: last?.at ?? null };
}

/** What is fresh now, in that run; see dueBefore. @param now epoch seconds */
export async function freshSpan(
  sql: Sql,
  rules: RefreshRules,
  runId: number | undefined,
  now: number,
): Promise<FreshSpan> {
  return freshAt(now, await rhythmOf(sql, rules, runId, now));
}

export function freshAt(now: number, rhythm: Rhythm): FreshSpan {
  return { since: dueBefore(now, rhythm), until: latest(now) };
}

export interface OverdueQuery {
  /** Only entries with a larger listing id. */
  readonly after: number;
  readonly limit: number;
  /** Year. */
  readonly madeSince: number;
  readonly fresh: FreshSpan;
  /** Slice id: entries seen in it or a later one are left out. Undefined: none are. */
  readonly unseenSince: number | undefined;
}

/**
 * Whether a listing is asked for although no crawl shows it: one made since the year; and of the others, as the year in
 * pipeline.yaml may have been changed, or the listing's when_made, any that has rows, until it is gone.
 */
const IS_KEPT = `(+m.earliest_year >= :madeSince OR (
  EXISTS (SELECT 1 FROM listings AS l WHERE l.listing_id = m.listing_id)
  AND (SELECT d.state FROM listings_dynamic AS d WHERE d.listing_id = m.listing_id AND d.snapshot_timestamp <= :until
       ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1) IS NOT 'removed'))`;

/** Listing ids of entries that are kept up to date, not seen, and have no fresh dynamic row; ascending. */
export async function overdueEntries(sql: Sql, query: OverdueQuery): Promise<number[]> {
  const rows = await sql.all<{ id: number }>(
    `SELECT m.listing_id AS id FROM meta_data AS m
     WHERE m.listing_id > :after
       AND (:unseenSince IS NULL OR m.seen_slice IS NULL OR m.seen_slice < :unseenSince)
       AND NOT EXISTS (SELECT 1 FROM listings_dynamic AS d
                       WHERE d.listing_id = m.listing_id AND d.snapshot_timestamp BETWEEN :since AND :until)
       AND ${IS_KEPT}
     ORDER BY m.listing_id LIMIT :limit`,
    {
      ':after': query.after,
      ':limit': query.limit,
      ':madeSince': query.madeSince,
      ':since': query.fresh.since,
      ':until': query.fresh.until,
      ':unseenSince': query.unseenSince ?? null,
    },
  );
  return rows.map((row) => row.id);
}

/**
 * Listings with a fresh dynamic row. A listing gets one in that time, unless it went or came
 * back in between: only of those are the rows looked at.
 */
export async function freshListings(sql: Sql, fresh: FreshSpan): Promise<number> {
  const rows = await sql.get<{ n: number }>(
    'SELECT count(*) AS n FROM listings_dynamic WHERE snapshot_timestamp BETWEEN ? AND ?',
    [fresh.since, fresh.until],
  );
  const doubled = await sql.get<{ n: number | null }>(
    `SELECT sum(n - 1) AS n FROM (
       SELECT (SELECT count(*) FROM listings_dynamic AS d
               WHERE d.listing_id = gone.listing_id AND d.snapshot_timestamp BETWEEN :since AND :until) AS n
       FROM (SELECT DISTINCT +listing_id AS listing_id FROM listings_dynamic
             WHERE snapshot_timestamp BETWEEN :since AND :until AND state = 'removed') AS gone)`,
    { ':since': fresh.since, ':until': fresh.until },
  );
  return (rows?.n ?? 0) - (doubled?.n ?? 0);
}

/** Shops with a fresh dynamic row: they get no second one in that time. */
export async function freshShops(sql: Sql, fresh: FreshSpan): Promise<number> {
  const row = await sql.get<{ n: number }>(
    'SELECT count(*) AS n FROM shops_dynamic WHERE snapshot_timestamp BETWEEN ? AND ?',
    [fresh.since, fresh.until],
  );
  return row?.n ?? 0;
}

/**
 * Entries kept up to date (see IS_KEPT) that no crawl from slice `first` on has seen, without a fresh dynamic row.
 * Reads all entries once, in their order: found by year, nearly all of them would be, one by one.
 */
export async function unseenDue(
  sql: Sql,
  madeSince: number,
  first: number,
  fresh: FreshSpan,
): Promise<number> {
  const row = await sql.get<{ n: number }>(
    `SELECT count(*) AS n FROM meta_data AS m
     WHERE (m.seen_slice IS NULL OR m.seen_slice < :first)
       AND NOT EXISTS (SELECT 1 FROM listings_dynamic AS d
                       WHERE d.listing_id = m.listing_id AND d.snapshot_timestamp BETWEEN :since AND :until)
       AND ${IS_KEPT}`,
    { ':madeSince': madeSince, ':first': first, ':since': fresh.since, ':until': fresh.until },
  );
  return row?.n ?? 0;
}
