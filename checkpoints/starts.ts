import type { Database, Sql } from '../lib/store/database.ts';
import type { Ledger, Pace } from '../lib/store/ledger.ts';

export interface Ending {
  readonly outcome: 'finished' | 'stopped' | 'failed';
  /** Why it stopped or failed; null where it finished. */
  readonly reason: string | null;
  /** What it changed, kept as JSON; null where it could not be counted. */
  readonly counts: object | null;
}

/** A row of `starts`. Times are epoch milliseconds. */
export interface Start {
  readonly id: number;
  readonly run_id: number;
  readonly started_at: number;
  /** Null: under way, or it ended without a word. */
  readonly ended_at: number | null;
  readonly outcome: Ending['outcome'] | null;
  readonly reason: string | null;
  readonly requests: number | null;
  readonly faults: number | null;
  readonly worst_second: number | null;
  /** JSON, see lib/dataset/tally.ts. */
  readonly counts: string | null;
}

/** The history: one row a start of the program. A run that was resumed has several. */
export class Starts {
  readonly #database: Database;
  readonly #ledger: Ledger;

  constructor(database: Database, ledger: Ledger) {
    this.#database = database;
    this.#ledger = ledger;
  }

  /** @returns the row's id, for `end` */
  async begin(runId: number, now: number): Promise<number> {
    await this.#completeEarlier();
    return this.#database.write(async (tx) => {
      const row = await tx.get<{ id: number }>(
        'INSERT INTO starts (run_id, started_at) VALUES (?, ?) RETURNING id',
        [runId, now],
      );
      return row?.id ?? 0;
    });
  }

  /** @returns what `pace` does */
  async end(id: number, ending: Ending, now: number): Promise<Pace> {
    const { outcome, reason, counts } = ending;
    const own = await this.#paceOf(id);
    const { requests, faults, worstSecond } = own;
    await this.#database.write((tx) =>
      tx.run(
        `UPDATE starts SET ended_at = ?, outcome = ?, reason = ?, requests = ?, faults = ?, worst_second = ?, counts = ?
         WHERE id = ?`,
        [now, outcome, reason, requests, faults, worstSecond, counts && JSON.stringify(counts), id],
      ),
    );
    return this.#ofRun(id, own);
  }

  /** Requests of the start's whole run, also of what the ledger has let go of by now; the rate is that of the start. */
  async pace(id: number): Promise<Pace> {
    return this.#ofRun(id, await this.#paceOf(id));
  }

  async #ofRun(id: number, own: Pace): Promise<Pace> {
    const others = await this.#database.read.get<Record<'requests' | 'faults' | 'worst', number | null>>(
      `SELECT sum(requests) AS requests, sum(faults) AS faults, max(worst_second) AS worst FROM starts
       WHERE run_id = (SELECT run_id FROM starts WHERE id = ?) AND id < ?`,
      [id, id],
    );
    return {
      ...own,
      requests: own.requests + (others?.requests ?? 0),
      faults: own.faults + (others?.faults ?? 0),
      worstSecond: Math.max(own.worstSecond, others?.worst ?? 0),
    };
  }

  async #paceOf(id: number): Promise<Pace> {
    await this.#ledger.flush();
    const start = await this.#database.read.get<Start>('SELECT * FROM starts WHERE id = ?', [id]);
    return this.#ledger.pace(start?.run_id ?? 0, start?.started_at);
  }

  /** Whoever is killed cannot note its end: what the ledger still knows of it is filled in by the next start. */
  async #completeEarlier(): Promise<void> {
    const { read } = this.#database;
    const open = await read.all<Start & { next: number | null }>(
      `SELECT *, (SELECT min(started_at) FROM starts AS n WHERE n.id > s.id) AS next FROM starts AS s
       WHERE ended_at IS NULL AND requests IS NULL`,
    );
    for (const { id, run_id, started_at, next } of open) {
      const pace = await this.#ledger.pace(run_id, started_at, next ?? undefined);
      const last = pace.lastMs === undefined ? undefined : new Date(pace.lastMs).toISOString();
      const when = last === undefined ? '' : `; the last request was sent at ${last.slice(0, 19)}Z`;
      const reason = `ended unexpectedly (killed, power lost, or disk full)${when}`;
      await this.#database.write((tx) =>
        tx.run('UPDATE starts SET reason = ?, requests = ?, faults = ?, worst_second = ? WHERE id = ?', [
          reason,
          pace.requests,
          pace.faults,
          pace.worstSecond,
          id,
        ]),
      );
    }
  }
}

export function lastStart(sql: Sql): Promise<Start | undefined> {
  return sql.get<Start>('SELECT * FROM starts ORDER BY id DESC LIMIT 1');
}
