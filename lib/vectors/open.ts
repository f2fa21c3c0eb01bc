import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { UserError } from '../errors.ts';
import { Database } from '../store/database.ts';
import type { Sql } from '../store/database.ts';

const INSTALL = 'npm install sqlite-vec@0.1.9';

/** Whoever reads files waits for the same four threads. */
const MOST_CONNECTIONS = 4;

/**
 * The dataset, to be read and searched by vectors: connections that cannot write, on which sqlite-vec is loaded from its
 * package and loading is off again. For the database that pipeline.yaml names, never another.
 */
export class Vectors {
  /** What all but the rough look goes by. */
  readonly database: Database;
  readonly #connect: () => Promise<Database>;
  readonly #width: number;
  #others: Promise<Database[]> | undefined;

  private constructor(database: Database, connect: () => Promise<Database>, width: number) {
    this.database = database;
    this.#connect = connect;
    this.#width = width;
  }

  /**
   * @param path real path, checked: see `pathToRead`
   * @param width connections that look at once
   * @throws UserError where sqlite-vec is not installed or has nothing for this system
   * @throws StoreError where the database cannot be opened
   */
  static async open(
    path: string,
    width = Math.min(MOST_CONNECTIONS, availableParallelism()),
  ): Promise<Vectors> {
    const extension = await extensionPath();
    const connect = (): Promise<Database> => Database.open(path, { readOnly: true, extension });
    return new Vectors(await connect(), connect, width);
  }

  get sql(): Sql {
    return this.database.read;
  }

  /**
   * Work on many rows, shared out: each connection has a thread of SQLite to itself, and takes the listings whose id
   * leaves `part` when divided by `of`.
   */
  async shared<T>(work: (sql: Sql, part: number, of: number) => Promise<T>): Promise<T[]> {
    this.#others ??= Promise.all(Array.from({ length: this.#width - 1 }, this.#connect));
    this.#others.catch(() => (this.#others = undefined));
    const all = [this.database, ...(await this.#others)];
    return Promise.all(all.map(({ read }, part) => work(read, part, all.length)));
  }

  async close(): Promise<void> {
    for (const one of [this.database, ...((await this.#others?.catch(() => undefined)) ?? [])])
      await one.close();
  }
}

async function extensionPath(): Promise<string> {
  try {
    const { getLoadablePath } = await import('sqlite-vec');
    const path = getLoadablePath();
    if (isAbsolute(path)) return path;
    throw new Error(`not an absolute path: ${path}`);
  } catch (cause) {
    throw new UserError(
      'Search by vectors needs the package sqlite-vec, which is not installed or not made for this system.',
      { exitCode: 1, cause, hint: `Install it beside sync-data: ${INSTALL}` },
    );
  }
}
