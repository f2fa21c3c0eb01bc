import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from './database.ts';
import type { LockFile, Tx } from './database.ts';
import { StoreError } from './store-error.ts';
import type { Marks } from './database-file.ts';
import { makePrivate } from './files.ts';

export interface Holder {
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Real path of the pipeline.yaml that it was started with; undefined: not known. */
  readonly pipeline?: string;
}

export interface Lock {
  /** False: the last holder died, or said that it ended badly. */
  readonly endedCleanly: boolean;
  /** Of the database file (see lib/store/database-file.ts). */
  readonly marks: Marks;
  /** The file has the next mark now. @throws StoreError where that cannot be written */
  remember(): Promise<void>;
  release(well: boolean): Promise<void>;
}

/** Others look for an instant who it is that holds the lock, or whether they can have it. Milliseconds. */
const PATIENCE_MS = 1000;
/** Who holds it and writes to it does not give up so soon. */
const HOLDERS_PATIENCE_MS = 10_000;
const NAP_MS = 15;

/**
 * Holds `<database>.lock` for this process, or says who holds it.
 *
 * The lock is SQLite's RESERVED lock on a small file of its own: the operating system drops it when the process dies,
 * however it dies, so a stale one cannot exist; and others can still read who the holder is. Who ends well takes its
 * name out again. The file itself stays: removing it could pull it from under a process that is just opening it.
 */
export async function acquireLock(databasePath: string, me: Holder): Promise<Lock | Holder> {
  // Who may read it may lock it, and so block every start.
  makePrivate(`${databasePath}.lock`);
  const file = await Database.openRollback(`${databasePath}.lock`);
  try {
    await patiently(() => file.run('BEGIN EXCLUSIVE'));
    await file.run('CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, pid INTEGER, since INTEGER)');
    const last = await file.get('SELECT pid FROM holder');
    await file.run('REPLACE INTO holder VALUES (1, ?, ?)', [me.pid, me.since]);
    await notePipeline(file, me);
    const marks = await readMarks(file);
    await commitAndHold(file);
    const release = async (well: boolean): Promise<void> => {
      try {
        if (well) await file.run('DELETE FROM holder');
        await patiently(() => file.run('COMMIT'), HOLDERS_PATIENCE_MS);
      } finally {
        await file.close();
      }
    };
    const remember = async (): Promise<void> => {
      await file.run('UPDATE worked_on SET current = next, next = ?', [newMark()]);
      await commitAndHold(file);
    };
    return { endedCleanly: last === undefined, marks, remember, release };
  } catch (error) {
    if (!isBusy(error)) throw error;
    const holder = await patiently(() => file.get<Holder>('SELECT pid, since FROM holder')).catch(
      () => undefined,
    );
    const started = holder && (await pipelineOf(file, holder.pid));
    await file.close();
    return holder ? { ...holder, ...started } : { pid: 0, since: 0 };
  }
}

/** Does it, and again while somebody else is in the way. */
async function patiently<T>(work: () => Promise<T>, ms = PATIENCE_MS): Promise<T> {
  for (const until = performance.now() + ms; ;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      await sleep(NAP_MS * (0.5 + Math.random()));
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'SQLITE_BUSY';
}

/**
 * Commits what was written, and holds the file all the while: as long as it stands at the row, nobody else can take it.
 */
async function commitAndHold(file: LockFile): Promise<void> {
  const leave = await file.standAt('SELECT pid FROM holder');
  try {
    await patiently(() => file.run('COMMIT'), HOLDERS_PATIENCE_MS);
    await patiently(() => file.run('BEGIN IMMEDIATE'), HOLDERS_PATIENCE_MS);
  } finally {
    await leave();
  }
}

/** In a table of its own: a version before counts the columns of `holder`. */
async function notePipeline(file: Tx, { pid, pipeline }: Holder): Promise<void> {
  await file.run(
    'CREATE TABLE IF NOT EXISTS started_with (id INTEGER PRIMARY KEY, pid INTEGER, pipeline TEXT)',
  );
  await file.run('REPLACE INTO started_with VALUES (1, ?, ?)', [pid, pipeline ?? null]);
}

async function pipelineOf(file: Tx, pid: number): Promise<{ pipeline: string } | undefined> {
  const sql = 'SELECT pipeline FROM started_with WHERE pid = ? AND pipeline IS NOT NULL';
  return file.get<{ pipeline: string }>(sql, [pid]).catch(() => undefined);
}

async function readMarks(file: Tx): Promise<Marks> {
  await file.run(
    'CREATE TABLE IF NOT EXISTS worked_on (id INTEGER PRIMARY KEY, current INTEGER, next INTEGER NOT NULL)',
  );
  await file.run('INSERT INTO worked_on VALUES (1, NULL, ?) ON CONFLICT DO NOTHING', [newMark()]);
  const marks = await file.get<Marks>('SELECT current, next FROM worked_on');
  return marks ?? { current: null, next: newMark() };
}

/** Never twice: 0 is what a database has that no start has marked. */
function newMark(): number {
  return randomInt(1, 2 ** 31);
}

/** Marks without the lock, for those who only read; undefined: there are none. */
export async function marksOf(databasePath: string): Promise<Marks | undefined> {
  const path = `${databasePath}.lock`;
  if (!existsSync(path)) return undefined;
  const file = await Database.openRollback(path).catch(() => undefined);
  try {
    return file && (await patiently(() => file.get<Marks>('SELECT current, next FROM worked_on')));
  } catch {
    // Of a version before, or a run is just starting: then it looks itself.
    return undefined;
  } finally {
    await file?.close();
  }
}

/**
 * Who holds the lock at this moment; undefined: nobody. Writes nothing. Where a name was left by a holder that died, the
 * lock is tried for an instant, for only that can tell.
 */
export async function holderOf(databasePath: string): Promise<Holder | undefined> {
  const path = `${databasePath}.lock`;
  if (!existsSync(path)) return undefined;
  const file = await Database.openRollback(path);
  try {
    const holder = await patiently(() => file.get<Holder>('SELECT pid, since FROM holder'));
    if (holder === undefined) return undefined;
    try {
      await file.run('BEGIN IMMEDIATE');
      await file.run('ROLLBACK');
      return undefined;
    } catch (error) {
      if (isBusy(error)) return holder;
      // A file that may not be written cannot be tried: the process itself has to tell.
      return isAlive(holder.pid) ? holder : undefined;
    }
  } catch (error) {
    if (isBusy(error)) return { pid: 0, since: Date.now() };
    // Made by somebody who died before the table was.
    return undefined;
  } finally {
    await file.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
