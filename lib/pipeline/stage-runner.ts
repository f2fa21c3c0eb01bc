import type { Checkpoints, Run, UnitCheckpoint } from '../../checkpoints/checkpoints.ts';
import type { Pipeline, Stage } from './config.ts';
import { OptionMistakes } from '../task/option-mistakes.ts';
import type { Listener, StageState, UnitView } from '../progress/events.ts';
import { StageCut, Stopped } from './stop.ts';
import type { StageKill, StageStop, StopSwitch } from './stop.ts';
import type { Database } from '../store/database.ts';
import type { Progress, Step, TaskContext, Unit } from '../task/task.ts';
import { DAY_MS } from '../time.ts';

export interface RunnerOptions {
  readonly pipeline: Pipeline;
  readonly database: Database;
  readonly checkpoints: Checkpoints;
  readonly stop: StopSwitch;
  /** False: one stage is to run, and no other run follows. */
  readonly isWhole: boolean;
  readonly emit: Listener;
  /** What the stage's task is handed. */
  readonly services: (stage: Stage, stop: AbortSignal) => unknown;
  /** How long requests may be idle before a stage that `startsAhead` begins. Milliseconds; in place of a minute, for tests. */
  readonly aheadAfterMs?: number;
  /** Called when a stage has ended, in whatever way; what it throws fails the stage. */
  readonly stageEnded: () => Promise<void>;
}

/** A unit that was under way when its stage stopped or failed. */
export interface Place {
  readonly stage: string;
  /** Its id, and its title where that says more. */
  readonly unit: string;
  /** What the progress counts. */
  readonly noun: string | undefined;
  readonly progress: Progress;
}

export interface StageFailure {
  readonly stage: string;
  readonly unit: string | undefined;
  readonly error: unknown;
}

/** What a stage left when the next run was due. */
export interface Left {
  readonly stage: string;
  /** Items of its units. */
  readonly n: number;
  /** What they are, in the plural; undefined: not said. */
  readonly noun: string | undefined;
}

/** A stage that gives way has so much of each run, however late it comes to its turn. Milliseconds. */
const LEAST_MS = DAY_MS;

export interface Companions {
  companionsActive(): boolean;
  companionsFinished(): Promise<boolean>;
}

/**
 * One stage of one run: pulls steps out of its task's units and commits each, with its cursor, in one transaction.
 * Nothing else commits steps, and nothing else decides that a unit is finished.
 */
export class StageRunner {
  readonly #options: RunnerOptions;
  readonly #run: Run;
  readonly #stage: Stage;
  readonly #kill: StageKill | undefined;
  #stop: StageStop;
  #cut: StageCut | undefined;
  #at: Place | undefined;
  #failure: StageFailure | undefined;
  #killed: string | undefined;

  constructor(options: RunnerOptions, run: Run, stage: Stage) {
    this.#options = options;
    this.#run = run;
    this.#stage = stage;
    this.#kill = stage.kill === undefined ? undefined : options.stop.stageKill(stage.kill);
    this.#stop = this.#kill ?? options.stop;
  }

  get failure(): StageFailure | undefined {
    return this.#failure;
  }

  get place(): Place | undefined {
    return this.#at;
  }

