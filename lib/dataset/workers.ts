import type { Sql, Tx } from '../store/database.ts';
import type { WorkerView } from '../models/jobs.ts';

export interface WorkerRow {
  readonly name: string;
  readonly device: string;
  readonly state: WorkerView['state'];
  readonly pictures: number;
  readonly perSecond: number;
  /** Epoch seconds. */
  readonly heardAt: number;
  readonly reason: string | null;
}

/** How the workers of a run stand, for status and summary. */
export async function putWorkers(tx: Tx, runId: number, workers: readonly WorkerView[]): Promise<void> {
  for (const { name, device, state, pictures, perSecond, heardAt, reason } of workers)
    await tx.run(
      `INSERT INTO workers (run_id, name, device, state, pictures, per_second, heard_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run_id, name) DO UPDATE SET device = excluded.device, state = excluded.state, pictures = excluded.pictures,
         per_second = excluded.per_second, heard_at = excluded.heard_at, reason = excluded.reason`,
      [
        runId,
        name,
        device,
        state,
        pictures,
        Number(perSecond.toFixed(2)),
        Math.floor(heardAt / 1000),
        reason === '' ? null : reason,
      ],
    );
}

/** Those of a run, the busiest first. */
export function readWorkers(sql: Sql, runId: number): Promise<WorkerRow[]> {
  return sql.all<WorkerRow>(
    `SELECT name, device, state, pictures, per_second AS perSecond, heard_at AS heardAt, reason
     FROM workers WHERE run_id = ? ORDER BY pictures DESC, name`,
    [runId],
  );
}
