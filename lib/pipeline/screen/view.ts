import type { RunEvent } from '../events.ts';
import { itemsPerSecond, type Meter, timeLeft } from './meter.ts';
import { announce, changeUnit, emptyStage, enterState, resumeMeters, type StageView } from './stage.ts';

export interface View {
  readonly run: { readonly id: number; readonly resumed: boolean; readonly startedAt: number } | undefined;
  readonly stages: readonly StageView[];
  readonly hold: { readonly reason: string; readonly until: number } | undefined;
  readonly warning:
    { readonly stage: string | undefined; readonly message: string; readonly at: number } | undefined;
  readonly stopping: string | undefined;
}

export function emptyView(stages: readonly { readonly id: string; readonly title: string }[]): View {
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
  if (meter === undefined || (view.hold !== undefined && now - meter.at > HELD_AFTER)) return undefined;
  return { rate: itemsPerSecond(meter, now), left: timeLeft(meter, now) };
}

/** The view after an event. Pure: the time comes from outside. */
export function reduce(view: View, event: RunEvent, now: number): View {
  switch (event.type) {
    case 'run':
      return { ...view, run: { id: event.runId, resumed: event.resumed, startedAt: event.startedAt } };
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
    case 'stopping':
      return { ...view, stopping: event.reason };
  }
}

function inStage(view: View, id: string, change: (stage: StageView) => StageView): View {
  return { ...view, stages: view.stages.map((stage) => (stage.id === id ? change(stage) : stage)) };
}
