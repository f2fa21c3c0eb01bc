import { text } from '@observablehq/plot';
import { clip } from '../../text/clean.ts';
import type { Markish, PlotOptions } from '@observablehq/plot';

/** Pixels from one row to the next, and from its top to the bar. Above the bar are its name and its figures. */
export const ROW = 42;
export const BAR_TOP = 21;
const LONGEST_NAME = 32;

interface Named {
  readonly name: string;
  readonly told: string;
}

/** A row for each, in their order. */
export function rowsOf(count: number): Pick<PlotOptions, 'height' | 'margin' | 'y'> {
  return {
    height: count * ROW,
    margin: 0,
    y: { type: 'band', domain: Array.from({ length: count }, (_, index) => index), padding: 0, axis: null },
  };
}

/** The row of whatever is drawn as the index-th. */
export const inItsRow = (_: unknown, index: number): number => index;

export function names(rows: readonly Named[]): Markish[] {
  const common = { y: inItsRow, dy: -11, stroke: 'var(--paper)', strokeWidth: 5 };
  return [
    text(rows, {
      ...common,
      text: ({ name }: Named) => clip(name, LONGEST_NAME),
      frameAnchor: 'left',
      fill: 'var(--ink)',
    }),
    text(rows, { ...common, text: 'told', frameAnchor: 'right', fill: 'var(--soft-ink)' }),
  ];
}
