import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { migrate } from '../lib/dataset/migrations.ts';
import { Database } from '../lib/store/database.ts';
import { pipelineJsonSchema } from '../lib/pipeline/json-schema.ts';
import { loadTask } from '../lib/pipeline/load-tasks.ts';
import type { AnyTask } from '../lib/pipeline/load-tasks.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

export const SCHEMA_FILE = fileURLToPath(new URL('../lib/pipeline/pipeline.schema.json', import.meta.url));

export const TABLES_FILE = fileURLToPath(new URL('../lib/dataset/schema.sql', import.meta.url));

/** The tasks that ship, by what pipeline.yaml calls them. */
export async function ownTasks(): Promise<Map<string, AnyTask>> {
  const tasks = new Map<string, AnyTask>();
  const names = await readdir(new URL('../tasks/', import.meta.url));
  for (const name of names.filter((one) => one.endsWith('.ts')).toSorted()) {
    const loaded = await loadTask(`./tasks/${name}`, repository);
    if (!loaded.ok) throw new Error(`tasks/${name} ${loaded.problem}`);
    tasks.set(`./tasks/${name}`, loaded.task);
  }
  return tasks;
}

/** What SCHEMA_FILE should hold. */
export async function schemaText(): Promise<string> {
  const schema = JSON.stringify(pipelineJsonSchema(await ownTasks()));
  return format(schema, { ...(await resolveConfig(SCHEMA_FILE)), parser: 'json' });
}

/** What TABLES_FILE should hold: what the migrations make in an empty file, table by table with its indexes, then the views. */
export async function tablesText(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'schema-'));
  const database = await Database.open(join(folder, 'empty.db'));
  try {
    await migrate(database);
    const parts = await database.read.all<{ tbl_name: string; sql: string }>(
      `SELECT tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'
         AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
       ORDER BY type = 'view', tbl_name, type <> 'table', name`,
    );
    const heading = '-- The tables as all migrations leave them. Written by: npm run schema';
    return parts.reduce((text, { tbl_name, sql }, place) => {
      const sameTable = parts[place - 1]?.tbl_name === tbl_name;
      return `${text}${sameTable ? '' : '\n'}${sql};\n`;
    }, `${heading}\n`);
  } finally {
    await database.close();
    await rm(folder, { recursive: true });
  }
}
