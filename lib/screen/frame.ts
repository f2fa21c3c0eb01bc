import type { Scene } from './scene.ts';
import type { StageState } from '../progress/events.ts';
import { count, duration } from '../text/format.ts';
import { footer, title } from './margins.ts';
import type { Meter } from '../progress/meter.ts';
import { type Columns, columnsFor, drawRow, type Row } from './rows.ts';
import { stageProgress, timeTaken, unitCount, type StageView, type UnitRow } from '../progress/stage.ts';
import { cut } from './theme.ts';
import { withQuota } from './budget.ts';
import { isBarred, isHeld, type Pace, paceOf, waitsFor } from '../progress/view.ts';

export interface Frame {
  readonly header: readonly string[];
  /** The lines of each stage, in order. */
  readonly stages: readonly (readonly string[])[];
  readonly footer: readonly string[];
  readonly columns: Columns;
}

/** The names of more units than this are measured only when they are shown. */
const MEASURED = 100;

/** The last frame scrolls away, yet is to be read. */
const UNITS_AT_THE_END = 20;
const RANK: Readonly<Record<StageState, number>> = {
  running: 0,
  failed: 1,
  stopped: 2,
  waiting: 3,
  finished: 4,
  skipped: 5,
};
const SUMMARY: readonly (readonly [StageState, string])[] = [
  ['running', 'more running'],
  ['failed', 'failed'],
  ['stopped', 'stopped'],
  ['finished', 'done'],
  ['skipped', 'skipped'],
  ['waiting', 'to come'],
];

export function drawFrame(scene: Scene): Frame {
  const { view, theme, width } = scene;
  const header = [cut(title(scene), width, theme), ''];
  const notes = footer(scene);
  const foot = notes.length > 0 ? ['', ...notes] : [];
  const stageRows = view.stages.map((stage) => rowOfStage(stage, scene));
  const unitRows = view.stages.map((stage) => (unitCount(stage) > 1 ? stage.rows : []));
  const names = view.stages.flatMap((stage) => [stage.title, ...unitNames(stage)]);
  const drawn = [
    ...stageRows,
    ...view.stages.flatMap((stage, index) =>
      (unitRows[index] ?? []).map((unit) => rowOfUnit(stage, unit, scene)),
    ),
  ];
  // Nothing moves after the last frame: it has the columns that suit it.
  const columns = columnsFor(drawn, width, names, scene.final ? undefined : scene.columns);
  const free = scene.height - header.length - stageRows.length - foot.length;
  let room = scene.final ? UNITS_AT_THE_END : free;
  const stages = view.stages.map((stage, index) => {
    const units = fitUnits(stage, unitRows[index] ?? [], Math.max(0, room));
    const lines = units.shown.map((unit) =>
      drawRow(rowOfUnit(stage, unit, scene), columns, theme, scene.turn),
    );
    if (units.summary !== '') lines.push(cut(theme.style('dim', `    ${units.summary}`), width, theme));
    room -= lines.length;
    const row = stageRows[index];
    return row === undefined ? lines : [drawRow(row, columns, theme, scene.turn), ...lines];
  });
  return { header: room < 0 ? [] : header, stages, footer: foot, columns };
}

/** Indented, of all units that may come to be shown. */
function unitNames(stage: StageView): readonly string[] {
  if (unitCount(stage) <= 1) return [];
  const units = [...stage.rows, ...(stage.catalogue.size > MEASURED ? [] : stage.catalogue.values())];
  return units.map((unit) => `--${unit.title}`);
}

function rowOfStage(stage: StageView, scene: Scene): Row {
  const { view, now } = scene;
  const units = unitCount(stage);
  const awaited = waitsFor(view, stage, now).join(', ');
  const note = units === 1 ? stage.rows[0]?.progress.note : undefined;
  const took = timeTaken(stage);
  const time = took === undefined ? 'in an earlier start' : duration(took);
  const ended = stage.state === 'finished' ? time : stage.reason;
  const isLost = stage.state === 'waiting' && isBarred(view, stage);
  const waits = isLost
    ? 'will be skipped'
    : `${stage.state === 'waiting' ? 'after' : 'waits for'} ${awaited}`;
  return {
    depth: 0,
    state: stage.state,
    title: stage.title,
    progress: { ...stageProgress(stage), ...(note !== undefined && { note }) },
    noun: stage.noun ?? undefined,
    pace: awaited === '' ? paceFor(stage, stage.meter, scene) : undefined,
    held: stage.state === 'running' && awaited === '' && isHeld(view, stage.meter, now),
    parts: units > 1 ? `${count(stage.tally.finished)} of ${count(units)} done` : '',
    remark: isLost || awaited !== '' ? waits : stage.state === 'running' ? undefined : ended,
  };
}

function rowOfUnit(
  stage: StageView,
  { state, title: name, noun, progress, meter }: UnitRow,
  scene: Scene,
): Row {
  const held = state === 'running' && isHeld(scene.view, meter, scene.now);
  const pace = paceFor(stage, meter, scene);
  return { depth: 1, state, title: name, noun, progress, pace, held, parts: '', remark: undefined };
}

/** What makes requests waits when the day's are used up. */
function paceFor(
  stage: StageView,
  meter: Meter | undefined,
  { view, gauges, apiRate, now }: Scene,
): Pace | undefined {
  const pace = paceOf(view, meter, now);
  if (pace?.left === undefined || stage.spends === 'work') return pace;
  return { rate: pace.rate, left: withQuota(pace.left, apiRate, gauges?.api) };
}

interface Fitted {
  readonly shown: readonly UnitRow[];
  readonly summary: string;
}

/** Those under way first, then those that ended badly, then the rest; what does not fit is summed up in a line. */
function fitUnits(stage: StageView, rows: readonly UnitRow[], room: number): Fitted {
  const listed = stage.state === 'running' ? unitCount(stage) : rows.length;
  if (listed <= 1 || room <= 0) return { shown: rows.slice(0, Math.min(listed, room)), summary: '' };
  if (rows.length === listed && listed <= room) return { shown: rows, summary: '' };
  const ranked = rows.toSorted((a, b) => RANK[a.state] - RANK[b.state]);
  const chosen = new Set(ranked.slice(0, room - 1));
  const hidden = { ...stage.tally };
  for (const unit of chosen) hidden[unit.state] -= 1;
  const summary = SUMMARY.flatMap(([state, what]) =>
    hidden[state] > 0 ? [`${count(hidden[state])} ${what}`] : [],
  );
  return { shown: rows.filter((unit) => chosen.has(unit)), summary: summary.join(', ') };
}
