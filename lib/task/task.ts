import type { z } from 'zod';

/**
 * A stage's work, cut into units that are checkpointed one by one.
 * `id` keys the checkpoint: the same work must get the same id in every run.
 */
export interface Unit {
  readonly id: string;
  /** Shown on the screen, e.g. "Dining Chairs". */
  readonly title: string;
  /** What `done` and `total` of its progress count, in the plural: "listings". */
  readonly noun?: string;
  /** What several units are called, such as categories. */
  readonly kind?: string;
}

/** Runs inside the step's transaction. Statements of one write see each other; nothing else runs between them. */
export type Write<Tx> = (tx: Tx) => Promise<unknown>;

/**
 * What a task yields: what to write, and the cursor after it. Both are committed in one transaction, or neither is.
 *
 * `cursor` is a JSON value that the task's cursor schema accepts; leave it out where the written rows say by
 * themselves how far the work has come.
 */
export interface Step<Tx, Cursor> {
  readonly write?: Write<Tx>;
  readonly cursor?: Cursor;
  readonly progress?: Progress;
  /**
   * True while answers that are already paid for are on their way: when the run is to stop, the runner asks for
   * further steps until one says otherwise. Left out, this step is the last one after a stop.
   */
  readonly pending?: boolean;
}

/** What the screen shows of a unit. `done` and `total` count the unit's own items; `note` is a few words. */
export interface Progress {
  readonly done?: number;
  readonly total?: number;
  readonly note?: string;
}

export interface TaskContext<Options, Services> {
  /** The stage's validated `with:`. */
  readonly options: Options;
  /** What the command wired for tasks: the store, the API client, the rules of pipeline.yaml. */
  readonly services: Services;
  readonly runId: number;
  /** Aborted when the run is to stop. Steps yielded after it are still committed. */
  readonly stop: AbortSignal;
  /** True while a stage named in `alongside:` is running or still to come. */
  companionsActive(): boolean;
  /** Tells the person something that is not an error, e.g. "3 images failed". Shown and kept in the plain output. */
  warn(message: string): void;
}

/**
 * A stage. The runner asks for its units, then pulls steps out of `run` and commits each before it asks for the next.
 * A task never commits, never looks for KILL and never draws: it cannot forget to.
 */
export interface Task<Tx, Services, Options, Cursor> {
  /** Shown on the screen, e.g. "Crawl". */
  readonly title: string;
  readonly options: z.ZodType<Options>;
  readonly cursor: z.ZodType<Cursor>;
  /**
   * For what the units cannot be made without and the options do not tell. Called only where the stage is to run, once
   * a start and before any stage begins; what it returns is committed before `units` is asked.
   */
  prepare?(context: TaskContext<Options, Services>): Promise<Write<Tx> | undefined>;
  /**
   * Made of options and the database; asks nobody else, for it is called for stages that are not to run, too.
   *
   * @throws OptionMistakes
   */
  units(context: TaskContext<Options, Services>): readonly Unit[] | Promise<readonly Unit[]>;
  run(
    unit: Unit,
    cursor: Cursor | undefined,
    context: TaskContext<Options, Services>,
  ): AsyncGenerator<Step<Tx, Cursor>, void, undefined>;
}
