import type { Progress } from '../task/task.ts';

/** What a stage's units amount to. The total means something once every unit has one. */
export interface Sum {
  readonly done: number;
  readonly total: number;
  /** Of how many units the one and the other are known. */
  readonly counted: number;
  readonly sized: number;
}

export const NOTHING: Sum = { done: 0, total: 0, counted: 0, sized: 0 };

export function add(sum: Sum, progress: Progress, sign: 1 | -1): Sum {
  return {
    done: sum.done + sign * (progress.done ?? 0),
    total: sum.total + sign * (progress.total ?? 0),
    counted: sum.counted + (progress.done === undefined ? 0 : sign),
    sized: sum.sized + (progress.total === undefined ? 0 : sign),
  };
}
