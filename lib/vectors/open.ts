import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { UserError } from '../errors.ts';
import { Database } from '../store/database.ts';
import type { Sql } from '../store/database.ts';

const INSTALL = 'npm install sqlite-vec@0.1.9';

/** Whoever reads files waits for the same four threads. */
const MOST_CONNECTIONS = 4;
/** A smaller space is looked through in a few milliseconds. */
const WORTH_PARTS = 50_000;
/** What a run adds makes the parts unequal. Milliseconds. */
const PARTS_STAND_MS = 600_000;

export interface VectorsOptions {
  /** Connections that look at once. */
  readonly width?: number;
  /** Vectors of a space that is worth parts. */
  readonly worth?: number;
}

/** A space in parts: each begins at one of these listing ids, and ends before the next. */
interface Parts {
  readonly bounds: readonly number[];
  /** When they were made, by performance.now(). */
  readonly at: number;
}

const WHOLE: Parts = { bounds: [0], at: -Infinity };

/**
 * The dataset, to be read and searched by vectors: connections that cannot write, on which sqlite-vec is loaded from its
 * package and loading is off again. For the database that pipeline.yaml names, never another.
 */
export class Vectors {
  /** What all but the rough look goes by. */
  readonly database: Database;
  readonly #connect: () => Promise<Database>;
  readonly #width: number;
  readonly #worth: number;
  readonly #others: Database[] = [];
  readonly #parts = new Map<number, Parts>();
  #cutting: Promise<void> | undefined;

  private constructor(database: Database, connect: () => Promise<Database>, options: VectorsOptions) {
    this.database = database;
    this.#connect = connect;
    this.#width = options.width ?? Math.min(MOST_CONNECTIONS, availableParallelism());
    this.#worth = options.worth ?? WORTH_PARTS;
  }

  /**
   * @param path real path, checked: see `pathToRead`
   * @throws UserError where sqlite-vec is not installed or has nothing for this system
   * @throws StoreError where the database cannot be opened
   */
  static async open(path: string, options: VectorsOptions = {}): Promise<Vectors> {
    const extension = await extensionPath();
    const connect = (): Promise<Database> => Database.open(path, { readOnly: true, extension });
    return new Vectors(await connect(), connect, options);
  }

  get sql(): Sql {
    return this.database.read;
  }

  /**
   * Has all of a space looked through. Who asks again and again, as the page does, gets it in parts of the same size: a
   * connection looks through each, in a thread of its own.
   *
   * @param look at listing ids from `from` up to, but not including, `to`
   */
  eachPart<T>(space: number, look: (sql: Sql, from: number, to: number) => Promise<T>): Promise<T[]> {
    const known = this.#parts.get(space);
    if (!known) this.#parts.set(space, WHOLE);
    else if (performance.now() - known.at > PARTS_STAND_MS)
      // Where that fails, one connection goes on looking through it all.
      this.#cutting ??= this.#cut(space)
        .catch(() => undefined)
        .finally(() => (this.#cutting = undefined));
    const { bounds } = known ?? WHOLE;
    return Promise.all(
      bounds.map((from, part) =>
        look(
          (this.#others[part - 1] ?? this.database).read,
          from,
          bounds[part + 1] ?? Number.MAX_SAFE_INTEGER,
        ),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#cutting;
    for (const one of [...this.#others, this.database]) await one.close();
  }

  async #cut(space: number): Promise<void> {
    const row = await this.sql.get<{ n: number }>(
      'SELECT count(*) AS n FROM embedding_codes WHERE space = ?',
      [space],
    );
    const count = row?.n ?? 0;
    const width = count < this.#worth ? 1 : this.#width;
    while (this.#others.length < width - 1) this.#others.push(await this.#connect());
    const sql = (this.#others.at(-1) ?? this.database).read;
    const bounds = [0];
    for (let part = 1; part < width; part += 1) {
      const first = await sql.get<{ id: number }>(
        `SELECT listing_id AS id FROM embedding_codes WHERE space = ? AND listing_id >= ?
         ORDER BY listing_id LIMIT 1 OFFSET ?`,
        [space, bounds.at(-1) ?? 0, Math.floor(count / width)],
      );
      if (first) bounds.push(first.id);
    }
    this.#parts.set(space, { bounds, at: performance.now() });
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
