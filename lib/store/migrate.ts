import { readFile, readdir } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import type { Database, ScriptTx } from './database.ts';

/** How a database file comes to its schema. */
export interface Migrations {
  /**
   * Holds a file per step, `NN-name.sql`, applied in the order of their numbers; numbers may be missing, a number that
   * was released is never used again. Other files are not looked at.
   */
  readonly folder: URL;
  /** Views that can be read beside the tables. They hold no data: made anew whenever this file says something else. */
  readonly views: URL;
  /** What SQL alone cannot say, run before the step of that number. */
  readonly before?: Readonly<Record<number, (tx: ScriptTx) => Promise<void>>>;
}

interface Step {
  readonly number: number;
  readonly file: URL;
}

/**
 * Brings the file to this version's schema, all steps and the views in one transaction. `PRAGMA user_version` keeps the
 * number of the last step.
 *
 * @throws UserError when a newer sync-data has written the file.
 */
export async function migrate(database: Database, migrations: Migrations): Promise<void> {
  const all = await stepsOf(migrations.folder);
  const from = await versionOf(database, all);
  const steps = all.filter(({ number }) => number > from);
  const views = await readFile(migrations.views, 'utf8');
  if (steps.length === 0 && (await hasViews(database, views))) return;
  await database.write(async (tx) => {
    // Before the steps: a view that names a table's column hinders its renaming.
    for (const name of viewNames(views)) await tx.run(`DROP VIEW IF EXISTS ${name}`);
    for (const { number, file } of steps) {
      await migrations.before?.[number]?.(tx);
      await tx.script(await readFile(file, 'utf8'));
    }
    await tx.script(views);
    await tx.run(`PRAGMA user_version = ${latest(all)}`);
  });
}

/**
 * Whether the file has this version's tables; where not, the next start brings it there.
 *
 * @throws UserError when a newer sync-data has written the file.
 */
export async function isCurrent(database: Database, migrations: Migrations): Promise<boolean> {
  const steps = await stepsOf(migrations.folder);
  return (await versionOf(database, steps)) === latest(steps);
}

async function versionOf(database: Database, steps: readonly Step[]): Promise<number> {
  const row = await database.read.get<{ user_version: number }>('PRAGMA user_version');
  const version = row?.user_version ?? 0;
  if (version <= latest(steps)) return version;
  throw new UserError(
    `${database.path}: written by a newer sync-data (schema ${version}, this one knows ${latest(steps)})`,
    {
      exitCode: 2,
      hint: 'Update sync-data on this machine, or name another file in pipeline.yaml under data: database.',
    },
  );
}

function latest(steps: readonly Step[]): number {
  return steps.at(-1)?.number ?? 0;
}

/** By their numbers, and not as the folder lists them. */
async function stepsOf(folder: URL): Promise<Step[]> {
  const steps = (await readdir(folder)).flatMap((name) => {
    const [, number] = /^(\d+)-[\w-]+\.sql$/.exec(name) ?? [];
    return number === undefined ? [] : [{ number: Number(number), file: new URL(name, folder) }];
  });
  steps.sort((a, b) => a.number - b.number);
  const twice = steps.find(({ number }, place) => number === steps[place + 1]?.number);
  if (twice) throw new Error(`${folder.pathname}: two migrations have the number ${twice.number}`);
  return steps;
}

function viewNames(views: string): string[] {
  return Array.from(views.matchAll(/^CREATE VIEW (\w+)/gm), ([, name = '']) => name);
}

/** SQLite keeps a view as it was written. */
async function hasViews(database: Database, views: string): Promise<boolean> {
  const kept = await database.read.all<{ name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'view'",
  );
  const texts = new Map(kept.map(({ name, sql }) => [name, sql]));
  return viewNames(views).every((name) => views.includes(`${texts.get(name)};`));
}
