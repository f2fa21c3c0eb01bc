import type { z } from 'zod';
import type { Figures, Telling, ToldRun } from './telling.ts';

/**
 * A stage's work, cut into units that are checkpointed one by one.
 * `id` keys the checkpoint: the same work must get the same id in every run.
 */
export interface Unit {
  readonly id: string;
  /** Shown on the screen, e.g. "Dining Chairs". */
  readonly title: string;
  /** What `done` and `total` of its progress count, in the plural: "pages". */
  readonly noun?: string;
  /** What several units are called, such as categories. */
  readonly kind?: string;
  /** Takes nothing from the stages it runs alongside: it is complete while they still work. */
  readonly isIndependent?: boolean;
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
   * True while answers that are already paid for are in flight: when the run is to stop, the runner asks for
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
  /** The database to read, the rules of pipeline.yaml, and what the task names under `uses`. */
  readonly services: Services;
  /** Absolute path of the folder that pipeline.yaml is in: a path in `with:` is meant from there. */
  readonly folder: string;
  readonly runId: number;
  /** Aborted when the run is to stop. Steps yielded after it are still committed. */
  readonly stop: AbortSignal;
  /** True while a stage named in `alongside:` is running or still to come. */
  companionsActive(): boolean;
  /** Tells the person something that is not an error, e.g. "3 images failed". Shown and kept in the plain output. */
  warn(message: string): void;
}

/** For what a task says of its work. Nothing is asked of anybody: services that `uses` names are not there. */
export interface TellContext<Options, Services> extends Pick<
  TaskContext<Options, Services>,
  'options' | 'services' | 'folder'
> {
  readonly run: ToldRun;
  /** The summary is read at the end of each start: what takes long belongs into status. */
  readonly place: 'summary' | 'status';
  /** Reads what several stages tell of once for all of them; `key` stands for what is read. */
  once<T>(key: string, read: () => Promise<T>): Promise<T>;
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
  /** Services it calls. They are opened, and what they need (a key) is asked for, only where a stage names them. */
  readonly uses?: readonly string[];
  /**
   * What sets its pace, for the time left: requests, of which a day has only so many, or work on this computer. Left
   * out: requests, where it uses the API.
   */
  readonly spends?: 'requests' | 'work';
  /**
   * It may be ended where it is, after a step, when the next run is due: what it has left comes in that one, and this
   * run counts as finished without it. For long stages that a few days bring no nearer to their end.
   */
  readonly givesWayToNextRun?: boolean;
  /**
   * It can do without what the stages it needs have left: where nothing but work that is no request (images, say) keeps
   * them from their end, it begins, so that requests are not idle. It still ends after them: for it they are companions.
   */
  readonly startsAhead?: boolean;
  /**
   * Whatever it leaves undone, the same stage of the next run does: where an old run waits for nothing but such stages, a
   * start closes it and begins a new one.
   */
  readonly carriesOver?: boolean;
  /** What its options mean for other stages of the pipeline, by name: { imageHosts: ['i.example.com'] }. */
  shares?(options: Options): Readonly<Record<string, readonly string[]>>;
  /** What it has to say in the summary and in status. Left out: nothing but its progress. */
  tells?(context: TellContext<Options, Services>): Promise<Telling>;
  /** Lines below the list on the screen, while the run is under way. Called about once a second, less often where it is slow. */
  figures?(
    context: Pick<TaskContext<Options, Services>, 'options' | 'services'>,
  ): Promise<readonly Figures[]>;
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
