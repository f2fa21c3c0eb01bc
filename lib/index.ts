// What a task of one's own may import, wherever it lies: import { defineTask, z } from 'sync-data'
export { z } from 'zod';
export { defineTask } from '../tasks/rules/define-task.ts';
export type { TaskOf } from '../tasks/rules/define-task.ts';
export { inFlight } from '../tasks/rules/in-flight.ts';
export { ApiError } from './etsy/errors.ts';
export { OptionMistakes, UserError } from './pipeline/errors.ts';
export type { Progress, Step, TaskContext, Unit, Write } from './pipeline/task.ts';
export { nowSeconds } from './services.ts';
export type { Services } from './services.ts';
export type { Sql, Tx } from './store/database.ts';
