import type { RunEvent, StageState } from '../progress/events.ts';
import type { Progress } from '../task/task.ts';
import { count, duration, stamp } from '../text/format.ts';
import type { Meter } from '../progress/meter.ts';
import { stageProgress, type StageView, timeTaken, unitCount, type UnitRow } from '../progress/stage.ts';
import type { View } from '../progress/view.ts';

/** A stage of more units is shown as a whole: nobody reads thousands of starts and ends. */
export const TOLD_ONE_BY_ONE = 50;

export interface News {
  readonly who: string;
  readonly what: string;
}

/** Something whose progress is shown now and then. */
export interface Subject {
  readonly key: string;
  readonly stage: string;
  readonly who: string;
  readonly amount: string;
  readonly note: string;
  readonly meter: Meter | undefined;
}

/** What an event is worth telling at once, in words. */
export function newsOf(
  event: RunEvent,
  before: View,
  after: View,
  name: string,
  now: number,
): News | undefined {
  switch (event.type) {
    case 'run':
      return { who: name, what: `run ${event.runId} ${event.resumed ? 'resumed' : 'started'}` };
    case 'stage':
      return stageNews(stageOf(after, event.stage));
    case 'units': {
      const finished = event.units.filter((unit) => unit.state === 'finished').length;
      const already = finished > 0 ? `, ${count(finished)} of them finished before` : '';
      return event.units.length > 1
        ? {
            who: event.stage,
            what: `${count(event.units.length)} ${event.units[0]?.kind ?? 'parts'}${already}`,
          }
        : undefined;
    }
    case 'unit':
      return unitNews(stageOf(after, event.stage), event.unit, event.state);
    case 'hold': {
      const news = `waiting until ${stamp(event.until)} (${duration(event.until - now)}): ${event.reason}`;
      const isKnown = before.hold?.reason === event.reason && before.hold.until > now;
      return isKnown ? undefined : { who: name, what: news };
    }
    case 'released':
      return before.hold === undefined ? undefined : { who: name, what: 'resumed' };
    case 'news':
      return { who: name, what: event.message };
    case 'stopping':
      return { who: name, what: `stopping: ${event.reason}; finishing requests in flight` };
    case 'progress':
    case 'warning':
      return undefined;
  }
}

function stageOf(view: View, id: string): StageView | undefined {
  return view.stages.find((stage) => stage.id === id);
}

function stageNews(stage: StageView | undefined): News | undefined {
  if (stage === undefined || stage.state === 'waiting') return undefined;
  const took = timeTaken(stage);
  const inTime = stage.state === 'finished' && took !== undefined ? ` in ${duration(took)}` : '';
  const { done } = stageProgress(stage);
  const items =
    stage.state === 'finished' && done !== undefined ? `, ${count(done)} ${stage.noun ?? 'done'}` : '';
  const reason = stage.reason === undefined ? '' : `: ${stage.reason}`;
  return { who: stage.id, what: `${wordFor(stage.state)}${inTime}${items}${reason}` };
}

function unitNews(stage: StageView | undefined, id: string, state: StageState): News | undefined {
  if (stage === undefined || state === 'waiting' || unitCount(stage) <= 1) return undefined;
  if (unitCount(stage) > TOLD_ONE_BY_ONE && state !== 'failed') return undefined;
  const row = stage.rows.find((candidate) => candidate.id === id);
  const done = state === 'finished' ? row?.progress.done : undefined;
  const who = unitName(stage, id, row?.title ?? stage.catalogue.get(id)?.title);
  const items = done === undefined ? '' : `, ${count(done)} ${row?.noun ?? 'done'}`;
  return { who, what: wordFor(state) + items };
}

/** What to tell the progress of: the units under way, or the stage where they are many. */
export function subjectsOf(stage: StageView): Subject[] {
  if (stage.state !== 'running') return [];
  const units = unitCount(stage);
  if (units > TOLD_ONE_BY_ONE) {
    const amount = [
      `${count(stage.tally.finished)} of ${count(units)} done`,
      amountOf(stageProgress(stage), stage.noun ?? undefined),
    ];
    return [
      { key: stage.id, stage: stage.id, who: stage.id, amount: joined(amount), note: '', meter: stage.meter },
    ];
  }
  const running = stage.rows.filter((row) => row.state === 'running');
  return running.map((row) => subjectOf(stage, row, units === 1));
}

function subjectOf(stage: StageView, row: UnitRow, alone: boolean): Subject {
  return {
    key: JSON.stringify([stage.id, row.id]),
    stage: stage.id,
    who: alone ? stage.id : unitName(stage, row.id, row.title),
    amount: amountOf(row.progress, row.noun),
    note: row.progress.note ?? '',
    meter: row.meter,
  };
}

function unitName(stage: StageView, id: string, title: string | undefined): string {
  return title === undefined || title === id ? `${stage.id} ${id}` : `${stage.id} ${id} ${title}`;
}

function amountOf({ done, total }: Progress, noun: string | undefined): string {
  if (done === undefined) return '';
  const what = noun === undefined ? '' : ` ${noun}`;
  return (total === undefined ? count(done) : `${count(done)} of ${count(total)}`) + what;
}

export function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}

function wordFor(state: StageState): string {
  return state === 'running' ? 'started' : state;
}
