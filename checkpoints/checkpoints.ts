import type { Progress } from '../lib/task/task.ts';
import type { Database, Tx } from '../lib/store/database.ts';

export interface Run {
  readonly id: number;
  /** True when it resumes from the checkpoints of an earlier process. */
  readonly resumed: boolean;
  /** Set when the run is of one stage alone. */
  readonly onlyStage: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

export interface UnitCheckpoint {
  readonly finished: boolean;
  /** The task's own; undefined before its first step. */
  readonly cursor: unknown;
  readonly progress: Progress | undefined;
  /** Items that it left to the next run; undefined: none. */
  readonly left?: number | undefined;
}

interface RunRow {
  readonly id: number;
  readonly only_stage: string | null;
  readonly started_at: number;
}

/** Runs and the cursors of their units, in the same database as the data: one transaction holds both. */
export class Checkpoints {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The newest run that is not finished, of all stages or of the one named. */
  async unfinished(onlyStage?: string): Promise<Run | undefined> {
    const row = await this.#database.read.get<RunRow>(
      `SELECT id, only_stage, started_at FROM runs WHERE finished_at IS NULL AND only_stage IS ? ORDER BY id DESC LIMIT 1`,
      [onlyStage ?? null],
    );
    return (
      row && { id: row.id, resumed: true, onlyStage: row.only_stage ?? undefined, startedAt: row.started_at }
    );
  }

  /** A new run. Unfinished runs of one stage are closed: this one covers, or repeats, what they had left. */
  begin(now: number, onlyStage?: string): Promise<Run> {
    return this.#database.write(async (tx) => {
      await tx.run('UPDATE runs SET finished_at = ? WHERE finished_at IS NULL AND only_stage IS NOT NULL', [
        now,
      ]);
      const row = await tx.get<{ id: number }>(
        'INSERT INTO runs (only_stage, started_at) VALUES (?, ?) RETURNING id',
        [onlyStage ?? null, now],
      );
      return { id: row?.id ?? 0, resumed: false, onlyStage, startedAt: now };
    });
  }

  finish(run: Run, now: number): Promise<void> {
    return this.#database.write(async (tx) => {
      await tx.run('UPDATE runs SET finished_at = ? WHERE id = ?', [now, run.id]);
    });
  }

  /** By unit id. */
  async units(run: Run, stage: string): Promise<Map<string, UnitCheckpoint>> {
    const rows = await this.#database.read.all<{
      unit: string;
      finished_at: number | null;
      cursor: string | null;
      progress: string | null;
      left: number | null;
    }>('SELECT unit, finished_at, cursor, progress, left FROM units WHERE run_id = ? AND stage = ?', [
      run.id,
      stage,
    ]);
    return new Map(
      rows.map((row) => [
        row.unit,
        {
          finished: row.finished_at !== null,
          cursor: row.cursor === null ? undefined : (JSON.parse(row.cursor) as unknown),
          progress: row.progress === null ? undefined : (JSON.parse(row.progress) as Progress),
          left: row.left ?? undefined,
        },
      ]),
    );
  }

  /** Part of a step's transaction. A cursor or progress left out keeps the last one. */
  async save(
    tx: Tx,
    run: Run,
    stage: string,
    unit: string,
    step: { cursor?: unknown; progress?: unknown },
  ): Promise<void> {
    await tx.run(
      `INSERT INTO units (run_id, stage, unit, cursor, progress) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (run_id, stage, unit) DO UPDATE SET finished_at = NULL,
         cursor = coalesce(excluded.cursor, cursor), progress = coalesce(excluded.progress, progress)`,
      [run.id, stage, unit, json(step.cursor), json(step.progress)],
    );
  }

  /** @returns when the stage began in this run, epoch ms: now, where it has not before */
  beginStage(run: Run, stage: string, now: number): Promise<number> {
    return this.#database.write(async (tx) => {
      await tx.run(
        `INSERT INTO stages (run_id, stage, began_at) VALUES (?, ?, ?) ON CONFLICT (run_id, stage) DO NOTHING`,
        [run.id, stage, now],
      );
      const row = await tx.get<{ at: number }>(
        'SELECT began_at AS at FROM stages WHERE run_id = ? AND stage = ?',
        [run.id, stage],
      );
      return row?.at ?? now;
    });
  }

  /** Items that the stage left to the next run; undefined: it left nothing. */
  async left(run: Run, stage: string): Promise<number | undefined> {
    const row = await this.#database.read.get<{ n: number | null }>(
      'SELECT sum(left) AS n FROM units WHERE run_id = ? AND stage = ?',
      [run.id, stage],
    );
    return row?.n ?? undefined;
  }

  /** The last run of all stages, where it is finished. Epoch ms. */
  async lastFinished(): Promise<{ readonly startedAt: number; readonly finishedAt: number } | undefined> {
    const row = await this.#database.read.get<{ started_at: number; finished_at: number | null }>(
      'SELECT started_at, finished_at FROM runs WHERE only_stage IS NULL ORDER BY id DESC LIMIT 1',
    );
    if (!row || row.finished_at === null) return undefined;
    return { startedAt: row.started_at, finishedAt: row.finished_at };
  }

  /** @param left items that it leaves to the next run; null: none */
  finishUnit(run: Run, stage: string, unit: string, now: number, left: number | null = null): Promise<void> {
    return this.#database.write(async (tx) => {
      await tx.run(
        `INSERT INTO units (run_id, stage, unit, finished_at, left) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (run_id, stage, unit) DO UPDATE SET finished_at = excluded.finished_at, left = excluded.left`,
        [run.id, stage, unit, now, left],
      );
    });
  }

  /** Makes a stage's finished units run again: what they build on has changed within the run. */
  reopen(run: Run, stage: string): Promise<void> {
    return this.#database.write(async (tx) => {
      await tx.run('DELETE FROM units WHERE run_id = ? AND stage = ? AND finished_at IS NOT NULL', [
        run.id,
        stage,
      ]);
    });
  }

  /** A unit starts over: its cursor is not one that the task still understands. */
  discard(run: Run, stage: string, unit: string): Promise<void> {
    return this.#database.write(async (tx) => {
      await tx.run('DELETE FROM units WHERE run_id = ? AND stage = ? AND unit = ?', [run.id, stage, unit]);
    });
  }
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
