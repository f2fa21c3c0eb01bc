import type { Pipeline } from '../pipeline/config.ts';
import type { Sources } from '../services.ts';
import type { Database } from '../store/database.ts';

/** What every task is handed, also where nothing is to run. */
export function sourcesOf(pipeline: Pipeline, database: Database): Sources {
  return {
    sql: database.read,
    rules: pipeline.rules,
    imagesFolder: pipeline.data.images,
    cutoutsFolder: pipeline.data.cutouts,
    modelSettings: { folder: pipeline.data.models, ...pipeline.models },
    imageHosts: pipeline.stages.flatMap(({ task, options }) => task.shares?.(options)['imageHosts'] ?? []),
  };
}
