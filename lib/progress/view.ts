import type { RunEvent } from './events.ts';
import { itemsPerSecond, type Meter, timeLeft } from './meter.ts';
import {
  announce,
  changeUnit,
  emptyStage,
  enterState,
  resumeMeters,
  type StageTitle,
  type StageView,
} from './stage.ts';

export interface View {
  readonly run:
    | {
        readonly id: number;
        readonly resumed: boolean;
        /** Of the run, and of this start of it. */
        readonly startedAt: number;
        readonly at: number;
      }
    | undefined;
  readonly stages: readonly StageView[];
  readonly hold: { readonly reason: string; readonly until: number } | undefined;
  readonly warning:
    { readonly stage: string | undefined; readonly message: string; readonly at: number } | undefined;
  readonly stopping: string | undefined;
}

export function emptyView(stages: readonly StageTitle[]): View {
  return {
    run: undefined,
    stages: stages.map(emptyStage),
    hold: undefined,
    warning: undefined,
    stopping: undefined,
  };
}

/** During a hold, what has not moved for this long is held. */
const HELD_AFTER = 3_000;

export interface Pace {
  readonly rate: number | undefined;
  readonly left: number | undefined;
}

/** How quickly something moves; undefined when it does not mean to. */
export function paceOf(view: View, meter: Meter | undefined, now: number): Pace | undefined {
  if (meter === undefined || isHeld(view, meter, now)) return undefined;
  return { rate: itemsPerSecond(meter, now), left: timeLeft(meter, now) };
}

/** Whether it waits for what everybody waits for. */
export function isHeld(view: View, meter: Meter | undefined, now: number): boolean {
  return meter !== undefined && view.hold !== undefined && now - meter.at > HELD_AFTER;
}

/** An empty queue is looked at again; only when it stays empty it is worth a word. */
const IDLE_AFTER = 3_000;

/** Whether a stage that it needs did not finish, or cannot. */
export function isBarred(view: View, stage: StageView): boolean {
  return view.stages.some(
    (other) =>
      stage.needs.includes(other.id) &&
      (['failed', 'stopped', 'skipped'].includes(other.state) ||
        (other.state === 'waiting' && isBarred(view, other))),
  );
}

/** Titles of the stages that this one waits for, to begin or to have something to do. */
export function waitsFor(view: View, stage: StageView, now: number): readonly string[] {
  const toCome = (ids: readonly string[]) =>
    view.stages.filter(({ id, state }) => ids.includes(id) && (state === 'waiting' || state === 'running'));
  if (stage.state === 'waiting') return toCome(stage.needs).map(({ title }) => title);
  const isIdle = stage.state === 'running' && stage.meter !== undefined && now - stage.meter.at > IDLE_AFTER;
  const others = isIdle ? toCome(stage.alongside) : [];
  const atWork = others.filter(({ state }) => state === 'running');
  return (atWork.length > 0 ? atWork : others).map(({ title }) => title);
}

/** The view after an event. Pure: the time comes from outside. */
export function reduce(view: View, event: RunEvent, now: number): View {
  switch (event.type) {
    case 'run':
      return {
        ...view,
        run: { id: event.runId, resumed: event.resumed, startedAt: event.startedAt, at: now },
      };
    case 'stage':
      return inStage(view, event.stage, (stage) => enterState(stage, event.state, event.reason, now));
    case 'units':
      return inStage(view, event.stage, (stage) => announce(stage, event.units, now));
    case 'unit':
      return inStage(view, event.stage, (stage) =>
        changeUnit(stage, event.unit, { state: event.state }, now),
      );
    case 'progress':
      return inStage(view, event.stage, (stage) =>
        changeUnit(stage, event.unit, { progress: event.progress }, now),
      );
    case 'hold':
      return { ...view, hold: { reason: event.reason, until: event.until } };
    case 'released':
      return { ...view, hold: undefined, stages: view.stages.map((stage) => resumeMeters(stage, now)) };
    case 'warning':
      return { ...view, warning: { stage: event.stage, message: event.message, at: now } };
    case 'news':
      return view;
    case 'stopping':
      return { ...view, stopping: event.reason };
  }
}

function inStage(view: View, id: string, change: (stage: StageView) => StageView): View {
  return { ...view, stages: view.stages.map((stage) => (stage.id === id ? change(stage) : stage)) };
}
