import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { pipelineJsonSchema } from '../lib/pipeline/json-schema.ts';
import { loadTask } from '../lib/pipeline/load-tasks.ts';
import type { AnyTask } from '../lib/pipeline/load-tasks.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

export const SCHEMA_FILE = fileURLToPath(new URL('../lib/pipeline/pipeline.schema.json', import.meta.url));

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
