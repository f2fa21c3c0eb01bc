import { setTimeout as nap } from 'node:timers/promises';
import type { Run } from '../../checkpoints/checkpoints.ts';
import { mistakenOptions } from './config.ts';
import type { Stage } from './config.ts';
import { OptionMistakes } from '../task/option-mistakes.ts';
import type { StageState } from '../progress/events.ts';
import { buildGraph } from './graph.ts';
import type { StageGraph } from './graph.ts';
import { StageRunner } from './stage-runner.ts';
import type { Left, Place, RunnerOptions, StageFailure } from './stage-runner.ts';

/** How long requests may be idle before a stage that `startsAhead` begins. */
const AHEAD_AFTER_MS = 60_000;

export interface Outcome {
  readonly state: 'finished' | 'failed' | 'stopped';
  readonly failures: readonly StageFailure[];
  /** Where the run stood when it stopped. */
  readonly places: readonly Place[];
  /** Stages that their own KILL file ended, or kept from starting. */
  readonly killed: readonly { readonly stage: string; readonly reason: string }[];
  /** What stages left to the next run, which was due. */
  readonly left: readonly Left[];
}

export interface OpenedRun extends Run {
  /** An old run that was closed for this one, which does what its stages have left. */
  readonly closed?: { readonly run: Run; readonly left: readonly string[] };
}

