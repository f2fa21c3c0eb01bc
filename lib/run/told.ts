import type { Telling } from '../task/telling.ts';
import type { Database, Sql } from '../store/database.ts';

/** What a stage said at the end of a start, for status, which does not run the code of tasks that are not ours. */
export interface KeptTelling extends Omit<Telling, 'counts'> {
  /** Epoch ms. */
  readonly at: number;
}

const KEY = 'told';

export async function keepTold(
  database: Database,
  told: ReadonlyMap<string, Telling>,
  at: number,
  redact: (text: string) => string,
): Promise<void> {
  const kept = Object.fromEntries(
    [...told].map(([stage, { counts: _, ...rest }]) => [stage, { at, ...rest }]),
  );
  const clean = (_: string, value: unknown): unknown => (typeof value === 'string' ? redact(value) : value);
  await database.write((tx) =>
    tx.run('INSERT INTO sync_state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', [
      KEY,
      JSON.stringify(kept, clean),
    ]),
  );
}

export async function readTold(sql: Sql): Promise<ReadonlyMap<string, KeptTelling>> {
  const row = await sql.get<{ value: string }>('SELECT value FROM sync_state WHERE key = ?', [KEY]);
  return new Map(Object.entries(row ? (JSON.parse(row.value) as Record<string, KeptTelling>) : {}));
}
