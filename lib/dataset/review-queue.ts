import type { Sql } from '../store/database.ts';
import { knownColumn, latest } from '../text/to-come.ts';
import { TIERS, YEAR, compareVisits, momentOf, visitsDue } from './review-order.ts';
import type { Moment, ShopFacts, Visit, VisitKind } from './review-order.ts';

/** Shops whose facts are read at once. */
const CHUNK = 2000;

type FactRow = Omit<ShopFacts, 'isUnderWay' | 'isSpoilt'> & {
  readonly shopId: number;
  readonly isUnderWay: 0 | 1;
  readonly isSpoilt: 0 | 1;
};

/** A shop whose reviews Etsy refuses is asked for again in a later run, and not before its time. Written for `:run`, `:now`, `:until`. */
const REFUSED = `SELECT shop_id FROM set_aside WHERE settled_at IS NULL AND retry_at IS NOT NULL
  AND endpoint = 'shops/' || shop_id || '/reviews' AND (run_id = :run OR (retry_at > :now AND at <= :until))`;

/** Of the shops after `:after`, in their order. */
const FACTS = `
  SELECT s.shop_id AS shopId, d.snapshot_timestamp AS at, d.review_count AS counted, d.review_average AS average,
    d.transaction_sold_count AS sold,
    (SELECT count(*) FROM reviews AS v WHERE v.shop_id = s.shop_id
       AND v.create_timestamp > d.snapshot_timestamp - ${YEAR} AND v.create_timestamp <= d.snapshot_timestamp) AS have,
    ${knownColumn('r.started_at')} AS startedAt, ${knownColumn('r.completed_at')} AS completedAt, r.review_count AS countedThen,
    r.review_average AS averageThen, r.transaction_sold_count AS soldThen, coalesce(r.drift, 0) AS drift,
    iif(r.older_than IS NULL, 0, coalesce(r.older_left, 1)) AS olderLeft, r.pass IS NOT NULL AS isUnderWay,
    coalesce(r.short_run < :run, 0) OR s.shop_id IN (
      SELECT shop_id FROM set_aside
      WHERE settled_at IS NULL AND run_id < :run AND endpoint = 'shops/' || shop_id || '/reviews') AS isSpoilt
  FROM shops AS s
  LEFT JOIN review_sync AS r ON r.shop_id = s.shop_id
  LEFT JOIN shops_dynamic AS d ON d.id = (
    SELECT id FROM shops_dynamic WHERE shop_id = s.shop_id AND snapshot_timestamp <= :until ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
  WHERE s.shop_id > :after AND s.shop_id NOT IN (${REFUSED}) ORDER BY s.shop_id LIMIT ${CHUNK}`;

/**
 * What is stored of every shop whose reviews may be asked for, by its id.
 * @param run what an earlier one has set aside, or could not read in full, is to be asked for again
 * @param now epoch seconds
 */
export async function* shopFacts(
  sql: Sql,
  run: number,
  now: number,
): AsyncGenerator<ShopFacts & { readonly shopId: number }, void, undefined> {
  for (let after = -1; ;) {
    const rows = await sql.all<FactRow>(FACTS, {
      ':after': after,
      ':run': run,
      ':now': now,
      ':until': latest(now),
    });
    for (const row of rows) yield { ...row, isUnderWay: row.isUnderWay === 1, isSpoilt: row.isSpoilt === 1 };
    const last = rows.at(-1);
    if (!last || rows.length < CHUNK) return;
    after = last.shopId;
  }
}

/** The moment of a run. @param runId undefined: of one of all stages that begins now. @param now epoch seconds */
export async function reviewMoment(
  sql: Sql,
  runId: number | undefined,
  refreshAfter: number,
  now: number,
): Promise<Moment> {
  const runs = await sql.all<{ at: number }>(
    `SELECT started_at / 1000 AS at FROM runs WHERE only_stage IS NULL AND id <= :id AND started_at <= :now * 1000
     ORDER BY id DESC LIMIT 2`,
    { ':id': runId ?? Number.MAX_SAFE_INTEGER, ':now': now },
  );
  const own = await sql.get<{ at: number }>('SELECT started_at / 1000 AS at FROM runs WHERE id = ?', [
    runId ?? 0,
  ]);
  const previous = runId === undefined ? runs[0] : runs[1];
  return momentOf(
    now,
    { startedAt: Math.min(own?.at ?? now, now), previousStartedAt: previous?.at },
    refreshAfter,
  );
}

/** Visits in the order in which they are made, each a few bytes: there can be hundreds of thousands. */
export interface ReviewQueue {
  readonly length: number;
  slice(from: number, to: number): { readonly shopId: number; readonly kind: VisitKind }[];
}

const KINDS = ['first', 'news', 'older'] as const;

export async function reviewQueue(sql: Sql, runId: number, moment: Moment): Promise<ReviewQueue> {
  const [shops, visits]: [number[], Visit[]] = [[], []];
  for await (const facts of shopFacts(sql, runId, moment.now)) {
    for (const visit of visitsDue(facts, moment)) {
      shops.push(facts.shopId);
      visits.push(visit);
    }
  }
  const order = Uint32Array.from(visits, (_, index) => index).sort((a, b) => {
    const [one, other] = [visits[a], visits[b]];
    return one && other ? compareVisits(one, other) || a - b : 0;
  });
  const ids = Float64Array.from(order, (index) => shops[index] ?? 0);
  const kinds = Uint8Array.from(order, (index) => KINDS.indexOf(visits[index]?.kind ?? 'news'));
  return {
    length: order.length,
    slice(from, to) {
      return Array.from(ids.subarray(from, to), (shopId, at) => ({
        shopId,
        kind: KINDS[kinds[from + at] ?? 1] ?? 'news',
      }));
    },
  };
}

/** What the next start has to read, and how much of it is there. */
export interface ReviewPlan {
  /** Shops that are due. */
  readonly shops: number;
  /** Requests: for shops never read, for news, for older pages, and for shops that were not read for long. */
  readonly requests: Readonly<Record<VisitKind | 'unread', number>>;
  /** Of the past year, by the shops' newest figures: reviews stored, and reviews there are. */
  readonly stored: number;
  readonly counted: number;
  /** The shop read longest ago of those that were read; null: none was. Epoch seconds. */
  readonly oldest: { readonly shopId: number; readonly readAt: number } | null;
}

/** @param run what an earlier run has set aside is to be asked for again */
export async function reviewPlan(sql: Sql, run: number, moment: Moment): Promise<ReviewPlan> {
  const requests = { first: 0, news: 0, older: 0, unread: 0 };
  let [shops, stored, counted] = [0, 0, 0];
  let oldest: ReviewPlan['oldest'] = null;
  for await (const facts of shopFacts(sql, run, moment.now)) {
    const visits = visitsDue(facts, moment);
    if (visits.length > 0) shops += 1;
    for (const visit of visits) {
      const isNews = visit.kind !== 'news' || visit.tier === TIERS.byValue || visit.tier === TIERS.underWay;
      requests[isNews ? visit.kind : 'unread'] += visit.requests;
    }
    stored += facts.have;
    counted += Math.max(facts.have, facts.counted ?? 0);
    const readAt = facts.completedAt;
    if (readAt !== null && (oldest === null || readAt < oldest.readAt))
      oldest = { shopId: facts.shopId, readAt };
  }
  return { shops, requests, stored, counted, oldest };
}
