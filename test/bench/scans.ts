/** Tables that grow with what Etsy has, or with the requests made. */
const DATA = new Set([
  'listings',
  'listings_dynamic',
  'shops',
  'shops_dynamic',
  'reviews',
  'meta_data',
  'images',
  'wanted',
  'slices',
  'review_sync',
  'ledger',
]);

/** On one line, for a person to read and for a list to name. */
export function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}

/**
 * The lines of a query's plan that read a data table, or an index of one, from end to end.
 * @param plan details of EXPLAIN QUERY PLAN
 */
export function scansOf(sql: string, plan: readonly string[]): string[] {
  return plan.filter((detail) => isScan(sql, detail) || isSearchForNull(sql, detail));
}

/** A name that leads neither to a table nor to a subquery may stand for any table. */
function isScan(sql: string, detail: string): boolean {
  const [, name] = /^SCAN (?!\d|CONSTANT ROW)(\w+)(?! VIRTUAL TABLE)\b/.exec(detail) ?? [];
  if (name === undefined) return false;
  const tables = tablesNamed(sql, name);
  return tables.length > 0 ? tables.some((table) => DATA.has(table)) : !isSubquery(sql, name);
}

function isSubquery(sql: string, name: string): boolean {
  return new RegExp(`\\)\\s+AS\\s+${name}\\b|\\b${name}\\s+AS\\s+\\(`, 'i').test(sql);
}

/**
 * To SQLite any value of a unique index is one row. NULL is not: it stands in all the rows that have no value, and a
 * plan that looks for it there reads them all.
 */
function isSearchForNull(sql: string, detail: string): boolean {
  const [, name = '', column] = /^SEARCH (\w+) USING (?:COVERING )?INDEX \w+ \((\w+)=\?\)/.exec(detail) ?? [];
  if (column === undefined || !tablesNamed(sql, name).some((table) => DATA.has(table))) return false;
  return new RegExp(`(?<![.\\w])(?:${name}\\.)?${column} IS NULL`, 'i').test(sql);
}

/** What an alias stands for; two subqueries may use one for different tables. */
function tablesNamed(sql: string, name: string): string[] {
  const named = [...sql.matchAll(/\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+AS\s+(\w+))?/gi)];
  return named.flatMap(([, table = '', alias]) => (alias === name || table === name ? table : []));
}
