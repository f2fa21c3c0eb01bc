import type { StageState, UnitView } from './events.ts';
import type { Progress } from '../task/task.ts';
import { type Meter, resume, startMeter, observe } from './meter.ts';
import { add, NOTHING, type Sum } from './sum.ts';

/** A stage with more units than this keeps only those under way and those that ended badly. */
const FEW_UNITS = 12;

export interface UnitRow extends UnitView {
  readonly meter: Meter | undefined;
}

/** A stage before it has begun. */
export interface StageTitle {
  readonly id: string;
  readonly title: string;
  /** Ids of stages that it starts after, and of those that it ends after. */
  readonly needs?: readonly string[];
  readonly alongside?: readonly string[];
  /** What sets its pace. Left out: work. */
  readonly spends?: 'requests' | 'work';
}

export interface StageView extends Required<StageTitle> {
  readonly state: StageState;
  readonly reason: string | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** As the stage announced them, to know a unit by its id. Emptied when the stage ends. */
  readonly catalogue: ReadonlyMap<string, UnitView>;
  readonly rows: readonly UnitRow[];
  readonly tally: Readonly<Record<StageState, number>>;
  readonly sum: Sum;
  /** What all its units count; undefined: not said; null: not all the same, so that they make no sum. */
  readonly noun: string | null | undefined;
  readonly meter: Meter | undefined;
}

const NO_UNITS = { waiting: 0, running: 0, finished: 0, failed: 0, stopped: 0, skipped: 0 };

export function emptyStage({
  id,
  title,
  needs = [],
  alongside = [],
  spends = 'work',
}: StageTitle): StageView {
  return {
    id,
    title,
    needs,
    alongside,
    spends,
    state: 'waiting',
    reason: undefined,
    startedAt: undefined,
    endedAt: undefined,
    catalogue: new Map(),
    rows: [],
    tally: NO_UNITS,
    sum: NOTHING,
    noun: undefined,
    meter: undefined,
  };
}

export function unitCount(stage: StageView): number {
  return Object.values(stage.tally).reduce((all, some) => all + some, 0);
}

/** The stage's items, where they are of one kind; a total only when every unit's is known. */
export function stageProgress(stage: StageView): Progress {
  if (stage.noun === null) return {};
  const { done, total, counted, sized } = stage.sum;
  const units = unitCount(stage);
  return { ...(counted > 0 && { done }), ...(units > 0 && sized === units && { total }) };
}

export function enterState(
  stage: StageView,
  state: StageState,
  reason: string | undefined,
  now: number,
): StageView {
  if (state === 'running')
    return { ...stage, state, reason, startedAt: stage.startedAt ?? now, endedAt: undefined };
  if (state === 'waiting') return { ...stage, state, reason };
  const cutShort = state === 'failed' || state === 'stopped';
  const rows = cutShort ? stage.rows.filter((row) => isNoteworthy(row.state)) : [];
  return {
    ...stage,
    state,
    reason,
    endedAt: now,
    catalogue: new Map(),
    rows: rows.map((row) => (row.state === 'running' ? { ...row, state, meter: undefined } : row)),
    meter: undefined,
  };
}

/** How long it ran; undefined as long as it does. */
export function timeTaken({ startedAt, endedAt }: StageView): number | undefined {
  return startedAt === undefined || endedAt === undefined ? undefined : endedAt - startedAt;
}

export function announce(stage: StageView, units: readonly UnitView[], now: number): StageView {
  const tally = { ...NO_UNITS };
  for (const unit of units) tally[unit.state] += 1;
  const sum = units.reduce((all, unit) => add(all, unit.progress, 1), NOTHING);
  const kept = units.length <= FEW_UNITS ? units : units.filter((unit) => isNoteworthy(unit.state));
  return {
    ...stage,
    tally,
    sum,
    noun: units.every(({ noun }) => noun === units[0]?.noun) ? units[0]?.noun : null,
    catalogue: new Map(units.map((unit) => [unit.id, unit])),
    rows: kept.map((unit) => ({ ...unit, meter: undefined })),
    meter: startMeter(sum.done, now),
  };
}

export function changeUnit(
  stage: StageView,
  id: string,
  news: { readonly state?: StageState; readonly progress?: Progress },
  now: number,
): StageView {
  if (stage.endedAt !== undefined) return stage;
  const row = stage.rows.find((candidate) => candidate.id === id);
  const known = row ?? stage.catalogue.get(id);
  const before: UnitView = known ?? { id, title: id, state: 'waiting', progress: {} };
  const state = news.state ?? (before.state === 'waiting' ? 'running' : before.state);
  const progress = news.progress === undefined ? before.progress : merge(before.progress, news.progress);
  const sum = add(known === undefined ? stage.sum : add(stage.sum, before.progress, -1), progress, 1);
  const tally = { ...stage.tally };
  if (known !== undefined) tally[before.state] -= 1;
  tally[state] += 1;
  const done = progress.done ?? 0;
  const started =
    row?.meter ?? (state === 'running' ? startMeter(before.progress.done ?? done, now) : undefined);
  const running = state === 'running' ? started : undefined;
  const meter = running && news.progress ? observe(running, done, progress.total, now) : running;
  const after: UnitRow = { id, title: before.title, noun: before.noun, state, progress, meter };
  const next = { ...stage, tally, sum, rows: place(stage, after) };
  if (news.progress === undefined) return next;
  return {
    ...next,
    meter: observe(stage.meter ?? startMeter(stage.sum.done, now), sum.done, stageProgress(next).total, now),
  };
}

function place(stage: StageView, row: UnitRow): readonly UnitRow[] {
  const few = unitCount(stage) <= FEW_UNITS;
  const there = stage.rows.some((candidate) => candidate.id === row.id);
  if (!few && !isNoteworthy(row.state)) return stage.rows.filter((candidate) => candidate.id !== row.id);
  return there ? stage.rows.map((old) => (old.id === row.id ? row : old)) : [...stage.rows, row];
}

function isNoteworthy(state: StageState): boolean {
  return state === 'running' || state === 'failed' || state === 'stopped';
}

function merge(before: Progress, after: Progress): Progress {
  const { note: _, ...figures } = before;
  return { ...figures, ...after };
}

export function resumeMeters(stage: StageView, now: number): StageView {
  if (stage.meter === undefined) return stage;
  const rows = stage.rows.map((row) =>
    row.meter === undefined ? row : { ...row, meter: resume(row.meter, now) },
  );
  return { ...stage, rows, meter: resume(stage.meter, now) };
}
