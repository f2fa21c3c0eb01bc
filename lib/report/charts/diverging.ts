import { barX, dot, ruleX } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { drawing } from './drawing.ts';
import { FEW } from './lines.ts';
import { BAR_TOP, names, ROW, rowsOf } from './rows.ts';

export interface Change {
  readonly name: string;
  readonly told: string;
  /** Below 0: less. */
  readonly value: number;
  /** How many it is the mean of: of few a dot alone. */
  readonly n: number;
}

const THICK = 8;

/** Bars to the left of the middle, and to the right. */
export function diverging(label: string, rows: readonly Change[]): Html {
  const most = Math.max(1, ...rows.map(({ value }) => Math.abs(value)));
  const place = { insetTop: BAR_TOP, insetBottom: ROW - BAR_TOP - THICK, rx: 2 };
  const indexed = rows.map((row, index) => ({ ...row, index }));
  const isFew = ({ n }: Change): boolean => n < FEW;
  const colour = ({ value }: Change): string => (value < 0 ? 'var(--alert)' : 'var(--main)');
  return drawing(label, () => ({
    ...rowsOf(rows.length),
    x: { domain: [-1.04 * most, 1.04 * most], axis: null },
    marks: [
      barX(indexed, { ...place, y: 'index', x1: -most, x2: most, fill: 'var(--track)' }),
      ...names(rows),
      barX(
        indexed.filter((row) => !isFew(row)),
        { ...place, y: 'index', x1: 0, x2: 'value', fill: colour },
      ),
      dot(indexed.filter(isFew), {
        y: 'index',
        x: 'value',
        dy: BAR_TOP + THICK / 2 - ROW / 2,
        r: 4,
        fill: 'var(--paper)',
        stroke: colour,
        strokeWidth: 2,
      }),
      ruleX([0], { stroke: 'var(--ink)', strokeOpacity: 0.6 }),
    ],
  }));
}