  /** Read from the checkpoint: an earlier start of the run may have ended the stage. */
  async left(): Promise<Left | undefined> {
    const n = await this.#options.checkpoints.left(this.#run, this.#stage.id);
    if (n === undefined) return undefined;
    const [unit] = await this.#stage.task.units(this.#context(() => false));
    return { stage: this.#stage.id, n, noun: unit?.noun };
  }

  /** How its own KILL file ended it, or kept it from starting. */
  get killed(): string | undefined {
    return this.#killed;
  }

  async isComplete(): Promise<boolean> {
    const checkpoints = await this.#options.checkpoints.units(this.#run, this.#stage.id);
    try {
      const units = await this.#stage.task.units(this.#context(() => false));
      return units.every((unit) => checkpoints.get(unit.id)?.finished);
    } catch {
      // What its units are made of has yet to be looked up, or cannot be read: then it has something left to do. Where
      // it is to run, that says what is wrong.
      return false;
    }
  }

  /**
   * Lets the task look up what its units are made of.
   * @returns waiting, or how it ended
   * @throws OptionMistakes
   */
  async prepare(): Promise<StageState> {
    const { database, stageEnded } = this.#options;
    const { task } = this.#stage;
    if (!task.prepare || this.#kill?.wasThere) return 'waiting';
    try {
      const context = this.#context(() => false);
      const write = await task.prepare(context);
      if (write) await database.write(write);
      await task.units(context);
      return 'waiting';
    } catch (error) {
      if (!(error instanceof OptionMistakes)) return this.#endedBy(error);
      await stageEnded();
      throw error;
    }
  }

  tellSkipped(): StageState {
    return this.#tell('skipped', this.#options.stop.stopped ? undefined : 'a stage it needs did not finish');
  }

  async run(companions: Companions): Promise<StageState> {
    if (this.#kill?.wasThere && !(await this.isComplete())) {
      this.#killed = `the file ${this.#kill.name} is there; remove it and start again`;
      return this.#tell('stopped', this.#killed);
    }
    this.#kill?.begin();
    try {
      await this.#prepareCut();
      const state = await this.#pull(companions);
      if (state === 'stopped' && this.#stop.stopped?.cause === 'stage-kill')
        this.#killed = this.#stop.stopped.message;
      return state;
    } finally {
      this.#cut?.end();
      await this.#kill?.end();
    }
  }

  /** Where another run follows this one, at a time that is known. */
  async #prepareCut(): Promise<void> {
    const { pipeline, isWhole, checkpoints } = this.#options;
    const { every } = pipeline.rules;
    if (!this.#stage.task.givesWayToNextRun || every === undefined || !isWhole) return;
    if (await this.isComplete()) return;
    const now = Date.now();
    const began = await checkpoints.beginStage(this.#run, this.#stage.id, now);
    // Times to come are of a clock that was wrong.
    const nextRun = Math.min(this.#run.startedAt, now) + every * 1000;
    this.#cut = new StageCut(this.#stop, Math.max(nextRun, Math.min(began, now) + LEAST_MS));
    this.#stop = this.#cut;
  }

  async #pull(companions: Companions): Promise<StageState> {
    try {
      const state = await this.#runUnits(companions);
      await this.#options.stageEnded();
      return this.#tell(state, state === 'stopped' ? this.#stop.stopped?.message : undefined);
    } catch (error) {
      return this.#endedBy(error);
    }
  }

  async #endedBy(error: unknown): Promise<StageState> {
    await this.#options.stageEnded().catch(() => undefined);
    if (error instanceof Stopped) return this.#tell('stopped', error.message);
    this.#failure = { stage: this.#stage.id, unit: this.#at?.unit, error };
    return this.#tell('failed', error instanceof Error ? error.message : String(error));
  }

  async #runUnits(companions: Companions): Promise<StageState> {
    const { checkpoints } = this.#options;
    const stop = this.#stop;
    const context = this.#context(() => companions.companionsActive());
    const units = await this.#stage.task.units(context);
    const saved = await checkpoints.units(this.#run, this.#stage.id);
    if (units.every((unit) => saved.get(unit.id)?.finished)) return 'finished';

    this.#tell('running');
    const views = units.map((unit) => viewOf(unit, saved.get(unit.id)));
    this.#options.emit({ type: 'units', stage: this.#stage.id, units: views });
    for (const unit of units) {
      const checkpoint = saved.get(unit.id);
      if (checkpoint?.finished) continue;
      if (stop.stopped && stop.stopped.cause !== 'next-run') return 'stopped';
      this.#at = {
        stage: this.#stage.id,
        unit: nameOf(unit),
        noun: unit.noun,
        progress: checkpoint?.progress ?? {},
      };
      this.#tellUnit(unit, 'running');
      const state = await this.#runUnit(unit, await this.#cursor(unit, checkpoint), context).catch(
        (error: unknown) => {
          if (error instanceof Stopped && error.cause === 'next-run') return 'stopped' as const;
          this.#tellUnit(unit, error instanceof Stopped ? 'stopped' : 'failed');
          throw error;
        },
      );
      // What runs alongside others is not done before they are: they would have gone on filling its queue.
      const gaveWay = state === 'stopped' && stop.stopped?.cause === 'next-run';
      const isOver = state === 'finished' || gaveWay;
      const finished = isOver && (unit.isIndependent === true || (await companions.companionsFinished()));
      if (finished) {
        const left = gaveWay ? this.#leftOf(this.#at.progress) : null;
        await checkpoints.finishUnit(this.#run, this.#stage.id, unit.id, Date.now(), left);
        if (gaveWay) this.#warn(`The next run is due: ${leftText(left, unit.noun)} left to it.`);
      }
      this.#tellUnit(unit, finished ? 'finished' : 'stopped');
      if (!finished) return 'stopped';
      this.#at = undefined;
    }
    return 'finished';
  }

  async #runUnit(unit: Unit, cursor: unknown, context: TaskContext<unknown, unknown>): Promise<StageState> {
    const stop = this.#stop;
    if (stop.stopped) return 'stopped';
    const steps = this.#stage.task.run(unit, cursor, context);
    try {
      for (;;) {
        const next = await steps.next();
        if (next.done) return 'finished';
        await this.#commit(unit, next.value);
        stop.look();
        if (stop.stopped && !next.value.pending) return 'stopped';
      }
    } finally {
      await steps.return();
    }
  }

  #leftOf({ done = 0, total = done }: Progress): number {
    return Math.max(0, total - done);
  }

