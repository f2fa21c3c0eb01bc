import { barX } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { colour } from './chart.ts';
import type { Tone } from './chart.ts';
import { drawing } from './drawing.ts';
import { BAR_TOP, inItsRow, names, ROW, rowsOf } from './rows.ts';

export interface Bar {
  readonly name: string;
  /** The text at its end. */
  readonly told: string;
  readonly value: number;
  readonly tone?: Tone;
}

const THICK = 8;

/** Bars under each other, each under its own name. @param full the value of a bar as wide as the page */
export function bars(label: string, rows: readonly Bar[], full: number): Html {
  const place = { y: inItsRow, insetTop: BAR_TOP, insetBottom: ROW - BAR_TOP - THICK, rx: 2 };
  return drawing(label, () => ({
    ...rowsOf(rows.length),
    x: { domain: [0, Math.max(full, 1)], clamp: true, axis: null },
    marks: [
      ...names(rows),
      barX(rows, { ...place, x: () => Math.max(full, 1), fill: 'var(--track)' }),
      barX(rows, { ...place, x: 'value', fill: ({ tone = 'main' }: Bar) => colour(tone) }),
    ],
  }));
}
