import { Checkpoints } from '../../checkpoints/checkpoints.ts';
import type { UnitCheckpoint } from '../../checkpoints/checkpoints.ts';
import type { Start } from '../../checkpoints/starts.ts';
import type { Pipeline, Stage } from '../pipeline/config.ts';
import { sourcesOf } from '../run/sources.ts';
import type { Unit } from '../task/task.ts';
import type { Database } from '../store/database.ts';
import type { RunStatus, StageStatus, StartStatus, UnitStatus } from './shape.ts';

interface RunRow {
  readonly id: number;
  readonly only_stage: string | null;
  readonly started_at: number;
  readonly finished_at: number | null;
}

/** The run that the next start resumes, or else the last one, with its checkpoint. */
export async function runStatus(database: Database, pipeline: Pipeline): Promise<RunStatus | null> {
  const row = await database.read.get<RunRow>(
    `SELECT id, only_stage, started_at, finished_at FROM runs
     ORDER BY finished_at IS NULL AND only_stage IS NULL DESC, id DESC LIMIT 1`,
  );
  if (!row) return null;
  const checkpoints = new Checkpoints(database);
  const run = {
    id: row.id,
    resumed: true,
    onlyStage: row.only_stage ?? undefined,
    startedAt: row.started_at,
  };
  const shown = pipeline.stages.filter(({ id }) => row.only_stage === null || row.only_stage === id);
  const stages = shown.map(async (stage) => {
    const units = await unitsOf(stage, database, pipeline, row.id);
    return stageStatus(stage.id, units, await checkpoints.units(run, stage.id));
  });
  return {
    id: row.id,
    startedAt: iso(row.started_at),
    finishedAt: row.finished_at === null ? null : iso(row.finished_at),
    onlyStage: row.only_stage,
    stages: await Promise.all(stages),
  };
}

export function startStatus(start: Start): StartStatus {
  return {
    runId: start.run_id,
    startedAt: iso(start.started_at),
    endedAt: start.ended_at === null ? null : iso(start.ended_at),
    outcome: start.outcome,
    reason: start.reason,
    requests: start.requests,
    faults: start.faults,
    worstSecond: start.worst_second,
  };
}

/** As the task names them; one that needs more than the database to tell is known by its checkpoints alone. */
async function unitsOf(
  stage: Stage,
  database: Database,
  pipeline: Pipeline,
  runId: number,
): Promise<readonly Unit[]> {
  try {
    return await stage.task.units({
      options: stage.options,
      services: sourcesOf(pipeline, database),
      folder: pipeline.folder,
      runId,
      stop: new AbortController().signal,
      companionsActive: () => false,
      warn: () => undefined,
    });
  } catch {
    return [];
  }
}

function stageStatus(
  id: string,
  units: readonly Unit[],
  checkpoints: ReadonlyMap<string, UnitCheckpoint>,
): StageStatus {
  const named = units.length > 0 ? units : [...checkpoints.keys()].map((unit) => ({ id: unit, title: unit }));
  const told = named.map((unit) => unitStatus(unit, checkpoints.get(unit.id)));
  const states = new Set(told.map((unit) => unit.state));
  const [state = 'to come'] = states;
  return { id, state: states.size > 1 ? 'begun' : state, units: told };
}

function unitStatus({ id, title, noun }: Unit, checkpoint: UnitCheckpoint | undefined): UnitStatus {
  const { done, total } = checkpoint?.progress ?? {};
  return {
    id,
    title,
    state: checkpoint === undefined ? 'to come' : checkpoint.finished ? 'finished' : 'begun',
    noun: noun ?? null,
    done: done ?? null,
    total: total ?? null,
    left: checkpoint?.left ?? null,
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
