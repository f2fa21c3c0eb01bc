import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, readlink, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { Database, Others } from './database.ts';

// Which file a database is. SQLite knows it by its name alone; people move, copy, link and put back files.
//
// Every start writes a mark of its own into the header of the database (application_id, 4 bytes at 68), and the lock file
// remembers it. So a -wal can be told from one of another moment: SQLite would apply that to the file, and ruin it.

const MAGIC = 'SQLite format 3\0';
const MARK_AT = 68;

/** What `hold` needs of the lock. */
export interface Lock {
  readonly marks: Marks;
  /** The file has the next mark now. */
  remember(): Promise<void>;
}

/** Marks that a database may have to which the -wal beside it belongs. */
export interface Marks {
  /** Of the start before; null: nobody remembers one. */
  readonly current: number | null;
  /** Of the next start. */
  readonly next: number;
}

/**
 * The path under which there is one lock and one -wal, whichever link leads to the file.
 *
 * @param home a folder in it is made where there is none; elsewhere it may be on a disk that is not connected
 * @throws UserError where there is no such folder
 */
export async function realDatabase(path: string, home: string): Promise<string> {
  const file = await targetOf(path);
  const folder = dirname(file);
  if (relative(home, folder).startsWith('..') && !(await stat(folder).catch(() => undefined))) {
    throw new UserError(`The folder ${folder} does not exist.`, {
      exitCode: 2,
      hint: 'If it is on a disk that is not connected, connect it. If it is to be a new one, create it, then start sync-data again.',
    });
  }
  await mkdir(folder, { recursive: true, mode: 0o755 });
  return inRealFolder(file);
}

/** The same for those who only read a database that is there: nothing is made. */
export async function realDatabaseThere(path: string): Promise<string> {
  return inRealFolder(await targetOf(path));
}

async function inRealFolder(file: string): Promise<string> {
  return join(await realpath(dirname(file)), basename(file));
}

/** Follows symbolic links, also to a file that is not there yet. */
async function targetOf(path: string): Promise<string> {
  for (let [at, links] = [path, 0]; ; links += 1) {
    const info = await lstat(at).catch(() => undefined);
    if (!info?.isSymbolicLink() || links > 40) return at;
    at = resolve(dirname(at), await readlink(at));
  }
}

/**
 * Looks at the files before anything opens them. Nothing is written.
 *
 * @param exitCode of the errors
 * @returns whether it is certain that a -wal belongs to the database; where nobody remembers, reading all of it can tell
 * @throws UserError for a -wal of another moment, and for a database with a second name: a lock of its own, and a -wal
 */
export async function checkDatabaseFile(
  path: string,
  { current, next }: Marks,
  exitCode: 1 | 2 = 1,
): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile() && info.size > 0 && info.nlink > 1) {
    throw new UserError(`${path} has ${info.nlink} names (hard links).`, {
      exitCode,
      hint: `Under each name SQLite would keep changes of its own, and damage the file. Make it a file of its own: cp -p ${path} ${path}.new && mv ${path}.new ${path}`,
    });
  }
  const wal = await stat(`${path}-wal`).catch(() => undefined);
  if (!wal || wal.size === 0) return true;
  const mark = info && info.size > 0 ? readMark(path) : null;
  if (mark === undefined || mark === next || mark === current) return true;
  if (mark !== null && current === null) return false;
  const name = basename(path);
  throw new UserError(
    mark === null
      ? `There is no ${path}, but a ${name}-wal with changes for one.`
      : `${name}-wal does not belong to ${path}: it has changes for another copy of the file.`,
    {
      exitCode,
      hint: `Nothing was changed. Either put back the ${name} that was there when sync-data last ran, or move ${name}-wal and ${name}-shm to another folder; then start sync-data again.`,
    },
  );
}

/** @returns undefined where the file is not SQLite's */
function readMark(path: string): number | undefined {
  // Only while nothing in this process has the file open: closing it would drop SQLite's locks.
  const file = openSync(path, constants.O_RDONLY);
  try {
    return markIn(file);
  } finally {
    closeSync(file);
  }
}

function markIn(file: number): number | undefined {
  const header = Buffer.alloc(MARK_AT + 4);
  const length = readSync(file, header, 0, header.length, 0);
  const isSqlite = length === header.length && header.toString('latin1', 0, MAGIC.length) === MAGIC;
  return isSqlite ? header.readInt32BE(MARK_AT) : undefined;
}

/** What became of the file under the hands of a run. */
type Loss = 'taken away' | 'replaced' | 'overwritten' | 'without -wal';

const SAID: Readonly<Record<Loss, string>> = {
  'taken away': 'was moved or deleted',
  replaced: 'was replaced by another file',
  overwritten: 'was overwritten',
  'without -wal': 'was moved or deleted',
};
const NEXT: Readonly<Record<Loss, string>> = {
  'taken away':
    'Put it back, or name its new place in pipeline.yaml under data: database, then start sync-data again.',
  replaced: 'The new file was left unchanged. To continue with it, start sync-data again.',
  overwritten: 'To continue with the file that is there now, start sync-data again.',
  'without -wal':
    'All that was written by then is in the database. Leave both files alone and start sync-data again.',
};

