import { axisX, axisY, dot, gridX, gridY } from '@observablehq/plot';
import type { Html } from '../html.ts';
import { short } from '../words.ts';
import { drawing, GRID, MARK_LEFT } from './drawing.ts';
import { marksOf } from './ranges.ts';

interface Spot {
  readonly x: number;
  readonly y: number;
}

const HEIGHT = 300;

/** A dot for each: along the bottom on a scale of ratios, upwards by roots, so that a few large ones do not press the rest down. */
export function scatter(label: string, spots: readonly Spot[], unit: (value: number) => string): Html {
  const xs = spots.map(({ x }) => x);
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  return drawing(label, (room) => ({
    height: HEIGHT,
    marginLeft: 44,
    marginBottom: 28,
    marginTop: 12,
    marginRight: 20,
    x: { type: 'log', domain: [low / 1.15, high * 1.15] },
    y: { type: 'sqrt', domain: [0, Math.max(1, ...spots.map(({ y }) => y))], nice: true },
    marks: [
      gridX(marksOf(low, high, room === 'wide' ? 8 : 4), GRID),
      gridY({ ...GRID, ticks: 4 }),
      axisX(marksOf(low, high, room === 'wide' ? 8 : 4), {
        fill: 'var(--soft-ink)',
        fontSize: 12,
        tickSize: 0,
        label: null,
        tickFormat: unit,
      }),
      axisY({ ...MARK_LEFT, ticks: 4, tickFormat: short }),
      dot(spots, { x: 'x', y: 'y', r: 2.5, fill: 'var(--main)', fillOpacity: 0.45 }),
    ],
  }));
}
