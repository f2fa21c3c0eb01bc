import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { open } from 'sqlite';
import type { Database as Connection, Statement } from 'sqlite';
// The one place that names the driver; everything else speaks Sql.
import sqlite3 from 'sqlite3';
import { UserError } from '../errors.ts';
import { unlocked } from './lock-patience.ts';
import type { LockPatience } from './lock-patience.ts';
import { asStoreError } from './store-error.ts';

export type Value = string | number | null | Uint8Array;
export type Params = readonly Value[] | Readonly<Record<`:${string}`, Value>>;

/** Reads. A BLOB comes back as a Buffer. */
export interface Sql {
  get<Row>(sql: string, params?: Params): Promise<Row | undefined>;
  all<Row>(sql: string, params?: Params): Promise<Row[]>;
}

/**
 * Reads and writes inside the one write transaction. Never kept beyond the function it was given to.
 *
 * Numbers above 2^31 are bound as REAL by the driver: columns with INTEGER affinity turn them back, an expression does
 * not, so wide numbers go in as JSON (`json_each(?)`).
 */
export interface Tx extends Sql {
  /** What gives no rows: of a statement that does, only the first step would be taken. */
  run(sql: string, params?: Params): Promise<{ changes: number }>;
}

/** For what makes tables. */
export interface ScriptTx extends Tx {
  /** Several statements, ended by semicolons, without parameters. */
  script(sql: string): Promise<void>;
}

/** Set while code runs inside `write`, in whatever that code calls and waits for. */
const insideWrite = new AsyncLocalStorage<true>();

/**
 * For what must not happen inside `write`: it would hold up every other write, and a request would wait for a note in
 * the ledger, which waits for the end of that same write.
 *
 * @param what the call that was made: "services.api"
 * @throws UserError
 */
export function refuseInsideWrite(what: string): void {
  if (!insideWrite.getStore()) return;
  throw new UserError(
    `${what} was called inside write, where it would wait for the end of that same write.`,
    {
      exitCode: 1,
      hint: 'A write only writes: in run, ask first, then yield { write } with the answer.',
    },
  );
}

/** SQLITE_OPEN_NOFOLLOW, which the driver hands on without naming it. */
const OPEN_NOFOLLOW = 0x0100_0000;

/** Speaks to one connection. A statement is prepared when it is first met, and kept: there are about a hundred. */
class DriverSql implements ScriptTx {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #statements = new Map<string, Promise<Statement>>();

  constructor(connection: Connection, path: string) {
    this.#connection = connection;
    this.#path = path;
  }

  async run(sql: string, params: Params = []): Promise<{ changes: number }> {
    const result = await this.#with(sql, (statement) => statement.run(params));
    return { changes: result.changes ?? 0 };
  }

  async script(sql: string): Promise<void> {
    try {
      await this.#connection.exec(sql);
    } catch (error) {
      throw asStoreError(this.#path, error);
    }
  }

  async get<Row>(sql: string, params: Params = []): Promise<Row | undefined> {
    // The driver's own `get` would leave the statement standing at its first row, and with it a lock.
    const [row] = await this.all<Row>(sql, params);
    return row;
  }

  all<Row>(sql: string, params: Params = []): Promise<Row[]> {
    return this.#with(sql, (statement) => statement.all<Row[]>(params));
  }

  async close(): Promise<void> {
    for (const statement of this.#statements.values()) await (await statement).finalize();
    await this.#connection.close();
  }

  async #with<T>(sql: string, work: (statement: Statement) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#prepared(sql));
    } catch (error) {
      throw asStoreError(this.#path, error);
    }
  }

  #prepared(sql: string): Promise<Statement> {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    statement.catch(() => this.#statements.delete(sql));
    return statement;
  }
}

/** How long SQLite itself waits for a lock; nothing can call it back meanwhile, so less where we wait. Milliseconds. */
const BUSY_MS = 10_000;
const PATIENT_BUSY_MS = 150;

export interface OpenOptions {
  /** Fail when the file is not there, and never write to it. */
  readonly readOnly?: boolean;
  readonly busyTimeoutMs?: number;
  /** While it is opened. */
  readonly lockPatience?: LockPatience;
  /** Absolute path of an SQLite extension, for `readOnly` alone. Once it is loaded, nothing else can be. */
  readonly extension?: string;
}

