import { count, estimate } from '../../lib/text/format.ts';
import type { Sql } from '../../lib/store/database.ts';
import type { Problem } from '../../lib/task/telling.ts';

/** Reasons shown one by one. */
const REASONS = 5;

/**
 * How long what is due takes: at the pace measured of late, or else as its model is known to take.
 * @param pace milliseconds per picture; undefined: nothing was measured yet
 * @param known milliseconds per picture on one core
 */
export function timeLeft(what: string, due: number, pace: number | undefined, known: number): string[] {
  if (due === 0) return [];
  const each = pace ?? known;
  const how = pace === undefined ? 'one core takes about' : 'at the pace so far:';
  return [`${what}: ${count(due)} due, ${how} ${estimate(due * each)} (${(each / 1000).toFixed(2)} s each).`];
}

/** Why some failed, the most frequent reasons first. @param failed in all */
export async function failures(
  sql: Sql,
  title: string,
  failed: number,
  query: { readonly sql: string; readonly params: readonly (string | number)[] },
): Promise<Problem[]> {
  if (failed === 0) return [];
  const rows = await sql.all<{ reason: string | null; n: number }>(query.sql, [...query.params, REASONS]);
  return [{ title, count: failed, reasons: rows.map(({ reason, n }) => ({ text: reason ?? '', n })) }];
}
