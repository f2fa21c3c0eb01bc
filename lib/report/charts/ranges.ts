import * as Plot from '@observablehq/plot';
import type { Html } from '../html.ts';
import { clip } from '../words.ts';
import { drawing, textFor } from './chart.ts';

/** Where the values of a group lie. All above 0. */
export interface Range {
  readonly name: string;
  readonly told: string;
  readonly p10: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
}

/** Pixels. */
const ROW = 42;
const AXIS = 26;
const SIDE = 14;
/** So many marks have room on a phone, so many on a wide screen. */
const MARKS = { narrow: 5, wide: 9 };
const HALO = { stroke: 'var(--paper)', strokeWidth: 5 };

/**
 * For each group a line from the 10th to the 90th of a hundred, a bar over its middle half and a mark at its median,
 * on a scale of ratios: from 10 to 20 is as far as from 100 to 200.
 */
export function ranges(label: string, groups: readonly Range[], unit: (value: number) => string): Html {
  const low = Math.min(...groups.map((group) => group.p10)) / 1.1;
  const high = Math.max(...groups.map((group) => group.p90)) * 1.1;
  const y = (_: Range, index: number): number => index;
  const inset = { y, insetTop: 21, insetBottom: ROW - 31 };
  return drawing(label, ({ name }) => {
    const ticks = marksBetween(low, high, MARKS[name]);
    return {
      height: groups.length * ROW + AXIS,
      marginBottom: AXIS,
      marginLeft: SIDE,
      marginRight: SIDE,
      x: { type: 'log', domain: [low, high], axis: null },
      y: { axis: null, domain: groups.map(y), padding: 0 },
      marks: [
        Plot.gridX(ticks, { stroke: 'var(--line)', strokeOpacity: 1 }),
        Plot.text(ticks, {
          x: (value: number) => value,
          frameAnchor: 'bottom',
          lineAnchor: 'top',
          dy: 8,
          text: (value: number) => textFor(unit(value)),
          fill: 'var(--soft-ink)',
        }),
        Plot.ruleY(groups, { y, x1: 'p10', x2: 'p90', dy: 5, stroke: 'var(--quiet)', strokeWidth: 2 }),
        Plot.barX(groups, { ...inset, x1: 'p25', x2: 'p75', fill: 'var(--main-soft)', rx: 2 }),
        Plot.tickX(groups, {
          y,
          x: 'p50',
          insetTop: 19,
          insetBottom: ROW - 33,
          stroke: 'var(--main)',
          strokeWidth: 3,
        }),
        Plot.text(groups, {
          y,
          ...HALO,
          dy: -8,
          dx: -SIDE,
          frameAnchor: 'left',
          text: (group: Range) => textFor(clip(group.name, 32)),
          fill: 'var(--ink)',
        }),
        Plot.text(groups, {
          y,
          ...HALO,
          dy: -8,
          dx: SIDE,
          frameAnchor: 'right',
          text: (group: Range) => textFor(group.told),
          fill: 'var(--soft-ink)',
        }),
      ],
    };
  });
}

/** Round values between the two: that begin with 1, 2 and 5, with 1 and 3, or with 1 alone, as many as there is room for. */
function marksBetween(low: number, high: number, most: number): number[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high)) - first + 1 },
    (_, index) => 10 ** (first + index),
  );
  const choices = [[1, 2, 5], [1, 3], [1]].map((leading) =>
    powers
      .flatMap((power) => leading.map((digit) => digit * power))
      .filter((value) => value >= low && value <= high),
  );
  return choices.find((marks) => marks.length <= most) ?? [];
}
