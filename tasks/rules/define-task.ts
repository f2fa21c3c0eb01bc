import type { Task } from '../../lib/pipeline/task.ts';
import type { Services } from '../../lib/services.ts';
import type { Tx } from '../../lib/store/database.ts';

export type TaskOf<Options, Cursor> = Task<Tx, Services, Options, Cursor>;

/** A stage of the Etsy sync. Options and cursor get their types from the task's own schemas. */
export function defineTask<Options, Cursor>(task: TaskOf<Options, Cursor>): TaskOf<Options, Cursor> {
  return task;
}
