import { scaleBand, scaleLinear } from 'd3-scale';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { count } from '../../pipeline/screen/format.ts';
import { short } from '../words.ts';
import { drawing, percent } from './chart.ts';
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

/** Of a column, in percent: where there are few they stand apart. */
const WIDEST = 5;
const HEIGHT = 132;
const AXIS = 26;
const TOP = 18;
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
  const total = (stack: Stack): number => stack.parts.reduce((sum, part) => sum + part.value, 0);
  const ceiling = ceilingOf(stacks.map(total));
  const y = scaleLinear([0, ceiling], [TOP + HEIGHT, TOP])
    .nice(3)
    .clamp(true);
  const x = scaleBand(
    stacks.map((_, index) => index),
    [0, 100],
  ).paddingInner(stacks.length > 60 ? 0.1 : 0.24);
  const width = Math.min(x.bandwidth(), WIDEST);
  const middleOf = (index: number): number => (x(index) ?? 0) + x.bandwidth() / 2;
  const base = TOP + HEIGHT;
  const grid = y
    .ticks(3)
    .filter((value) => Number.isInteger(value))
    .map(
      (value) =>
        html`<line
            x1="0"
            x2="100%"
            y1="${y(value)}"
            y2="${y(value)}"
            class="${value === 0 ? 'base' : 'grid'}"
          />
          <text x="-8" y="${y(value) + 4}" class="mark end">${short(value)}</text> `,
    );
  const drawn = stacks.map((stack, index) => {
    let reached = 0;
    return stack.parts
      .filter(({ value }) => value > 0)
      .map(({ value, tone }) => {
        reached += value;
        // What is there is seen: a pixel at least.
        const height = Math.max(1, y(reached - value) - y(reached));
        return html`<rect
          x="${percent(middleOf(index) - width / 2)}"
          y="${Number((y(reached - value) - height).toFixed(2))}"
          width="${percent(width)}"
          height="${Number(height.toFixed(2))}"
          class="${tone}"
          ><title>${stack.name}: ${count(value)}</title></rect
        > `;
      });
  });
  const cut = groupsOf(stacks.flatMap((stack, index) => (total(stack) > ceiling ? [index] : []))).map(
    (group) => {
      const [left, right] = [middleOf(group[0] ?? 0) - width / 2, middleOf(group.at(-1) ?? 0) + width / 2];
      const isLate = right > 80;
      const told = group.map((index) => short(stacks[index] ? total(stacks[index]) : 0)).join(', ');
      return html`<line
          x1="${percent(left)}"
          x2="${percent(right)}"
          y1="${TOP + 12}"
          y2="${TOP + 6}"
          class="cut"
        />
        <text x="${percent(isLate ? right : left)}" y="${TOP - 6}" class="mark${isLate ? ' end' : ''}"
          >${told}</text
        > `;
    },
  );
  const along = marks.map(({ index, name }, mark) => {
    const isForWide = marks.length > NARROW && mark % 2 === 1;
    return html`<text
      x="${percent(middleOf(index))}"
      y="${base + 18}"
      class="mark middle${isForWide ? ' wide' : ''}"
      >${name}</text
    > `;
  });
  return drawing(label, base + AXIS, 'columns', [grid, drawn, cut, along]);
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
