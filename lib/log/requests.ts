import type { LogRecord } from './events.ts';
import type { Sql } from '../store/database.ts';

/** A request younger than this may still be without its answer. Milliseconds. */
const UNSETTLED_MS = 30_000;
/** Records set aside that are logged one by one each time. */
const ONE_BY_ONE = 50;

/**
 * What the database knows and no event tells: how many requests were made and what went wrong with them, and records
 * that were set aside. Each call tells what is new since the one before.
 */
export async function logNews(sql: Sql): Promise<(isLast: boolean) => Promise<LogRecord[]>> {
  const last = await sql.get<{ id: number | null }>('SELECT max(id) AS id FROM set_aside');
  let toldAside = last?.id ?? 0;
  let toldMs = Date.now();

  const requests = async (untilMs: number): Promise<LogRecord[]> => {
    const rows = await sql.all<{ status: number | null; n: number }>(
      'SELECT status, count(*) AS n FROM ledger WHERE at_ms >= ? AND at_ms < ? GROUP BY status ORDER BY status',
      [toldMs, untilMs],
    );
    const [sinceMs, all] = [toldMs, rows.reduce((sum, row) => sum + row.n, 0)];
    toldMs = untilMs;
    if (all === 0) return [];
    const faults = rows.filter(({ status }) => status !== 200);
    return [
      [
        'requests',
        {
          since: new Date(sinceMs).toISOString(),
          requests: all,
          ...(faults.length > 0 && {
            faults: Object.fromEntries(faults.map(({ status, n }) => [status ?? 'no answer', n])),
          }),
        },
      ],
    ];
  };

  const aside = async (): Promise<LogRecord[]> => {
    const rows = await sql.all<{ id: number }>(
      'SELECT id, endpoint, reason, listing_id, shop_id FROM set_aside WHERE id > ? ORDER BY id',
      [toldAside],
    );
    toldAside = rows.at(-1)?.id ?? toldAside;
    const more = rows.length - ONE_BY_ONE;
    return [
      ...rows.slice(0, ONE_BY_ONE).map((row): LogRecord => ['set-aside', { ...row }]),
      ...(more > 0 ? [['set-aside', { more }] satisfies LogRecord] : []),
    ];
  };

  return async (isLast) => {
    const until = isLast ? Number.MAX_SAFE_INTEGER : Math.max(toldMs, Date.now() - UNSETTLED_MS);
    return [...(await requests(until)), ...(await aside())];
  };
}