  async #commit(unit: Unit, step: Step<unknown, unknown>): Promise<void> {
    const { checkpoints, database, emit } = this.#options;
    await database.write(async (tx) => {
      await step.write?.(tx);
      await checkpoints.save(tx, this.#run, this.#stage.id, unit.id, step);
    });
    if (!step.progress || !this.#at) return;
    this.#at = { ...this.#at, progress: { ...this.#at.progress, ...step.progress } };
    emit({ type: 'progress', stage: this.#stage.id, unit: unit.id, progress: this.#at.progress });
  }

  /** A cursor that the task no longer understands (it was written by another version) starts the unit over. */
  async #cursor(unit: Unit, checkpoint: UnitCheckpoint | undefined): Promise<unknown> {
    if (checkpoint?.cursor === undefined) return undefined;
    const parsed = this.#stage.task.cursor.safeParse(checkpoint.cursor);
    if (parsed.success) return parsed.data;
    await this.#options.checkpoints.discard(this.#run, this.#stage.id, unit.id);
    this.#warn(`${unit.title}: its checkpoint was made by another version; the unit starts over`);
    return undefined;
  }

  #context(companionsActive: () => boolean): TaskContext<unknown, unknown> {
    return {
      options: this.#stage.options,
      services: this.#options.services(this.#stage, this.#stop.signal),
      folder: this.#options.pipeline.folder,
      runId: this.#run.id,
      stop: this.#stop.signal,
      companionsActive,
      warn: (message) => this.#warn(message),
    };
  }

  #warn(message: string): void {
    this.#options.emit({ type: 'warning', stage: this.#stage.id, message });
  }

  #tell(state: StageState, reason?: string): StageState {
    const stage = this.#stage.id;
    this.#options.emit(
      reason === undefined ? { type: 'stage', stage, state } : { type: 'stage', stage, state, reason },
    );
    return state;
  }

  #tellUnit(unit: Unit, state: StageState): void {
    this.#options.emit({ type: 'unit', stage: this.#stage.id, unit: unit.id, state });
  }
}

function leftText(n: number | null, noun = 'items'): string {
  return n === null ? 'the rest is' : `${n} ${noun} are`;
}

function viewOf(unit: Unit, checkpoint: UnitCheckpoint | undefined): UnitView {
  return {
    id: unit.id,
    title: unit.title,
    noun: unit.noun,
    kind: unit.kind,
    state: checkpoint?.finished ? 'finished' : 'waiting',
    progress: checkpoint?.progress ?? {},
  };
}

function nameOf({ id, title }: Unit): string {
  return title.toLowerCase() === id ? id : `${id} (${title})`;
}