export interface LockFile extends Tx {
  /**
   * Stands at the first row that a SELECT gives, and so keeps SQLite's SHARED lock, also where a transaction ends.
   * @returns what leaves the row
   */
  standAt(sql: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** What other programs have done by way of SQLite: a browser of databases, a backup that is put back. */
export interface Others {
  readonly haveWritten: boolean;
  /** application_id after that; undefined: they have not written. */
  readonly mark: number | undefined;
}

/**
 * One SQLite file: one connection that writes, one that reads what is committed.
 * WAL lets other programs read while a run writes; synchronous=FULL makes a commit survive a power cut.
 */
export class Database {
  readonly path: string;
  /** Committed rows only: a write transaction under way is not seen here. */
  readonly read: Sql;
  /** Undefined: no longer than SQLite itself waits. */
  lockPatience: LockPatience | undefined;
  readonly #writer: DriverSql;
  readonly #reader: DriverSql;
  readonly #turn = pLimit(1);
  /** Called before each write; what it throws, the write throws. */
  guard: (() => void) | undefined;
  /** Called within each transaction, before its work: what it throws ends it. */
  guardWithin: ((others: Others) => void) | undefined;
  /** Changes when another connection commits. */
  #dataVersion: number | undefined;
  #mode: 'FULL' | 'NORMAL' = 'FULL';

  private constructor(path: string, writer: Connection, reader: Connection) {
    this.path = path;
    this.#writer = new DriverSql(writer, path);
    this.#reader = writer === reader ? this.#writer : new DriverSql(reader, path);
    // No more than reading, also for whoever asks for more.
    this.read = {
      get: (sql, params) => this.#reader.get(sql, params),
      all: (sql, params) => this.#reader.all(sql, params),
    };
  }

  /** @throws StoreError when the file cannot be opened, is damaged or no database. */
  static async open(path: string, options: OpenOptions = {}): Promise<Database> {
    const mode = options.readOnly ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE;
    const busyMs = options.busyTimeoutMs ?? BUSY_MS;
    const connect = async (pragmas: string): Promise<Connection> => {
      const connection = await open({ filename: path, mode, driver: sqlite3.Database });
      connection.configure('busyTimeout', options.lockPatience ? PATIENT_BUSY_MS : busyMs);
      await unlocked(path, options.lockPatience, () => connection.exec(pragmas));
      return connection;
    };
    try {
      if (options.readOnly) {
        const only = await connect('PRAGMA query_only = ON');
        // The driver allows loading for this one call, and not from SQL.
        if (options.extension !== undefined) {
          await only.exec('PRAGMA trusted_schema = OFF');
          await only.loadExtension(options.extension);
        }
        return new Database(path, only, only);
      }
      const writer = await connect(
        'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY',
      );
      // What it sorts may go to a temporary file once it is larger than the cache: there may be a million rows.
      const reader = await connect('PRAGMA query_only = ON; PRAGMA cache_size = -8000');
      // Nobody waits for it but SQLite.
      reader.configure('busyTimeout', busyMs);
      return new Database(path, writer, reader);
    } catch (error) {
      throw asStoreError(path, error);
    }
  }

  /**
   * Reads the whole file on a connection of its own, which cannot write, and looks whether every page is what it should
   * be. Takes as long as reading the file does; others may read and write meanwhile.
   *
   * @throws StoreError with code SQLITE_CORRUPT, or what opening the file throws
   */
  static async inspect(path: string, signal: AbortSignal): Promise<void> {
    if (!existsSync(path) || signal.aborted) return;
    try {
      const connection = await open({
        filename: path,
        mode: sqlite3.OPEN_READONLY,
        driver: sqlite3.Database,
      });
      const interrupt = (): void => connection.getDatabaseInstance().interrupt();
      signal.addEventListener('abort', interrupt);
      try {
        connection.configure('busyTimeout', PATIENT_BUSY_MS);
        const patience = { giveUpAfterMs: Infinity, signal, hold: () => () => undefined };
        const rows = await unlocked(path, patience, () =>
          connection.all<Record<string, string>[]>('PRAGMA quick_check(3)'),
        );
        const damage = rows.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok');
        if (damage.length === 0) return;
        const text = damage.join('; ').replaceAll(/\s+/g, ' ');
        throw Object.assign(new Error(`the file is damaged: ${text}`), { code: 'SQLITE_CORRUPT' });
      } finally {
        signal.removeEventListener('abort', interrupt);
        await connection.close();
      }
    } catch (error) {
      if (!signal.aborted) throw asStoreError(path, error);
    }
  }

  /** A bare connection in rollback-journal mode that does not wait for locks: what a lock file needs. */
  static async openRollback(path: string): Promise<LockFile> {
    try {
      // Of the folder links may be followed, of the file none: another database would become the lock.
      const filename = join(realpathSync(dirname(path)), basename(path));
      const mode = sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE | OPEN_NOFOLLOW;
      const connection = await open({ filename, mode, driver: sqlite3.Database });
      // While SQLite waits it keeps what it has of the lock, and so stands in the way of whom it waits for.
      connection.configure('busyTimeout', 0);
      const sql = new DriverSql(connection, path);
      return {
        run: (text, params) => sql.run(text, params),
        get: (text, params) => sql.get(text, params),
        all: (text, params) => sql.all(text, params),
        standAt: async (text) => {
          const statement = await connection.prepare(text);
          await statement.get();
          return () => statement.finalize();
        },
        close: () => sql.close(),
      };
    } catch (error) {
      throw asStoreError(path, error);
    }
  }

  /** From now on `read` sees this moment, whatever is written: for a connection that is closed soon. */
  async snapshot(): Promise<void> {
    await this.#reader.run('BEGIN');
  }

  /**
   * Makes temporary tables, which this connection alone sees and which go with it: for one that was opened `readOnly`,
   * whose file stays as it is.
   */
  async scratch(script: string): Promise<void> {
    await this.#reader.script('PRAGMA query_only = OFF');
    try {
      await this.#reader.script(script);
    } finally {
      await this.#reader.script('PRAGMA query_only = ON');
    }
  }

  /** Gives the memory of the caches back: 24 MB; they fill again where they are needed. */
  async shrink(): Promise<void> {
    await this.#turn(() => this.#writer.script('PRAGMA shrink_memory'));
    await this.#reader.script('PRAGMA shrink_memory');
  }

  /** Runs `work` in one transaction, alone. Commits when it resolves, rolls back when it throws. */
  async write<T>(work: (tx: ScriptTx) => Promise<T>): Promise<T> {
    refuseInsideWrite('write');
    return this.#turn(async () => {
      this.guard?.();
      return this.#transaction(work);
    });
  }

