import { axisY, dot, gridY, lineY, ruleY, text } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { drawing, GRID, MARK, MARK_LEFT } from './drawing.ts';
import type { Mark } from './columns.ts';

/** One value of a line. */
export interface LinePoint {
  readonly value: number;
  /** From how many it is worked out: of few there is a dot alone, without a line to it. */
  readonly n: number;
}

export interface LineOptions {
  /** What the y axis shows at least. */
  readonly domain?: readonly [number, number];
  /** A value that all are compared with. */
  readonly base?: number;
  readonly unit: (value: number) => string;
}

export const FEW = 20;
const HEIGHT = 176;
const MARGINS = { marginTop: 14, marginRight: 52, marginBottom: 26, marginLeft: 48 };
const NARROW = 4;

/** Values in the order of time. @param marks the text under each value */
export function lines(
  label: string,
  points: readonly LinePoint[],
  marks: readonly Mark[],
  { domain, base, unit }: LineOptions,
): Html {
  const values = [
    ...points.map(({ value }) => value),
    ...(domain ?? []),
    ...(base === undefined ? [] : [base]),
  ];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = low === high ? 1 : (high - low) * 0.08;
  const rows = points.map((point, index) => ({ ...point, index, told: unit(point.value) }));
  return drawing(label, (width) => ({
    ...MARGINS,
    height: HEIGHT,
    x: { domain: [0, Math.max(1, points.length - 1)], axis: null },
    y: { domain: domain ?? [low - room, high + room], axis: null },
    marks: [
      gridY({ ...GRID, ticks: 4 }),
      axisY({ ...MARK_LEFT, ticks: 4, tickFormat: unit }),
      ...(base === undefined ? [] : [ruleY([base], { stroke: 'var(--quiet)' })]),
      lineY(rows, {
        x: 'index',
        y: ({ n, value }: LinePoint) => (n < FEW ? NaN : value),
        stroke: 'var(--main)',
        strokeWidth: 2,
      }),
      dot(rows, {
        x: 'index',
        y: 'value',
        r: 3,
        fill: ({ n }: LinePoint) => (n < FEW ? 'var(--paper)' : 'var(--main)'),
        stroke: 'var(--main)',
        title: 'told',
      }),
      text(rows.slice(-1), {
        x: 'index',
        y: 'value',
        text: 'told',
        textAnchor: 'start',
        dx: 8,
        fill: 'var(--ink)',
        fontWeight: 650,
      }),
      text(
        marks.filter((_, index) => width === 'wide' || marks.length <= NARROW || index % 2 === 0),
        { ...MARK, x: 'index', text: 'name' },
      ),
    ],
  }));
}
