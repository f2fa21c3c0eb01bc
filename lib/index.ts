// What your own task may import, wherever it is: import { defineTask, z } from 'sync-data'
export { z } from 'zod';
export { defineTask } from './define-task.ts';
export type { TaskOf } from './define-task.ts';
export { inFlight } from './task/in-flight.ts';
export { ApiError } from './etsy/errors.ts';
export { UserError } from './errors.ts';
export { OptionMistakes } from './task/option-mistakes.ts';
export type { Progress, Step, TaskContext, TellContext, Unit, Write } from './task/task.ts';
export type { Figures, Telling } from './task/telling.ts';
export { nowSeconds } from './time.ts';
export type { Services, ServicesWith, Sources } from './services.ts';
export { insertRows } from './store/rows.ts';
export { SyncedFiles } from './store/synced-files.ts';
export type { Sql, Tx } from './store/database.ts';