/** The file that a run has open, and whether it is still the one that its name leads to. */
export class HeldDatabase {
  readonly #database: Database;
  readonly #path: string;
  readonly #file: number;
  readonly #own: BigIntStats;
  readonly #wal: bigint | undefined;
  readonly #marks: ReadonlySet<number | undefined>;
  /** Bytes: it only grows, but where others have written by way of SQLite. */
  #largest = 0n;
  #loss: Loss | undefined;
  /** What is in the file now came there by way of SQLite: the -wal belongs to it. */
  #isRestored = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    database: Database,
    path: string,
    file: number,
    marks: ReadonlySet<number | undefined>,
  ) {
    this.#database = database;
    this.#path = path;
    this.#file = file;
    this.#own = fstatSync(file, { bigint: true });
    this.#wal = statOf(`${path}-wal`)?.ino;
    this.#marks = marks;
    database.guard = () => this.check();
    database.guardWithin = (others) => this.#checkContent(others);
  }

  /**
   * Gives the file the mark of this start, and has it remembered once it is on disk: until then the file of before may
   * be the one that is found.
   */
  static async hold(database: Database, path: string, lock: Lock): Promise<HeldDatabase> {
    const { next } = lock.marks;
    // Open until the end: closed earlier, it would drop SQLite's locks.
    const file = openSync(path, constants.O_RDONLY);
    const before = markIn(file);
    await database.mark(next);
    const isMarked = markIn(file) === next;
    if (isMarked) await lock.remember();
    await database.others();
    return new HeldDatabase(database, path, file, new Set(isMarked ? [next] : [before, next]));
  }

  /** Looks from time to time, also while nothing is written. @param lost called once */
  watch(everyMs: number, lost: (loss: UserError) => void): void {
    this.#timer = setInterval(() => {
      try {
        this.check();
      } catch (error) {
        clearInterval(this.#timer);
        if (error instanceof UserError) lost(error);
      }
    }, everyMs).unref();
  }

  /** @throws UserError where the name leads to another file, or to none, or something else is in the file */
  check(): void {
    this.#loss ??= this.#look();
    if (this.#loss === undefined) return;
    const file = this.#loss === 'without -wal' ? `${this.#path}-wal` : this.#path;
    throw new UserError(`${file} ${SAID[this.#loss]} while sync-data was using it.`, {
      exitCode: 1,
      hint: NEXT[this.#loss],
    });
  }

  /** A copy of this very start has its mark; it shows by having fewer pages. @throws UserError */
  #checkContent({ haveWritten, mark }: Others): void {
    const { size } = fstatSync(this.#file, { bigint: true });
    const isOther = mark !== undefined && !this.#marks.has(mark);
    if (isOther || (size < this.#largest && !haveWritten)) {
      this.#loss ??= 'overwritten';
      this.#isRestored = isOther;
    }
    this.#largest = size;
    this.check();
  }

  #look(): Loss | undefined {
    const now = statOf(this.#path);
    if (now === undefined) return 'taken away';
    if (now.ino !== this.#own.ino || now.dev !== this.#own.dev) return 'replaced';
    if (!this.#marks.has(markIn(this.#file))) return 'overwritten';
    return this.#wal === statOf(`${this.#path}-wal`)?.ino ? undefined : 'without -wal';
  }

  /**
   * Closes the database. A file that was moved gets all that belongs to it, and so does one whose content was exchanged
   * by way of SQLite; one that was overwritten is not touched, and stays open until the process ends: SQLite would write
   * to it at its close.
   */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    try {
      this.check();
    } catch {
      // Whoever works with it has been told; here it is closed, however it is.
    }
    this.#database.guard = undefined;
    const hasOwnWal = this.#loss === 'overwritten' && (await this.#cameThroughSqlite());
    if (this.#loss === 'overwritten' && !hasOwnWal) return this.#dropWal();
    if (this.#loss !== undefined) await this.#database.checkpoint().catch(() => undefined);
    await this.#database.close();
    closeSync(this.#file);
    if (this.#loss !== undefined && !hasOwnWal) await this.#dropWal();
  }

  /** As a backup is put back with sqlite3's .restore. */
  async #cameThroughSqlite(): Promise<boolean> {
    if (this.#isRestored) return true;
    const { haveWritten } = await this.#database.others().catch(() => ({ haveWritten: false }));
    return haveWritten;
  }

  /** Beside another file it would be applied to that one. */
  async #dropWal(): Promise<void> {
    const wal = `${this.#path}-wal`;
    if (this.#wal === undefined || statOf(wal)?.ino !== this.#wal) return;
    for (const path of [wal, `${this.#path}-shm`]) await rm(path, { force: true }).catch(() => undefined);
  }
}

function statOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}
