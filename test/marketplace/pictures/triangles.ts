/** Which pixels lie inside a polygon. */
import type { Vector } from './space.ts';

export type Paint = (at: number, v: number, w: number, corner: number) => void;

/**
 * Visits every pixel of a polygon, triangle by triangle from its first corner. `v` and `w` say how near the pixel
 * is to the triangle's second and third corner, which are the polygon's `corner` and the next.
 */
export function triangles(points: readonly Vector[], width: number, height: number, paint: Paint): void {
  const a = points[0];
  for (let corner = 1; corner + 1 < points.length; corner++) {
    const b = points[corner];
    const c = points[corner + 1];
    if (!a || !b || !c) continue;
    const area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]);
    if (Math.abs(area) < 1e-9) continue;
    const [stepV, stepW] = [(c[1] - a[1]) / area, -(b[1] - a[1]) / area];
    const top = Math.max(0, Math.ceil(Math.min(a[1], b[1], c[1])));
    const bottom = Math.min(height - 1, Math.floor(Math.max(a[1], b[1], c[1])));
    for (let y = top; y <= bottom; y++) {
      const v0 = (-a[0] * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area;
      const w0 = ((b[0] - a[0]) * (y - a[1]) + a[0] * (b[1] - a[1])) / area;
      // Inside is where v, w and 1 - v - w are not negative; each rules out one end of the row.
      let [left, right] = [0, width - 1];
      for (const [start, step] of [
        [v0, stepV],
        [w0, stepW],
        [1 - v0 - w0, -stepV - stepW],
      ] as const) {
        if (step > 1e-12) left = Math.max(left, Math.ceil(-start / step - 1e-6));
        else if (step < -1e-12) right = Math.min(right, Math.floor(-start / step + 1e-6));
        else if (start < -1e-6) right = -1;
      }
      for (let x = left; x <= right; x++) paint(y * width + x, v0 + x * stepV, w0 + x * stepW, corner);
    }
  }
}

/** Corners run anticlockwise as seen from outside; on the screen, where y points down, that is a negative area. */
export function turnedAway(points: readonly Vector[]): boolean {
  let area = 0;
  let last = points.at(-1);
  for (const next of points) {
    if (last) area += last[0] * next[1] - next[0] * last[1];
    last = next;
  }
  return area >= 0;
}