/** The stages of one run, in the order of their graph. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #run: Run;
  readonly #graph: StageGraph;
  readonly #stages: ReadonlyMap<string, StageRunner>;

  constructor(options: RunnerOptions, run: Run) {
    this.#options = options;
    this.#run = run;
    this.#graph = buildGraph(options.pipeline.stages);
    this.#stages = new Map(
      options.pipeline.stages.map((stage) => [stage.id, new StageRunner(options, run, stage)]),
    );
  }

  /**
   * Takes up the unfinished run, or begins one.
   *
   * With `--stage`, the stage joins the unfinished run where all it builds on is complete there; otherwise it gets a
   * run of its own: finished too early inside the full run, that run would skip it when its turn comes.
   */
  static async open(options: RunnerOptions, onlyStage: string | undefined): Promise<OpenedRun> {
    const { checkpoints, pipeline } = options;
    const open = await checkpoints.unfinished();
    if (onlyStage === undefined) {
      const left = open && (await new Runner(options, open).#leftToTheNext());
      if (!open || !left) return open ?? checkpoints.begin(Date.now());
      await checkpoints.finish(open, Date.now());
      return { ...(await checkpoints.begin(Date.now())), closed: { run: open, left } };
    }
    const stage = pipeline.stages.find(({ id }) => id === onlyStage);
    if (open && stage && (await new Runner(options, open).#isNext(stage))) return open;
    return (await checkpoints.unfinished(onlyStage)) ?? checkpoints.begin(Date.now(), onlyStage);
  }

  /**
   * An unfinished run must not keep the next refresh from happening for ever.
   * @returns the stages that it has left, where it is older than `refreshAfter` and the next run does what they leave
   */
  async #leftToTheNext(): Promise<readonly string[] | undefined> {
    const { stages, rules } = this.#options.pipeline;
    if (Date.now() - this.#run.startedAt <= rules.refreshAfter * 1000) return undefined;
    const left: string[] = [];
    for (const { id, task } of stages) {
      if (await this.#stage(id).isComplete()) continue;
      if (!task.carriesOver && !task.givesWayToNextRun) return undefined;
      left.push(id);
    }
    return left;
  }

  /** @throws UserError for mistakes in pipeline.yaml that show only when a task has looked up what its options mean */
  async run(onlyStage: string | undefined): Promise<Outcome> {
    const selected = onlyStage === undefined ? this.#graph.order : [onlyStage];
    let states = await this.#prepare(selected);
    if (states.every((state) => state === 'waiting')) {
      if (onlyStage === undefined) await this.#reopenWhatFollowsChanges();
      states = await this.#runAll(selected);
    }

    const failures = selected.flatMap((id) => this.#stage(id).failure ?? []);
    const places = selected.flatMap((id) => this.#stage(id).place ?? []);
    const killed = selected.flatMap((id) => {
      const reason = this.#stage(id).killed;
      return reason === undefined ? [] : [{ stage: id, reason }];
    });
    const rest = { failures, places, killed, left: [] };
    if (failures.length > 0) return { state: 'failed', ...rest };
    if (!states.every((state) => state === 'finished')) return { state: 'stopped', ...rest };
    // One stage finished inside a full run leaves that run open for the others.
    if (onlyStage === this.#run.onlyStage) await this.#options.checkpoints.finish(this.#run, Date.now());
    const left = await Promise.all(selected.map((id) => this.#stage(id).left()));
    return { state: 'finished', ...rest, left: left.filter((one) => one !== undefined) };
  }

  /** One after the other: each waits for the one throttle anyway. All mistakes are reported together. */
  async #prepare(selected: readonly string[]): Promise<StageState[]> {
    const states: StageState[] = [];
    const mistaken: { stage: string; error: OptionMistakes }[] = [];
    for (const id of selected) {
      try {
        states.push(await this.#stage(id).prepare());
      } catch (error) {
        if (!(error instanceof OptionMistakes)) throw error;
        mistaken.push({ stage: id, error });
      }
    }
    if (mistaken.length > 0) throw mistakenOptions(this.#options.pipeline, mistaken);
    return states;
  }

  #runAll(selected: readonly string[]): Promise<StageState[]> {
    const active = new Set(selected);
    const begun = new Map(selected.map((id) => [id, deferred()]));
    const ended = new Map<string, Promise<StageState>>();
    for (const id of selected) {
      const needs = this.#graph.needs(id).flatMap((other) => ended.get(other) ?? []);
      const companions = this.#graph.companions(id).filter((other) => active.has(other));
      const stage = this.#stage(id);
      const early = this.#graph.ahead(id, (other) => this.#sendsRequests(other));
      const work = async (): Promise<StageState> => {
        const isAhead =
          needs.length > 0 &&
          this.#startsAhead(id) &&
          (await this.#canStartAhead(
            needs,
            early.flatMap((other) => ended.get(other) ?? []),
          ));
        if (isAhead) companions.push(...this.#graph.needs(id).filter((other) => ended.has(other)));
        const states = isAhead ? [] : await Promise.all(needs);
        if (companions.length > 0 && !isAhead)
          await Promise.race(companions.flatMap((other) => begun.get(other)?.promise ?? []));
        if (!states.every((state) => state === 'finished')) return stage.tellSkipped();
        begun.get(id)?.resolve();
        return stage.run({
          companionsActive: () => companions.some((other) => active.has(other)),
          companionsFinished: async () => {
            const all = await Promise.all(companions.flatMap((other) => ended.get(other) ?? []));
            return all.every((state) => state === 'finished');
          },
        });
      };
      ended.set(
        id,
        work().finally(() => {
          active.delete(id);
          begun.get(id)?.resolve();
        }),
      );
    }
    return Promise.all(ended.values());
  }

  #startsAhead(id: string): boolean {
    return this.#options.pipeline.stages.some((stage) => stage.id === id && stage.task.startsAhead === true);
  }

  #sendsRequests(id: string): boolean {
    return this.#options.pipeline.stages.some(
      ({ id: other, task }) => other === id && (task.uses ?? []).includes('api'),
    );
  }

  /**
   * Short waits change nothing: then all runs one after the other.
   * @param needs the stages it needs @param early those of them, and of theirs, that wait for nothing but requests
   */
  async #canStartAhead(
    needs: readonly Promise<StageState>[],
    early: readonly Promise<StageState>[],
  ): Promise<boolean> {
    if (!(await Promise.all(early)).every((state) => state === 'finished')) return false;
    const waiting = new AbortController();
    const { aheadAfterMs = AHEAD_AFTER_MS } = this.#options;
    const isIdle = nap(aheadAfterMs, true, { signal: waiting.signal }).catch(() => false);
    const isReady = Promise.all(needs).then(() => false);
    return Promise.race([isIdle, isReady]).finally(() => waiting.abort());
  }

  /**
   * A stage that has something left to do, because pipeline.yaml was edited between two starts, makes those that build
   * on it run again.
   */
  async #reopenWhatFollowsChanges(): Promise<void> {
    const changed = new Set<string>();
    for (const id of this.#graph.order) {
      const builtOn = [...this.#graph.needs(id), ...this.#graph.companions(id)];
      if (builtOn.some((other) => changed.has(other))) {
        await this.#options.checkpoints.reopen(this.#run, id);
        changed.add(id);
      } else if (!(await this.#stage(id).isComplete())) changed.add(id);
    }
  }

  async #isNext(stage: Stage): Promise<boolean> {
    if (await this.#stage(stage.id).isComplete()) return false;
    const ground = [...stage.needs, ...stage.alongside];
    const complete = await Promise.all(ground.map((id) => this.#stage(id).isComplete()));
    return complete.every(Boolean);
  }

  #stage(id: string): StageRunner {
    const stage = this.#stages.get(id);
    if (!stage) throw new Error(`internal: no stage ${id}`);
    return stage;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
