import { UserError } from '../errors.ts';
import { Database } from '../store/database.ts';
import type { Tx } from '../store/database.ts';
import * as mechanism from '../store/migrate.ts';

const MIGRATIONS: mechanism.Migrations = {
  folder: new URL('./migrations/', import.meta.url),
  views: new URL('./views.sql', import.meta.url),
  before: { 1: addEarlyColumns },
};

/** Columns that files of some days of the early system lack. */
const EARLY_COLUMNS = {
  shops: { snapshot_timestamp: 'INTEGER' },
  listings: { snapshot_timestamp: 'INTEGER', description: 'TEXT' },
  listings_dynamic: { price_amount: 'INTEGER', price_divisor: 'INTEGER', price_currency: 'TEXT' },
  reviews: { snapshot_timestamp: 'INTEGER', transaction_id: 'INTEGER' },
} as const;

/** See lib/store/migrate.ts. */
export function migrate(database: Database): Promise<void> {
  return mechanism.migrate(database, MIGRATIONS);
}

/** See lib/store/migrate.ts. */
export function isCurrent(database: Database): Promise<boolean> {
  return mechanism.isCurrent(database, MIGRATIONS);
}

/** A dataset has one of these, in whatever version of this program or of the system before it was begun. */
const OWN = ['listings.listing_id', 'listings_static.listing_id', 'shops.shop_id', 'shops_static.shop_id'];

/**
 * Looks at a database that no run has worked on yet, before anything is written to it.
 * @throws UserError where it has tables, and none of a dataset: it belongs to another program
 */
export async function refuseForeign(path: string): Promise<void> {
  const database = await Database.open(path, { readOnly: true });
  try {
    const columns = await database.read.all<{ name: string; own: number }>(
      `SELECT t.name, max(t.name || '.' || c.name IN (SELECT value FROM json_each(?))) AS own
       FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' GROUP BY t.name`,
      [JSON.stringify(OWN)],
    );
    if (columns.length === 0 || columns.some(({ own }) => own === 1)) return;
    const names = columns.slice(0, 3).map(({ name }) => name);
    const more = columns.length > names.length ? ' …' : '';
    throw new UserError(
      `${path} is the database of another program (its tables: ${names.join(', ')}${more}). Nothing in it was changed.`,
      { exitCode: 2, hint: 'Name another file in pipeline.yaml under data: database.' },
    );
  } finally {
    await database.close();
  }
}

/** Adds to existing tables of the early system what they lack. Rows stay as they are. */
async function addEarlyColumns(tx: Tx): Promise<void> {
  for (const [table, columns] of Object.entries(EARLY_COLUMNS)) {
    const present = await tx.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`);
    const names = new Set(present.map((column) => column.name));
    if (names.size === 0) continue;
    for (const [column, type] of Object.entries(columns)) {
      if (!names.has(column)) await tx.run(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    }
  }
}
