import { UserError } from '../errors.ts';
import type { Database, Tx } from '../store/database.ts';
import {
  COUNTING_SCHEMA,
  EARLY_COLUMNS,
  EARLY_SCHEMA,
  HISTORY_SCHEMA,
  RETRY_SCHEMA,
  SYNC_SCHEMA,
} from './schema.ts';

/** Numbered by position, append-only. `PRAGMA user_version` counts those a file has been through. */
const MIGRATIONS: readonly ((tx: Tx) => Promise<void>)[] = [
  takeOverEarlyTables,
  addSyncTables,
  retryWhatWasSetAside,
  countInIndexes,
  addHistory,
];

/**
 * Brings the file to this version's schema, all steps in one transaction.
 *
 * @throws UserError when a newer sync-data has written the file.
 */
export async function migrate(database: Database): Promise<void> {
  const from = await versionOf(database);
  if (from === MIGRATIONS.length) return;
  await database.write(async (tx) => {
    for (const step of MIGRATIONS.slice(from)) await step(tx);
    await tx.run(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/**
 * Whether the file has this version's schema; where not, the next start brings it there.
 *
 * @throws UserError when a newer sync-data has written the file.
 */
export async function isCurrent(database: Database): Promise<boolean> {
  return (await versionOf(database)) === MIGRATIONS.length;
}

async function versionOf(database: Database): Promise<number> {
  const row = await database.read.get<{ user_version: number }>('PRAGMA user_version');
  const version = row?.user_version ?? 0;
  if (version <= MIGRATIONS.length) return version;
  throw new UserError(
    `${database.path}: written by a newer sync-data (schema ${version}, this one knows ${MIGRATIONS.length})`,
    {
      exitCode: 2,
      hint: 'Update sync-data on this machine, or name another file in pipeline.yaml under data: database.',
    },
  );
}

async function runAll(tx: Tx, script: string): Promise<void> {
  for (const statement of script.split(/;\s*\n/)) if (statement.trim()) await tx.run(statement);
}

/** Makes the early system's tables, or adds to existing ones what they lack. Rows stay as they are. */
async function takeOverEarlyTables(tx: Tx): Promise<void> {
  await runAll(tx, EARLY_SCHEMA.tables);
  for (const [table, columns] of Object.entries(EARLY_COLUMNS)) {
    const present = await tx.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`);
    const names = new Set(present.map((column) => column.name));
    for (const [column, type] of Object.entries(columns)) {
      if (!names.has(column)) await tx.run(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    }
  }
  // Its key (shop, listing, second) is no key: several reviews can share all three. transaction_id is.
  await tx.run('DROP INDEX IF EXISTS idx_reviews_unique');
  await runAll(tx, EARLY_SCHEMA.indexes);
}

async function addSyncTables(tx: Tx): Promise<void> {
  await runAll(tx, SYNC_SCHEMA);
}

async function retryWhatWasSetAside(tx: Tx): Promise<void> {
  await runAll(tx, RETRY_SCHEMA);
}

async function countInIndexes(tx: Tx): Promise<void> {
  await runAll(tx, COUNTING_SCHEMA);
}

async function addHistory(tx: Tx): Promise<void> {
  await runAll(tx, HISTORY_SCHEMA);
}
