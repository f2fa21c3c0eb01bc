import { existsSync } from 'node:fs';
import { lastStart } from '../../checkpoints/starts.ts';
import type { Pipeline } from '../pipeline/config.ts';
import { killInfo } from '../pipeline/stop.ts';
import { UserError } from '../errors.ts';
import { nowSeconds } from '../time.ts';
import { Database } from '../store/database.ts';
import type { Sql } from '../store/database.ts';
import { readOddities } from '../dataset/oddities.ts';
import { countFindings } from '../dataset/findings.ts';
import { Ledger } from '../store/ledger.ts';
import { holderOf } from '../store/lock.ts';
import { pathToRead } from '../store/reading.ts';
import { isCurrent } from '../dataset/migrations.ts';
import { readCovered } from '../dataset/slices.ts';
import { freshListings, freshShops, freshSpan } from '../dataset/due.ts';
import type { FreshSpan } from '../dataset/due.ts';
import { reviewMoment, reviewPlan } from '../dataset/review-queue.ts';
import { asideReasons, countRows, imageReasons } from '../dataset/standing.ts';
import { tally } from '../dataset/tally.ts';
import type { Tally } from '../dataset/tally.ts';
import { nextRun } from './next-run.ts';
import { quotaStatus } from './quota.ts';
import { runStatus, startStatus } from './run-status.ts';
import { DATA_TABLES } from './shape.ts';
import type { Status, Sync, ToldStage } from './shape.ts';
import { sourcesOf } from '../run/sources.ts';
import { tellings } from '../run/tellings.ts';
import { readTold } from '../run/told.ts';
import type { Sources } from '../services.ts';
import type { ToldRun } from '../task/telling.ts';

/** Reasons shown. */
const REASONS = 5;

/**
 * How things stand. Nothing is written, nothing is asked of Etsy, and a run under way is not held up.
 * @throws UserError where there is no database yet; StoreError where it cannot be read
 */
export async function readStatus(pipeline: Pipeline): Promise<Status> {
  const path = pipeline.data.database;
  if (!existsSync(path)) {
    throw new UserError(`There is no ${path} yet: nothing has been fetched.`, {
      exitCode: 2,
      hint: 'The first run creates it: npx sync-data',
    });
  }
  const real = await pathToRead(path);
  const holder = await holderOf(real);
  const database = await Database.open(real, { readOnly: true });
  try {
    const rows = await countRows(database.read, DATA_TABLES);
    return {
      shape: 1,
      at: new Date().toISOString(),
      pipeline: pipeline.file,
      database: path,
      killFile: killInfo(pipeline.kill) !== undefined,
      killedStages: pipeline.stages.flatMap(({ id, kill }) =>
        kill !== undefined && killInfo(kill) ? [{ stage: id, file: kill }] : [],
      ),
      underWay: holder ? { pid: holder.pid, since: new Date(holder.since).toISOString() } : null,
      rows,
      sync: (await isCurrent(database)) ? await readSync(database, pipeline, rows.shops) : null,
    };
  } finally {
    await database.close();
  }
}

/** @param shops how many there are */
async function readSync(database: Database, pipeline: Pipeline, shops: number): Promise<Sync> {
  const { rules, api } = pipeline;
  const sql = database.read;
  const now = Date.now();
  const run = await runStatus(database, pipeline);
  const start = await lastStart(sql);
  const whole = { id: run?.id ?? 0, startedAt: run ? Date.parse(run.startedAt) : now };
  const counts = await tally(sql, whole, rules.madeSince);
  const rest = run !== null && run.finishedAt === null ? run.id : undefined;
  const fresh = await freshSpan(sql, rules, rest, nowSeconds());
  const moment = await reviewMoment(sql, rest, rules.refreshAfter, nowSeconds());
  const reviews = await reviewPlan(sql, rest ?? Number.MAX_SAFE_INTEGER, moment);
  const due = await dueOf(sql, rules.refreshAfter, fresh, counts, shops, reviews.shops);
  const quota = await quotaStatus(await Ledger.ofLastKey(database), api.qps, now);
  const covered = await readCovered(sql);
  const crawls = pipeline.stages.filter(({ options }) => isCrawl(options)).map(({ id }) => id);
  return {
    run,
    lastStart: start ? startStatus(start) : null,
    counts,
    due,
    listings: {
      counted: covered.reduce((sum, one) => sum + one.counted, 0),
      seen: covered.reduce((sum, one) => sum + one.seen, 0),
    },
    reviews: {
      stored: reviews.stored,
      counted: reviews.counted,
      oldest: reviews.oldest && {
        shopId: reviews.oldest.shopId,
        readAt: new Date(reviews.oldest.readAt * 1000).toISOString(),
      },
    },
    imageReasons: await imageReasons(sql, REASONS),
    asideReasons: await asideReasons(sql, REASONS),
    findings: await countFindings(sql, whole.id),
    told: await toldOf(sourcesOf(pipeline, database), pipeline, { ...whole, isComplete: false }),
    oddities: await readOddities(sql, whole.id),
    quota,
    next: await nextRun({ sql, rules, run, fresh, crawls, counts, due, reviews, quota }),
  };
}

async function dueOf(
  sql: Sql,
  refreshAfter: number,
  fresh: FreshSpan,
  counts: Tally,
  shops: number,
  reviews: number,
): Promise<Sync['due']> {
  const { entries, before, uncertain, unrecognised } = counts;
  const kept = entries - before - uncertain - unrecognised;
  return {
    refreshAfter,
    listings: Math.max(0, kept - (await freshListings(sql, fresh))),
    shops: Math.max(0, shops - (await freshShops(sql, fresh))),
    reviews,
  };
}

/**
 * What stages say of their work that are not of the dataset. The code of tasks that are not ours is not run for this:
 * what they said last is kept.
 */
async function toldOf(sources: Sources, pipeline: Pipeline, run: ToldRun): Promise<ToldStage[]> {
  const kept = await readTold(sources.sql);
  const { byStage } = await tellings(pipeline, sources, run, 'status');
  const now = new Date().toISOString();
  return pipeline.stages.flatMap(({ id }): ToldStage[] => {
    const telling = byStage.get(id);
    if (telling) return telling.rows ? [{ ...telling, stage: id, at: now }] : [];
    const last = kept.get(id);
    if (!last) return [];
    return [{ ...last, stage: id, at: new Date(last.at).toISOString() }];
  });
}

/** What a stage crawls is in its options. */
function isCrawl(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'taxonomies' in options;
}
