import type { Database, Sql, Tx } from '../store/database.ts';

/** Something odd of a run, in the words of its summary: what, and what became of it. */
export interface Oddity {
  readonly what: string;
  readonly became: string;
  /** How often; once where nothing is said. */
  readonly n?: number | undefined;
  readonly example?: string | undefined;
  /** Set where it is a field of Etsy's records that did not fit; ids left out of the endpoint. */
  readonly endpoint?: string | undefined;
  readonly field?: string | undefined;
}

/** An oddity as it is shown: all of a kind together. */
export interface OddityCount {
  readonly what: string;
  readonly became: string;
  readonly n: number;
  readonly endpoint: string | null;
  readonly field: string | null;
  /** The first that was met. */
  readonly example: string | null;
}

/** Characters of an example. */
const LONGEST = 200;

/** Counts them: the summary of the run, status and the report give each kind a line. */
export async function addOddities(tx: Tx, runId: number, oddities: readonly Oddity[]): Promise<void> {
  for (const { what, became, n = 1, endpoint = null, field = null, example } of oddities) {
    if (n === 0) continue;
    await tx.run(
      `INSERT INTO oddities (run_id, what, became, n, endpoint, field, example) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run_id, what, became) DO UPDATE SET
         n = n + excluded.n, example = coalesce(example, excluded.example)`,
      [runId, what, became, n, endpoint, field, example?.slice(0, LONGEST) ?? null],
    );
  }
}

/** How long a note waits for its write, at the least: each waits for the disk. Milliseconds. */
const REST_MS = 5000;

/**
 * Oddities that are met where no transaction is at hand: in the client, by the clock, while a lock is waited for. They
 * are gathered and written from time to time, and by `flush`.
 */
export class OddityNotes {
  readonly #database: Database;
  readonly #runId: () => number | undefined;
  #waiting = new Map<string, Oddity & { n: number }>();
  #writtenAt = -Infinity;
  #last: Promise<void> = Promise.resolve();

  /** @param runId undefined: no run is open yet, so they wait */
  constructor(database: Database, runId: () => number | undefined) {
    this.#database = database;
    this.#runId = runId;
  }

  readonly add = (oddity: Oddity): void => {
    this.#gather(oddity);
    const isDue = performance.now() - this.#writtenAt > REST_MS;
    // What cannot be written now is written with the next, or by `flush`, which says why it cannot.
    if (isDue) this.flush().catch(() => undefined);
  };

  #gather(oddity: Oddity): void {
    const kind = `${oddity.what}: ${oddity.became}`;
    const known = this.#waiting.get(kind);
    if (known) known.n += oddity.n ?? 1;
    else this.#waiting.set(kind, { ...oddity, n: oddity.n ?? 1 });
  }

  /** Afterwards all that was added before is written. @throws what keeps it from being written; then it waits on */
  flush(): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(() => this.#write());
    return this.#last;
  }

  async #write(): Promise<void> {
    const runId = this.#runId();
    if (runId === undefined || this.#waiting.size === 0) return;
    this.#writtenAt = performance.now();
    const oddities = [...this.#waiting.values()];
    this.#waiting = new Map();
    try {
      await this.#database.write((tx) => addOddities(tx, runId, oddities));
    } catch (error) {
      for (const oddity of oddities) this.#gather(oddity);
      throw error;
    }
  }
}

/** A field of Etsy's records that did not fit; see lib/etsy/fit.ts. */
interface FieldMisfit {
  readonly field: string;
  readonly example: string;
  readonly isRead: boolean;
}

/** Each field once, with how often and the first example. @param endpoint ids left out: "shops/{id}/reviews" */
export function misfitOddities(endpoint: string, misfits: readonly FieldMisfit[]): Oddity[] {
  const kinds = new Map<string, Oddity & { n: number }>();
  for (const { field, example, isRead } of misfits) {
    const what = `${endpoint}: ${field} was of another type`;
    const became = isRead ? 'read all the same' : 'left empty';
    const kind = kinds.get(what + became) ?? { what, became, n: 0, endpoint, field, example };
    kind.n += 1;
    kinds.set(what + became, kind);
  }
  return [...kinds.values()];
}

/** Of a run, the most frequent first. */
export function readOddities(sql: Sql, runId: number): Promise<OddityCount[]> {
  return sql.all<OddityCount>(
    `SELECT what, became, n, endpoint, field, example FROM oddities WHERE run_id = ? ORDER BY n DESC, what, became`,
    [runId],
  );
}

/** "listings/active: item_weight is no number: 60 times, for example "0.5": read all the same" */
export function oddityLine({ what, became, n, example }: OddityCount): string {
  const times = n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`;
  return `${what}: ${times}${example === null ? '' : `, for example ${example}`}: ${became}`;
}
