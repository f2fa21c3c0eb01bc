import type { z } from 'zod';
import type { Progress, Step, Task } from './task/task.ts';
import type { ServiceName, Services, ServicesWith, Sources } from './services.ts';
import type { Tx } from './store/database.ts';

export type TaskOf<Options, Cursor, Handed = Services> = Task<Tx, Handed, Options, Cursor>;

/** A task as it is written: only its two schemas say what options and cursor are, not what it makes of them. */
interface Written<
  Options extends z.ZodType,
  Cursor extends z.ZodType,
  Uses extends ServiceName,
  Yielded,
> extends Omit<TaskOf<z.output<Options>, z.output<Cursor>, ServicesWith<Uses>>, 'run' | 'tells'> {
  readonly options: Options & z.ZodType<z.output<Options>>;
  readonly cursor: Cursor & z.ZodType<z.output<Cursor>>;
  readonly uses?: readonly Uses[];
  tells?: TaskOf<z.output<Options>, z.output<Cursor>, Sources>['tells'];
  run(
    ...args: Parameters<TaskOf<z.output<Options>, z.output<Cursor>, ServicesWith<Uses>>['run']>
  ): AsyncGenerator<Yielded & Exact<z.output<Cursor>, Yielded>, void, undefined>;
}

/**
 * A stage. Options, cursor and services get their types from what the task itself says. What it yields is checked to
 * the key, which TypeScript by itself does not do for generators: a misspelt cursor would be none.
 */
export function defineTask<
  Options extends z.ZodType,
  Cursor extends z.ZodType,
  Yielded extends Step<Tx, z.output<Cursor>>,
  Uses extends ServiceName = never,
>(task: Written<Options, Cursor, Uses, Yielded>): TaskOf<z.output<Options>, z.output<Cursor>> {
  // Which services it is handed is its own affair: the runner hands each what it uses.
  return task as TaskOf<z.output<Options>, z.output<Cursor>>;
}

type Exact<Cursor, Yielded> = Yielded extends { cursor?: infer C; progress?: infer P }
  ? NoSurplus<Step<Tx, Cursor>, Yielded> & {
      cursor?: NoSurplus<Cursor, C>;
      progress?: NoSurplus<Progress, P>;
    }
  : never;

/** Has nothing under the keys of `Given` that `Shape` does not have. */
type NoSurplus<Shape, Given> = Given extends object
  ? { readonly [Key in Exclude<keyof Given, KeysOf<Shape>>]?: never }
  : Given;

/** Of a union, those of every member; of what may be anything, any. */
type KeysOf<Shape> = unknown extends Shape ? PropertyKey : Shape extends unknown ? keyof Shape : never;
