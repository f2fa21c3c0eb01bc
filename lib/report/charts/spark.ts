import { dot, lineY } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { svgOf } from './drawing.ts';

export interface Point {
  /** In the order of time; any unit. */
  readonly at: number;
  readonly value: number;
}

const SIZE = { width: 152, height: 34 };
/** Of more, the newest. */
const MOST = 60;

/** A line no larger than a word, in the colour of its meaning. @param isStep whether a value holds until the next */
export function spark(label: string, points: readonly Point[], isStep: boolean): Html | undefined {
  const shown = points.slice(-MOST);
  const values = shown.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (shown.length < 2) return undefined;
  return svgOf(label, {
    ...SIZE,
    className: 'spark',
    margin: 5,
    x: { axis: null },
    // What did not change is a line in the middle.
    y: { axis: null, domain: low === high ? [low - 1, high + 1] : [low, high] },
    marks: [
      lineY(shown, {
        x: 'at',
        y: 'value',
        curve: isStep ? 'step-after' : 'linear',
        stroke: 'var(--main)',
        strokeWidth: 1.75,
      }),
      dot(shown.slice(-1), { x: 'at', y: 'value', r: 3, fill: 'var(--main)' }),
    ],
  });
}
