import { axisY, barY, gridY, identity, ruleY, text, tickY } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { count } from '../../text/format.ts';
import { short } from '../words.ts';
import { colour } from './chart.ts';
import type { Tone } from './chart.ts';
import { drawing, GRID, MARK, MARK_ABOVE, MARK_LEFT } from './drawing.ts';
import type { Room } from './drawing.ts';

/** One column: its parts from the bottom up. */
export interface Stack {
  /** What a pointer over it tells: "week of 3 Aug". */
  readonly name: string;
  readonly parts: readonly { readonly value: number; readonly tone: Tone }[];
}

export interface Mark {
  readonly index: number;
  readonly name: string;
}

/** Of the drawing's width: where there are few columns they stand apart. */
const WIDEST = 0.05;
const HEIGHT = 132;
const TICKS = 3;
const MARGINS = { marginTop: 18, marginRight: 20, marginBottom: 26, marginLeft: 42 };
/**
 * A first crawl brings in more than all that follow together. Columns that are so many times as high as the next are
 * cut off, with the figure on top, or the others would all look alike: at most this many, beside this many others.
 */
const DWARFS = 4;
const MOST_CUT = 3;
const LEAST_OTHERS = 3;
/** So many marks along the bottom have room on a phone. */
const NARROW = 4;

/** Columns in the order of time. @param marks the text under each column */
export function columns(label: string, stacks: readonly Stack[], marks: readonly Mark[]): Html {
  const totals = stacks.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const ceiling = ceilingOf(totals);
  // What is there is seen: a pixel at least, for the scale ends below twice the ceiling.
  const least = (2 * ceiling) / HEIGHT;
  const drawn = stacks.flatMap(({ name, parts }, index) =>
    parts
      .filter(({ value }) => value > 0)
      .map(({ value, tone }) => ({
        index,
        height: Math.max(value, least),
        tone: colour(tone),
        told: `${name}: ${count(value)}`,
      })),
  );
  const topmost = drawn.filter(({ index }, place) => drawn[place + 1]?.index !== index);
  const cut = totals.flatMap((total, index) => (total > ceiling ? [index] : []));
  const tops = groupsOf(cut).map((group) => ({
    index: group[0] ?? 0,
    told: group.map((index) => short(totals[index] ?? 0)).join(', '),
  }));
  const isLate = ({ index }: { index: number }): boolean => index > 0.8 * stacks.length;
  const padding = Math.max(stacks.length > 60 ? 0.1 : 0.24, 1 - stacks.length * WIDEST);
  // Of what is counted there are no halves.
  const ticks = ceiling > 2 ? { ticks: TICKS } : { interval: 1 };
  return drawing(label, (room) => ({
    ...MARGINS,
    height: MARGINS.marginTop + HEIGHT + MARGINS.marginBottom,
    x: {
      type: 'band',
      domain: stacks.map((_, index) => index),
      paddingInner: padding,
      paddingOuter: padding / 2,
      round: false,
      axis: null,
    },
    y: { domain: [0, ceiling], nice: TICKS, clamp: true, axis: null },
    marks: [
      gridY({ ...GRID, ...ticks }),
      axisY({ ...MARK_LEFT, ...ticks, tickFormat: short }),
      barY(drawn, { x: 'index', y: 'height', fill: 'tone', title: 'told' }),
      // Of a column that is cut off, too, or reaches to the top: what is uppermost is seen.
      tickY(topmost, {
        x: 'index',
        y: ({ index }: Mark) => totals[index],
        stroke: 'tone',
        title: 'told',
      }),
      ruleY([0], { stroke: 'var(--quiet)' }),
      tickY(cut, {
        x: identity,
        y: (index: number) => totals[index],
        dy: 9,
        stroke: 'var(--paper)',
        strokeWidth: 3,
      }),
      text(tops.filter(isLate), { ...MARK_ABOVE, x: 'index', text: 'told', textAnchor: 'end', dx: 8 }),
      text(
        tops.filter((top) => !isLate(top)),
        { ...MARK_ABOVE, x: 'index', text: 'told', textAnchor: 'start', dx: -8 },
      ),
      text(marks.filter(hasRoom(room, marks.length)), { ...MARK, x: 'index', text: 'name' }),
    ],
  }));
}

/** On a phone every other of many. */
function hasRoom(room: Room, count: number): (mark: Mark, index: number) => boolean {
  return (_, index) => room === 'wide' || count <= NARROW || index % 2 === 0;
}

/** Where the scale ends: at the largest, or at the next below those that are cut off. */
function ceilingOf(totals: readonly number[]): number {
  const sizes = totals.filter((total) => total > 0).toSorted((a, b) => b - a);
  const room = Math.min(MOST_CUT, sizes.length - LEAST_OTHERS);
  const dwarf = sizes.findIndex(
    (size, index) => index > 0 && index <= room && (sizes[index - 1] ?? 0) >= DWARFS * size,
  );
  return sizes[Math.max(0, dwarf)] ?? 1;
}

/** Numbers that follow each other, together. */
function groupsOf(indices: readonly number[]): number[][] {
  const groups: number[][] = [];
  for (const index of indices) {
    const last = groups.at(-1);
    if (last?.at(-1) === index - 1) last.push(index);
    else groups.push([index]);
  }
  return groups;
}

/** Evenly chosen from so many columns, the last one among them: at most `most`. */
export function everyFew(columnCount: number, most: number): number[] {
  const step = Math.max(1, Math.ceil(columnCount / most));
  const from = (columnCount - 1) % step;
  return Array.from({ length: columnCount }, (_, index) => index).filter((index) => index % step === from);
}
