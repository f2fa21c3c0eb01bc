import type { Sql } from '../store/database.ts';
import { YEAR, compareVisits, momentOf, visitsDue } from './review-order.ts';
import type { Moment, ShopFacts, Visit, VisitKind } from './review-order.ts';

/** Shops whose facts are read at once. */
const CHUNK = 2000;

type FactRow = Omit<ShopFacts, 'isUnderWay' | 'isSpoilt'> & {
  readonly shopId: number;
  readonly isUnderWay: 0 | 1;
  readonly isSpoilt: 0 | 1;
};

/** Of the shops after `:after`, in their order. */
const FACTS = `
  SELECT s.shop_id AS shopId, d.snapshot_timestamp AS at, d.review_count AS counted, d.review_average AS average,
    d.transaction_sold_count AS sold,
    (SELECT count(*) FROM reviews AS v WHERE v.shop_id = s.shop_id
       AND v.create_timestamp > d.snapshot_timestamp - ${YEAR} AND v.create_timestamp <= d.snapshot_timestamp) AS have,
    r.started_at AS startedAt, r.completed_at AS completedAt, r.review_count AS countedThen,
    r.review_average AS averageThen, r.transaction_sold_count AS soldThen, coalesce(r.drift, 0) AS drift,
    iif(r.older_than IS NULL, 0, coalesce(r.older_left, 1)) AS olderLeft, r.pass IS NOT NULL AS isUnderWay,
    EXISTS (SELECT 1 FROM set_aside AS a WHERE a.endpoint = 'shops/' || s.shop_id || '/reviews'
              AND a.settled_at IS NULL AND a.run_id < :run) AS isSpoilt
  FROM shops AS s
  LEFT JOIN review_sync AS r ON r.shop_id = s.shop_id
  LEFT JOIN shops_dynamic AS d ON d.id = (
    SELECT id FROM shops_dynamic WHERE shop_id = s.shop_id ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)
  WHERE s.shop_id > :after ORDER BY s.shop_id LIMIT ${CHUNK}`;

/** What is stored of every shop, by its id. @param run what an earlier one has set aside is to be asked for again */
export async function* shopFacts(
  sql: Sql,
  run: number,
): AsyncGenerator<ShopFacts & { readonly shopId: number }, void, undefined> {
  for (let after = -1; ;) {
    const rows = await sql.all<FactRow>(FACTS, { ':after': after, ':run': run });
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
  const own = await sql.get<{ at: number }>('SELECT started_at / 1000 AS at FROM runs WHERE id = ?', [runId ?? 0]);
  const previous = runId === undefined ? runs[0] : runs[1];
  return momentOf(now, { startedAt: own?.at ?? now, previousStartedAt: previous?.at }, refreshAfter);
}

/** Visits in the order in which they are made, each a few bytes: there can be hundreds of thousands. */
export interface ReviewQueue {
  readonly length: number;
  at(index: number): { readonly shopId: number; readonly kind: VisitKind } | undefined;
}

const KINDS = ['first', 'news', 'older'] as const;

export async function reviewQueue(sql: Sql, runId: number, moment: Moment): Promise<ReviewQueue> {
  const [shops, visits]: [number[], Visit[]] = [[], []];
  for await (const facts of shopFacts(sql, runId)) {
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
    at(index) {
      const [shopId, kind] = [ids[index], KINDS[kinds[index] ?? 0]];
      return shopId === undefined || kind === undefined ? undefined : { shopId, kind };
    },
  };
}