  /**
   * One statement, a transaction by itself, that does not wait for the disk: it survives any end of the process, not a
   * power cut a moment later.
   */
  async writeRelaxed<Row>(sql: string, params: Params): Promise<Row | undefined> {
    refuseInsideWrite('writeRelaxed');
    return this.#turn(async () => {
      this.guard?.();
      if (this.#mode !== 'NORMAL') await this.#writer.run('PRAGMA synchronous = NORMAL');
      this.#mode = 'NORMAL';
      return this.#unlocked(() => this.#writer.get<Row>(sql, params));
    });
  }

  /** A backup or a database browser may hold the file for minutes: that is no reason to end a run of days. */
  #unlocked<T>(work: () => Promise<T>): Promise<T> {
    return unlocked(this.path, this.lockPatience, work);
  }

  /** The mode is for what follows; to set it costs a turn of its own, so it is set along. */
  async #begin(): Promise<void> {
    if (this.#mode === 'FULL') await this.#writer.run('BEGIN IMMEDIATE');
    else await this.#writer.script('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    this.#mode = 'FULL';
  }

  async #transaction<T>(work: (tx: ScriptTx) => Promise<T>): Promise<T> {
    await this.#unlocked(() => this.#begin());
    try {
      if (this.guardWithin) this.guardWithin(await this.#others());
      const result = await insideWrite.run(true, () => work(this.#writer));
      await this.#writer.run('COMMIT');
      return result;
    } catch (error) {
      // SQLite has already rolled back by itself after some errors (a full disk); the first error is the one to tell.
      await this.#writer.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** What others have done to the content since this was last asked, or a transaction has begun. */
  async others(): Promise<Others> {
    return this.#turn(() => this.#others());
  }

  async #others(): Promise<Others> {
    const before = this.#dataVersion;
    const row = await this.#writer.get<{ data_version: number }>('PRAGMA data_version');
    this.#dataVersion = row?.data_version;
    if (before === this.#dataVersion) return { haveWritten: false, mark: undefined };
    const now = await this.#writer.get<{ application_id: number }>('PRAGMA application_id');
    return { haveWritten: before !== undefined, mark: now?.application_id };
  }

  /** Writes application_id into the header, and the header into the file itself. */
  async mark(id: number): Promise<void> {
    await this.write((tx) => tx.run(`PRAGMA application_id = ${id}`));
    await this.#turn(() => this.#writer.all('PRAGMA wal_checkpoint(PASSIVE)'));
  }

  /** Brings all that is in the -wal into the file, and empties it. */
  async checkpoint(): Promise<void> {
    await this.#turn(() => this.#writer.all('PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  async close(): Promise<void> {
    await this.#turn(() => undefined);
    await this.#reader.close();
    if (this.#writer !== this.#reader) await this.#writer.close();
  }
}
