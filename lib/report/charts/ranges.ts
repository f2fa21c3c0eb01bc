import { barX, dot, gridX, ruleY, text, tickX } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { everyFew } from './columns.ts';
import { drawing, GRID, MARK } from './drawing.ts';
import { BAR_TOP, names, ROW, rowsOf } from './rows.ts';

/** The spread of a group's values. All above 0. */
export interface Range {
  readonly name: string;
  readonly told: string;
  readonly p10: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  /** Of few, the values themselves: they are drawn in place of a range that they do not make. */
  readonly values?: readonly number[];
}

const AXIS = 28;
const THICK = 10;
/** So many marks have room. */
const MARKS = { narrow: 4, wide: 8 };

/**
 * For each group a line from the 10th to the 90th of a hundred, a bar over its middle half and a mark at its median,
 * on a scale of ratios: from 10 to 20 is as far as from 100 to 200.
 */
export function ranges(label: string, groups: readonly Range[], unit: (value: number) => string): Html {
  const low = Math.min(...groups.flatMap((group) => [group.p10, ...(group.values ?? [])]));
  const high = Math.max(...groups.flatMap((group) => [group.p90, ...(group.values ?? [])]));
  const placed = groups.map((group, index) => ({ ...group, index }));
  const many = placed.filter(({ values }) => values === undefined);
  const dots = placed.flatMap(({ index, values = [] }) => values.map((value) => ({ index, value })));
  const middle = BAR_TOP + THICK / 2 - ROW / 2;
  const rows = rowsOf(groups.length);
  const below = ROW - BAR_TOP - THICK;
  return drawing(label, (room) => {
    const ticks = marksOf(low, high, MARKS[room]);
    return {
      ...rows,
      height: groups.length * ROW + AXIS,
      marginBottom: AXIS,
      x: { type: 'log', domain: [low / 1.1, high * 1.1], axis: null },
      marks: [
        gridX(ticks, GRID),
        text(ticks, { ...MARK, x: (value: number) => value, text: unit }),
        ...names(groups),
        ruleY(many, {
          y: 'index',
          x1: 'p10',
          x2: 'p90',
          dy: middle,
          stroke: 'var(--quiet)',
          strokeWidth: 2,
        }),
        barX(many, {
          y: 'index',
          x1: 'p25',
          x2: 'p75',
          insetTop: BAR_TOP,
          insetBottom: below,
          rx: 2,
          fill: 'var(--main-soft)',
        }),
        dot(dots, { y: 'index', x: 'value', dy: middle, r: 3.5, fill: 'var(--quiet)', fillOpacity: 0.7 }),
        tickX(placed, {
          y: 'index',
          x: 'p50',
          insetTop: BAR_TOP - 2,
          insetBottom: below - 2,
          stroke: 'var(--main)',
          strokeWidth: 3,
        }),
      ],
    };
  });
}

/** Values that begin with 1, with 1 and 3, or with 1, 2 and 5, or some of these: as many as there is room for. */
export function marksOf(low: number, high: number, most: number): number[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, index) => first + index);
  const choices = [[1, 2, 5], [1, 3], [1]].map((leading) =>
    powers
      .flatMap((power) => leading.map((digit) => Number(`${digit}e${power}`)))
      .filter((value) => value >= low && value <= high),
  );
  const tens = choices.at(-1) ?? [];
  return (
    choices.find((marks) => marks.length <= most) ??
    everyFew(tens.length, most).map((index) => tens[index] ?? 0)
  );
}
