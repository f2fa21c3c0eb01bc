import type { Pipeline } from '../pipeline/config.ts';
import type { Sources } from '../services.ts';
import { merged } from '../task/telling.ts';
import type { Telling, ToldRun } from '../task/telling.ts';

export interface Told {
  /** Of each stage that has something to say. */
  readonly byStage: ReadonlyMap<string, Telling>;
  readonly all: Required<Telling>;
}

/** What the stages of the pipeline say of their work, whether they ran in this start or not. */
export async function tellings(
  pipeline: Pipeline,
  services: Sources,
  run: ToldRun,
  place: 'summary' | 'status',
): Promise<Told> {
  const read = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const known = (read.get(key) as Promise<T> | undefined) ?? work();
    read.set(key, known);
    return known;
  };
  const byStage = new Map<string, Telling>();
  for (const { id, task, options } of pipeline.stages) {
    const telling = await task.tells?.({ options, services, folder: pipeline.folder, run, place, once });
    if (telling) byStage.set(id, telling);
  }
  return { byStage, all: merged([...byStage.values()]) };
}
