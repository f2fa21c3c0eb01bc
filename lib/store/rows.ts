import type { Tx } from './database.ts';

/**
 * Many rows in one statement: they are handed over as one JSON array of arrays, in the order of `columns`, and read by
 * `jsonb_each`, which takes the text apart once (`json_each` would do so again for every value: four times slower here).
 * Integers keep their type, arrays become JSON text, booleans 0 and 1. The row's alias is `r`, its id is its first value.
 */
export function insertFrom(table: string, columns: readonly string[]): string {
  const values = columns.map((_, index) => `r.value ->> ${index}`).join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values} FROM jsonb_each(:rows) AS r`;
}

/** The rows as `insertFrom` wants them. */
export function rowsJson<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Record<Column, unknown>>[],
): string {
  return JSON.stringify(rows.map((row) => columns.map((column) => row[column])));
}

export async function ids(
  tx: Tx,
  sql: string,
  params: Record<`:${string}`, string | number>,
): Promise<number[]> {
  const rows = await tx.all<{ id: number }>(sql, params);
  return rows.map((row) => row.id);
}
