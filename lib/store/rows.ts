import { UserError } from '../errors.ts';
import type { Sql, Tx, Value } from './database.ts';

/** A row by the names of its columns. A column left out is NULL; true and false become 1 and 0. */
export type Row = Readonly<Record<string, Value | boolean | undefined>>;

/**
 * Adds rows to a table, all in one statement. A row whose key is in the table already stays as it is there, or is
 * brought up to date, so that the same work can be done twice.
 *
 * @param rows with the same columns each
 * @param known what becomes of a row that is there already
 * @returns how many were added or changed
 * @throws UserError for a name that cannot be one of a table or column
 */
export async function insertRows(
  tx: Tx,
  table: string,
  rows: readonly Row[],
  known: 'keep' | 'update' = 'keep',
): Promise<number> {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === 0) return 0;
  const wrong = [table, ...columns].find((name) => !/^\w+$/.test(name));
  if (wrong !== undefined) {
    throw new UserError(`insertRows was given "${wrong}" as the name of a table or column.`, {
      exitCode: 1,
      hint: 'Use names of letters, digits and underscores; values belong into the rows.',
    });
  }
  const changes = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  const end = `ON CONFLICT DO ${known === 'keep' ? 'NOTHING' : `UPDATE SET ${changes}`}`;
  // JSON has no bytes: rows with a BLOB go in one by one.
  if (rows.some((row) => Object.values(row).some((value) => value instanceof Uint8Array))) {
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) ${end}`;
    let added = 0;
    for (const row of rows)
      added += (
        await tx.run(
          sql,
          columns.map((column) => bound(row[column])),
        )
      ).changes;
    return added;
  }
  const sql = `${insertFrom(table, columns)} WHERE true ${end}`;
  return (await tx.run(sql, { ':rows': rowsJson(columns, rows) })).changes;
}

function bound(value: Row[string]): Value {
  return typeof value === 'boolean' ? Number(value) : (value ?? null);
}

/**
 * Many rows in one statement: they are handed over as one JSON array of arrays, in the order of `columns`, and read by
 * `jsonb_each`, which takes the text apart once (`json_each` would do so again for every value: four times slower here).
 * Integers keep their type, arrays become JSON text, booleans 0 and 1. The row's alias is `r`, its id is its first value.
 */
export function insertFrom(table: string, columns: readonly string[]): string {
  const values = columns.map((_, index) => `r.value ->> ${index}`).join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values} FROM jsonb_each(:rows) AS r`;
}

/** The rows as `insertFrom` takes them. */
export function rowsJson<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Partial<Record<Column, unknown>>>[],
): string {
  return JSON.stringify(rows.map((row) => columns.map((column) => row[column] ?? null)));
}

/**
 * What a SELECT gives as `id`, in its order. It comes as one JSON text: for each row of its own the driver makes an
 * object, which costs more than to find it.
 */
export async function ids(
  sql: Sql,
  text: string,
  params: Record<`:${string}`, string | number>,
): Promise<number[]> {
  const row = await sql.get<{ ids: string }>(`SELECT json_group_array(id) AS ids FROM (${text})`, params);
  return JSON.parse(row?.ids ?? '[]') as number[];
}

/** What a statement that writes gives as `id` by RETURNING. */
export async function changedIds(
  tx: Tx,
  text: string,
  params: Record<`:${string}`, string | number>,
): Promise<number[]> {
  const rows = await tx.all<{ id: number }>(text, params);
  return rows.map((row) => row.id);
}
