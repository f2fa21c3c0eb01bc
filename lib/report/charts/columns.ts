import * as Plot from '@observablehq/plot';
import type { Html } from '../html.ts';
import { count } from '../../pipeline/screen/format.ts';
import { short } from '../words.ts';
import { colourOf, drawing, textFor } from './chart.ts';
import type { Tone } from './chart.ts';

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

/** Pixels: of the columns, above them, below them, and left of them. */
const HEIGHT = 132;
const TOP = 18;
const AXIS = 26;
const SIDE = 44;
/** Of all the width, in hundredths: where there are few columns they stand apart. */
const WIDEST = 0.05;
/**
 * A first crawl brings in more than all that follow together. Columns that are so many times as high as the next are
 * cut off, with the figure on top, or all others could not be told apart: so many at most, and beside so many others.
 */
const DWARFS = 4;
const MOST_CUT = 3;
const LEAST_OTHERS = 3;
/** So many marks along the bottom have room on a phone. */
const NARROW = 4;

/** Columns in the order of time. @param marks what stands under which column */
export function columns(label: string, stacks: readonly Stack[], marks: readonly Mark[]): Html {
  const totals = stacks.map(({ parts }) => parts.reduce((sum, part) => sum + part.value, 0));
  const ceiling = ceilingOf(totals);
  // What is there is seen: a pixel at least.
  const least = ceiling / HEIGHT;
  const parts = stacks.flatMap(({ name, parts: of }, index) => {
    let reached = 0;
    return of.flatMap(({ value, tone }) => {
      if (value === 0) return [];
      const from = reached;
      reached += Math.max(value, least);
      return [{ index, from, to: reached, tone, title: textFor(`${name}: ${count(value)}`) }];
    });
  });
  const cut = groupsOf(totals.flatMap((total, index) => (total > ceiling ? [index] : []))).map((group) => ({
    group,
    // Told where it does not reach over the edge.
    isLate: (group.at(-1) ?? 0) > 0.8 * stacks.length,
    text: group.map((index) => short(totals[index] ?? 0)).join(', '),
  }));
  const padding = stacks.length > 60 ? 0.1 : 0.24;
  return drawing(label, ({ name, width }) => {
    const room = width - SIDE;
    const band = (room * (1 - padding)) / (stacks.length + padding);
    const inset = Math.max(0, (band - WIDEST * room) / 2);
    const isFull = name === 'narrow' && marks.length > NARROW;
    const shown = marks.filter((_, mark) => !isFull || mark % 2 === 0);
    return {
      height: TOP + HEIGHT + AXIS,
      marginTop: TOP,
      marginBottom: AXIS,
      marginLeft: SIDE,
      x: { type: 'band', domain: stacks.map((_, index) => index), padding, axis: null },
      y: { domain: [0, ceiling], nice: 3, clamp: true, axis: null },
      marks: [
        Plot.gridY({ ticks: Math.min(3, ceiling), stroke: 'var(--line)', strokeOpacity: 1 }),
        Plot.axisY({
          ticks: Math.min(3, ceiling),
          tickFormat: short,
          tickSize: 0,
          fill: 'var(--soft-ink)',
          label: null,
        }),
        Plot.barY(parts, {
          x: 'index',
          y1: 'from',
          y2: 'to',
          title: 'title',
          insetLeft: inset,
          insetRight: inset,
          fill: ({ tone }: { tone: Tone }) => colourOf(tone),
        }),
        Plot.ruleY([0], { stroke: 'var(--quiet)' }),
        Plot.tickY(
          cut.flatMap(({ group }) => group),
          { x: (index: number) => index, y: ceiling, dy: 10, stroke: 'var(--paper)', strokeWidth: 3 },
        ),
        ...(['start', 'end'] as const).map((textAnchor) =>
          Plot.text(
            cut.filter(({ isLate }) => isLate === (textAnchor === 'end')),
            {
              x: ({ group }: { group: number[] }) => (textAnchor === 'end' ? group.at(-1) : group[0]),
              dx: ((textAnchor === 'end' ? 1 : -1) * Math.min(band, WIDEST * room)) / 2,
              frameAnchor: 'top',
              dy: 6 - TOP,
              lineAnchor: 'top',
              textAnchor,
              text: 'text',
              fill: 'var(--soft-ink)',
            },
          ),
        ),
        Plot.text(shown, {
          x: 'index',
          frameAnchor: 'bottom',
          lineAnchor: 'top',
          dy: 8,
          text: ({ name: told }: Mark) => textFor(told),
          fill: 'var(--soft-ink)',
        }),
      ],
    };
  });
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
