import type { Sql, Tx } from '../store/database.ts';
import { knownColumn, latest } from '../text/to-come.ts';
import { YEAR, driftAfter } from './review-order.ts';

/** Where the reviews of one shop stand. */
export interface ReviewState {
  readonly shop_id: number;
  /** Epoch seconds: when its last complete pass began; null: none yet. */
  readonly started_at: number | null;
  /** JSON of a pass that was interrupted; null: none. */
  readonly pass: string | null;
  /** The run in which fewer could be read than Etsy counts; null: the last pass showed as many. */
  readonly short_run: number | null;
  /** Epoch seconds: older reviews are still to be read, as many as `older_left`; null: all are in. */
  readonly older_than: number | null;
  readonly older_left: number | null;
  /** Reviews of the past year, by the shop's newest figures; null: not said. */
  readonly review_count: number | null;
}

/** In the order of `shopIds`. @param now epoch seconds */
export function reviewStates(sql: Sql, shopIds: readonly number[], now: number): Promise<ReviewState[]> {
  return sql.all<ReviewState>(
    `SELECT ids.value AS shop_id, ${knownColumn('r.started_at')} AS started_at, r.pass, r.short_run, r.older_than, r.older_left, (
       SELECT d.review_count FROM shops_dynamic AS d WHERE d.shop_id = ids.value AND d.snapshot_timestamp <= :until
       ORDER BY d.snapshot_timestamp DESC, d.id DESC LIMIT 1) AS review_count
     FROM json_each(:ids) AS ids LEFT JOIN review_sync AS r ON r.shop_id = ids.value ORDER BY ids.key`,
    { ':ids': JSON.stringify(shopIds), ':until': latest(now) },
  );
}

export async function savePass(tx: Tx, shopId: number, pass: unknown): Promise<void> {
  await tx.run(
    'INSERT INTO review_sync (shop_id, pass) VALUES (?, ?) ON CONFLICT (shop_id) DO UPDATE SET pass = excluded.pass',
    [shopId, JSON.stringify(pass)],
  );
}

/** Of the keys of a page's reviews, how many the pass under way has not shown before. */
export async function unseenInPass(sql: Sql, shopId: number, keys: readonly string[]): Promise<number> {
  const row = await sql.get<{ n: number }>(
    `SELECT count(DISTINCT r.value) AS n FROM json_each(?) AS r
     WHERE NOT EXISTS (SELECT 1 FROM review_pass_seen WHERE shop_id = ? AND review = r.value)`,
    [JSON.stringify(keys), shopId],
  );
  return row?.n ?? 0;
}

export async function seenInPass(tx: Tx, shopId: number, keys: readonly string[]): Promise<void> {
  await tx.run(
    'INSERT OR IGNORE INTO review_pass_seen (shop_id, review) SELECT ?, r.value FROM json_each(?) AS r',
    [shopId, JSON.stringify(keys)],
  );
}

export interface PassEnd {
  /** When the pass began, epoch seconds; null: the watermark stays, for the pass did not show everything. */
  readonly startedAt: number | null;
  readonly completedAt: number;
  /** The run, where fewer reviews could be read than Etsy counts. */
  readonly shortRun: number | null;
  /** Reviews that were not stored before; undefined: nothing is to be made of their number. */
  readonly brought?: number | undefined;
  /** What a first visit has left to be read; undefined: as it was. */
  readonly older?: { readonly than: number; readonly left: number } | undefined;
}

interface Counted {
  readonly review_count: number | null;
  readonly review_average: number | null;
  readonly transaction_sold_count: number | null;
  /** Reviews stored of the same year. */
  readonly have: number | null;
  readonly drift: number | null;
}

/** The watermark moves here and nowhere else: when every page that is needed is in. */
export async function completePass(
  tx: Tx,
  shopId: number,
  { startedAt, completedAt, shortRun, brought, older }: PassEnd,
): Promise<void> {
  const row = await tx.get<Counted>(
    `SELECT d.review_count, d.review_average, d.transaction_sold_count, r.drift,
       (SELECT count(*) FROM reviews AS v WHERE v.shop_id = ids.shop_id
          AND v.create_timestamp > d.snapshot_timestamp - ${YEAR}
          AND v.create_timestamp <= d.snapshot_timestamp) AS have
     FROM (SELECT :shop AS shop_id) AS ids
     LEFT JOIN review_sync AS r ON r.shop_id = ids.shop_id
     LEFT JOIN shops_dynamic AS d ON d.id = (
       SELECT id FROM shops_dynamic WHERE shop_id = ids.shop_id AND snapshot_timestamp <= :until ORDER BY snapshot_timestamp DESC, id DESC LIMIT 1)`,
    { ':shop': shopId, ':until': latest(completedAt) },
  );
  const before = row?.drift ?? 0;
  await tx.run(
    `INSERT INTO review_sync (shop_id, started_at, completed_at, short_run, review_count, review_average,
       transaction_sold_count, drift, older_than, older_left)
     VALUES (:shop, :startedAt, :completedAt, :shortRun, :count, :average, :sold, :drift, :olderThan, :olderLeft)
     ON CONFLICT (shop_id) DO UPDATE SET
       started_at = coalesce(excluded.started_at, started_at), completed_at = excluded.completed_at,
       short_run = excluded.short_run, review_count = excluded.review_count,
       review_average = excluded.review_average, transaction_sold_count = excluded.transaction_sold_count,
       drift = excluded.drift, older_than = iif(:keepsOlder, older_than, excluded.older_than),
       older_left = iif(:keepsOlder, older_left, excluded.older_left), pass = NULL`,
    {
      ':shop': shopId,
      ':startedAt': startedAt,
      ':completedAt': completedAt,
      ':shortRun': shortRun,
      ':count': row?.review_count ?? null,
      ':average': row?.review_average ?? null,
      ':sold': row?.transaction_sold_count ?? null,
      ':drift':
        brought === undefined
          ? before
          : driftAfter(row?.review_count ?? null, row?.have ?? 0, before, brought),
      ':olderThan': older && older.left > 0 ? older.than : null,
      ':olderLeft': older && older.left > 0 ? older.left : null,
      ':keepsOlder': older === undefined ? 1 : 0,
    },
  );
  await forgetPass(tx, shopId);
}

/** The older pages of a shop are read so far, or, with `left` 0, to their end. @param shortRun as in PassEnd */
export async function saveOlder(
  tx: Tx,
  shopId: number,
  { than, left }: { readonly than: number; readonly left: number },
  shortRun: number | null,
): Promise<void> {
  await tx.run(
    `UPDATE review_sync SET older_than = :than, older_left = :left, short_run = coalesce(:shortRun, short_run)
     WHERE shop_id = :shop`,
    {
      ':than': left > 0 ? than : null,
      ':left': left > 0 ? left : null,
      ':shortRun': shortRun,
      ':shop': shopId,
    },
  );
  if (left <= 0) await forgetPass(tx, shopId);
}

async function forgetPass(tx: Tx, shopId: number): Promise<void> {
  await tx.run('DELETE FROM review_pass_seen WHERE shop_id = ?', [shopId]);
}
