import { latest } from '../text/to-come.ts';
import type { Database } from './database.ts';
import { DAY_MS } from '../time.ts';

export interface Outcome {
  /** HTTP status; null: no answer came. */
  readonly status: number | null;
  readonly tookMs: number;
  readonly remainingToday: number | undefined;
}

export interface Pace {
  readonly requests: number;
  readonly faults: number;
  readonly worstSecond: number;
  readonly perSecond: number;
  /** Epoch ms of the last attempt; undefined: there was none. */
  readonly lastMs: number | undefined;
}

/** Kept longer than the sliding day that Etsy counts, so that a report of yesterday's run still adds up. */
const KEEP_MS = 2 * DAY_MS;
/** Attempts that the throttle may have to reckon with: more than it lets through in a second. */
const RECENT = 10;
/** Of the key that asks. */
const OF_KEY = '(key IS NULL OR :key IS NULL OR key = :key)';
/** A stamp still to come is of a clock that was wrong: when it was made is not known. */
const UNTIL = 'at_ms <= :until';

function latestMs(nowMs: number): number {
  return latest(nowMs / 1000) * 1000;
}

/**
 * Every API attempt, stamped before it is sent: throttle and quota go on from it after any kind of end. A quota is the
 * key's: what another key was used for does not count for it. Attempts of which the key is not known count for every key.
 */
export class Ledger {
  readonly #database: Database;
  readonly #key: string | undefined;
  readonly #settled: [number, Outcome][] = [];
  runId: number | undefined;

  /** @param key the fingerprint of the key in use; left out: all attempts count, whichever key they were made with */
  constructor(database: Database, key?: string) {
    this.#database = database;
    this.#key = key;
  }

  /** For those who only read: as the key sees it that was used last. */
  static async ofLastKey(database: Database): Promise<Ledger> {
    const row = await database.read.get<{ key: string | null }>(
      'SELECT key FROM ledger ORDER BY id DESC LIMIT 1',
    );
    return new Ledger(database, row?.key ?? undefined);
  }

  /** @returns the attempt's id, for `settle`. Outcomes known by now are written along. */
  async stamp(endpoint: string, atMs: number): Promise<number> {
    await this.flush();
    const row = await this.#database.writeRelaxed<{ id: number }>(
      'INSERT INTO ledger (at_ms, run_id, endpoint, key) VALUES (?, ?, ?, ?) RETURNING id',
      [atMs, this.runId ?? null, endpoint, this.#key ?? null],
    );
    return row?.id ?? 0;
  }

  settle(id: number, outcome: Outcome): void {
    this.#settled.push([id, outcome]);
  }

  async flush(): Promise<void> {
    const settled = this.#settled.splice(0);
    if (settled.length === 0) return;
    const rows = settled.map(([id, o]) => [id, o.status, Math.round(o.tookMs), o.remainingToday ?? null]);
    try {
      await this.#database.writeRelaxed(
        `UPDATE ledger SET status = s.value ->> 1, took_ms = s.value ->> 2, remaining_today = s.value ->> 3
         FROM jsonb_each(?) AS s WHERE ledger.id = s.value ->> 0`,
        [JSON.stringify(rows)],
      );
    } catch (error) {
      this.#settled.unshift(...settled);
      throw error;
    }
  }

  async prune(nowMs: number): Promise<void> {
    await this.#database.write((tx) => tx.run('DELETE FROM ledger WHERE at_ms < ?', [nowMs - KEEP_MS]));
  }

  /** Epoch ms of the newest attempts not older than `ms`, of all keys, oldest first. */
  async recent(nowMs: number, ms: number): Promise<number[]> {
    // The newest by id, not by time: stamps of a clock that was wrong for a while would stand in for them for as long.
    const rows = await this.#database.read.all<{ at_ms: number }>(
      `SELECT at_ms FROM (SELECT at_ms FROM ledger ORDER BY id DESC LIMIT ${RECENT}) WHERE at_ms > ?`,
      [nowMs - ms],
    );
    // One ahead of us may have been made this very moment, before the clock was set back.
    return rows.map((row) => Math.min(row.at_ms, nowMs)).toSorted((a, b) => a - b);
  }

  /** Attempts of the last 24 hours and the oldest of them: when the sliding day lets go of it, a call comes back. */
  async day(nowMs: number): Promise<{ used: number; oldestMs: number | undefined }> {
    const row = await this.#database.read.get<{ used: number; oldest: number | null }>(
      `SELECT count(*) AS used, min(at_ms) AS oldest FROM ledger
       WHERE at_ms > :since AND ${UNTIL} AND ${OF_KEY}`,
      { ':since': nowMs - DAY_MS, ':until': latestMs(nowMs), ':key': this.#key ?? null },
    );
    return { used: row?.used ?? 0, oldestMs: row?.oldest ?? undefined };
  }

  /** Attempts since then (epoch ms). */
  async countSince(ms: number, nowMs: number): Promise<number> {
    const row = await this.#database.read.get<{ n: number }>(
      `SELECT count(*) AS n FROM ledger WHERE at_ms > :since AND ${UNTIL} AND ${OF_KEY}`,
      { ':since': ms, ':until': latestMs(nowMs), ':key': this.#key ?? null },
    );
    return row?.n ?? 0;
  }

  /** What Etsy last said is left today, and when (epoch ms); undefined where it has not spoken in the last 24 hours. */
  async remaining(nowMs: number): Promise<{ calls: number; atMs: number } | undefined> {
    // By id, not by time: the clock may have been set back in between.
    const row = await this.#database.read.get<{ calls: number; atMs: number }>(
      `SELECT remaining_today AS calls, at_ms AS atMs FROM ledger INDEXED BY ledger_remaining
       WHERE remaining_today IS NOT NULL AND at_ms > :since AND ${UNTIL} AND ${OF_KEY} ORDER BY id DESC LIMIT 1`,
      { ':since': nowMs - DAY_MS, ':until': latestMs(nowMs), ':key': this.#key ?? null },
    );
    return row && { ...row, atMs: Math.min(row.atMs, nowMs) };
  }

  /**
   * Of one run, or of a part of it (epoch ms, the end exclusive): attempts, those of them without an answer or answered
   * 429 or 5xx, the most in any window of one second, and the mean per second from first to last.
   */
  async pace(runId: number, fromMs = 0, untilMs: number = Number.MAX_SAFE_INTEGER): Promise<Pace> {
    const row = await this.#database.read.get<{
      requests: number;
      faults: number | null;
      worst: number | null;
      first: number | null;
      last: number | null;
    }>(
      `SELECT count(*) AS requests, sum(fault) AS faults, max(in_second) AS worst, min(at_ms) AS first, max(at_ms) AS last
       FROM (
         SELECT at_ms, status IS NULL OR status = 429 OR status >= 500 AS fault,
           count(*) OVER (ORDER BY at_ms RANGE BETWEEN 999 PRECEDING AND CURRENT ROW) AS in_second
         FROM ledger WHERE run_id = ? AND at_ms >= ? AND at_ms < ?)`,
      [runId, fromMs, untilMs],
    );
    const requests = row?.requests ?? 0;
    const span = (row?.last ?? 0) - (row?.first ?? 0);
    return {
      requests,
      faults: row?.faults ?? 0,
      worstSecond: row?.worst ?? 0,
      perSecond: span > 0 ? ((requests - 1) * 1000) / span : 0,
      lastMs: row?.last ?? undefined,
    };
  }
}
