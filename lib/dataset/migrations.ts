import type { Database, Tx } from '../store/database.ts';
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
