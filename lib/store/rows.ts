import type { Tx } from './database.ts';

/**
 * `INSERT … SELECT` of many rows handed over as one JSON array: a page of 100 is one statement, and integers keep
 * their type. A column's value is the record's field of the same name; arrays become JSON text, booleans 0 and 1.
 */
export function insertFrom(table: string, columns: readonly string[]): string {
  const values = columns.map((column) => `r.value ->> '${column}'`).join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values} FROM json_each(:rows) AS r`;
}

export async function ids(
  tx: Tx,
  sql: string,
  params: Record<`:${string}`, string | number>,
): Promise<number[]> {
  const rows = await tx.all<{ id: number }>(sql, params);
  return rows.map((row) => row.id);
}
