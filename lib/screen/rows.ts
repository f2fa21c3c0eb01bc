import stringWidth from 'string-width';
import type { StageState } from '../progress/events.ts';
import type { Progress } from '../task/task.ts';
import { count, estimate, oneLine, rate } from '../text/format.ts';
import { cut, iconOf, type Style, type Theme } from './theme.ts';
import type { Pace } from '../progress/view.ts';

/** One line about a stage or a unit, before it is fitted to the terminal. */
export interface Row {
  readonly depth: 0 | 1;
  readonly state: StageState;
  readonly title: string;
  readonly progress: Progress;
  /** What the progress counts. */
  readonly noun: string | undefined;
  readonly pace: Pace | undefined;
  /** It waits for what everybody waits for. */
  readonly held: boolean;
  /** "3 of 43 done", for a stage of several units. */
  readonly parts: string;
  /** Stands in the place of bar, rate and time once there is nothing to measure: a reason, a duration. */
  readonly remark: string | undefined;
}

/** Widths that all rows share, so that the eye finds a figure in its column. A width of 0: not shown. */
export interface Columns {
  readonly width: number;
  readonly name: number;
  readonly number: number;
  readonly sized: boolean;
  readonly noun: number;
  readonly bar: number;
  readonly rate: number;
  readonly left: number;
  readonly note: number;
}

const GAP = '  ';
const RATE = 7;
const LEFT = 15;
const SHORTEST_BAR = 6;
/** A noun is worth a shorter bar, but not the shortest. */
const BAR_BESIDE_NOUN = 8;
const PERCENT_FROM = 16;
const SHORTEST_NOTE = 12;
const REMARK_STYLE: Partial<Record<StageState, Style>> = { failed: 'red', stopped: 'yellow' };

/** Gives every figure its column, the most wanted first. Never narrower than before: nothing moves back and forth. */
export function columnsFor(
  rows: readonly Row[],
  width: number,
  names: readonly string[],
  before: Columns | undefined,
): Columns {
  const last = before?.width === width ? before : undefined;
  const widest = Math.max(8, last?.name ?? 0, ...names.map((name) => stringWidth(oneLine(name))));
  const name = Math.min(widest, Math.min(40, 14 + Math.floor(Math.max(0, width - 59) * 0.4)));
  const numbers = rows.flatMap(({ progress }) => [progress.done ?? 0, progress.total ?? 0]);
  const number = Math.max(6, last?.number ?? 0, ...numbers.map((value) => count(value).length));
  const sized = last?.sized === true || rows.some((row) => totalOf(row) !== undefined);
  let space = width - (2 + name + GAP.length + (sized ? 2 * number + 3 : number));
  const take = (wanted: number, least: number) => {
    const given = Math.min(wanted, space - GAP.length);
    if (given < least) return 0;
    space -= given + GAP.length;
    return given;
  };
  const left = take(LEFT, LEFT);
  const rate = take(RATE, RATE);
  const nouns = rows.flatMap(({ noun, progress }) => (progress.done === undefined ? [] : (noun ?? '')));
  const wanted = Math.max(last?.noun ?? 0, ...nouns.map((noun) => stringWidth(noun)));
  const noun = wanted > 0 && space - wanted - 1 >= (sized ? BAR_BESIDE_NOUN + GAP.length : 0) ? wanted : 0;
  if (noun > 0) space -= noun + 1;
  const bar = sized ? take(8 + Math.floor(Math.max(0, width - 60) / 3), SHORTEST_BAR) : 0;
  return { width, name, number, sized, noun, bar, rate, left, note: take(Infinity, SHORTEST_NOTE) };
}

export function drawRow(row: Row, columns: Columns, theme: Theme, turn: number): string {
  const room = columns.name - 2 * row.depth;
  const name = pad(cut(oneLine(row.title), room, theme), room);
  const named =
    row.state === 'running' && row.depth === 0 ? theme.style('bold', name) : dimmed(row, name, theme);
  const cells = [`${'  '.repeat(row.depth)}${icon(row, theme, turn)} ${named}`, amount(row, columns, theme)];
  if (row.remark !== undefined) {
    cells.push(theme.style(REMARK_STYLE[row.state] ?? 'dim', oneLine(row.remark)));
  } else if (row.state === 'running') {
    cells.push(...pace(row, columns, theme));
  }
  return cut(cells.join(GAP).trimEnd(), columns.width, theme);
}

function pace(row: Row, columns: Columns, theme: Theme): string[] {
  const speed = row.pace?.rate === undefined ? '' : rate(row.pace.rate);
  const left = row.pace?.left === undefined ? '' : `${estimate(row.pace.left)} left`;
  const note = cut(oneLine(row.progress.note ?? ''), columns.note, theme);
  return [
    ...(columns.bar > 0 ? [pad(meterBar(row, columns.bar, theme), columns.bar)] : []),
    ...(columns.rate > 0 ? [speed.padStart(columns.rate)] : []),
    ...(columns.left > 0 ? [left.padEnd(columns.left)] : []),
    theme.style('dim', note),
  ];
}

function icon(row: Row, theme: Theme, turn: number): string {
  return row.held ? theme.style('yellow', theme.icons.hold) : iconOf(row.state, theme, turn);
}

function amount(row: Row, columns: Columns, theme: Theme): string {
  const { done } = row.progress;
  const total = totalOf(row);
  const width =
    (columns.sized ? 2 * columns.number + 3 : columns.number) + (columns.noun > 0 ? columns.noun + 1 : 0);
  if (done === undefined) return ' '.repeat(width);
  const whole = total === undefined ? '' : ` / ${count(total)}`;
  const figures = `${count(done).padStart(columns.number)}${whole}`;
  const noun = columns.noun > 0 && row.noun !== undefined ? ` ${row.noun}` : '';
  return pad(dimmed(row, figures, theme) + theme.style('dim', noun), width);
}

/** What is finished has all there was. */
function totalOf({ state, progress }: Row): number | undefined {
  return state === 'finished' ? undefined : progress.total;
}

/** Without a known size, the number of finished parts takes its place. */
function meterBar({ progress, parts }: Row, width: number, theme: Theme): string {
  const { done, total } = progress;
  if (done === undefined || total === undefined || total <= 0) {
    const told = stringWidth(parts) > width ? parts.replace(/ \w+$/, '') : parts;
    return cut(theme.style('dim', told), width, theme);
  }
  const share = Math.min(1, done / total);
  const percent = width < PERCENT_FROM ? '' : `${Math.floor(share * 100)} %`.padStart(6);
  const length = width - percent.length;
  const halves = Math.floor(share * length * 2);
  const full = theme.bar.full.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? theme.bar.half : '');
  return (
    theme.style('cyan', full) + theme.style('dim', theme.bar.rest.repeat(length - full.length)) + percent
  );
}

function dimmed(row: Row, text: string, theme: Theme): string {
  return row.state === 'waiting' || row.state === 'skipped' ? theme.style('dim', text) : text;
}

/** Padded by what it takes on the terminal, not by its length. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}
