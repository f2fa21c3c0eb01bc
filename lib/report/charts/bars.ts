import { scaleLinear } from 'd3-scale';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { clip } from '../words.ts';
import { drawing, percent } from './chart.ts';
import type { Tone } from './chart.ts';

export interface Bar {
  readonly name: string;
  /** What stands at its end. */
  readonly told: string;
  readonly value: number;
  readonly tone?: Tone;
}

const ROW = 42;
const LONGEST_NAME = 32;

/** Bars under each other, each under its own name. @param full the value of a bar as wide as the page */
export function bars(label: string, rows: readonly Bar[], full: number): Html {
  const x = scaleLinear([0, Math.max(full, 1)], [0, 100]).clamp(true);
  const marks = rows.map(({ name, told, value, tone = 'main' }, index) => {
    const top = index * ROW;
    return html`<text x="0" y="${top + 14}">${clip(name, LONGEST_NAME)}</text>
      <text x="100%" y="${top + 14}" class="end value">${told}</text>
      <rect x="0" y="${top + 21}" width="100%" height="8" rx="2" class="track" />
      <rect x="0" y="${top + 21}" width="${percent(x(value))}" height="8" rx="2" class="${tone}" /> `;
  });
  return drawing(label, rows.length * ROW - 6, 'bars', marks);
}
