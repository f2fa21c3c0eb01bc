import * as Plot from '@observablehq/plot';
import type { Html } from '../html.ts';
import { clip } from '../words.ts';
import { colourOf, drawing, textFor } from './chart.ts';
import type { Tone } from './chart.ts';

export interface Bar {
  readonly name: string;
  /** What stands at its end. */
  readonly told: string;
  readonly value: number;
  readonly tone?: Tone;
}

/** Pixels: of a row, of its bar, and of the text above it. */
const ROW = 42;
const THICK = 8;
const ABOVE = 21;
const LONGEST_NAME = 32;

/** Bars under each other, each under its own name. @param full the value of a bar as wide as the page */
export function bars(label: string, rows: readonly Bar[], full: number): Html {
  const most = Math.max(full, 1);
  const place = (_: Bar, index: number): number => index;
  const inset = { y: place, insetTop: ABOVE, insetBottom: ROW - ABOVE - THICK, rx: 2 };
  const text = { y: place, dy: ABOVE / 2 - ROW / 2 - 2 };
  return drawing(label, () => ({
    height: rows.length * ROW,
    x: { axis: null, domain: [0, most], clamp: true },
    y: { axis: null, domain: rows.map(place), padding: 0 },
    marks: [
      Plot.barX(rows, { ...inset, x1: 0, x2: most, fill: 'var(--track)' }),
      Plot.barX(rows, { ...inset, x1: 0, x2: 'value', fill: ({ tone = 'main' }: Bar) => colourOf(tone) }),
      Plot.text(rows, {
        ...text,
        x: 0,
        text: ({ name }: Bar) => textFor(clip(name, LONGEST_NAME)),
        textAnchor: 'start',
      }),
      Plot.text(rows, {
        ...text,
        x: most,
        text: ({ told }: Bar) => textFor(told),
        textAnchor: 'end',
        fill: SOFT,
      }),
    ],
  }));
}

const SOFT = 'var(--soft-ink)';
