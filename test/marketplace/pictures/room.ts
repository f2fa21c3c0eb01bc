/** The room around a piece: wall, floor, and the soft shadow it stands on. */
import { LAMP, OVERSAMPLE, turn, type Face, type Project, type Vector, type View } from './space.ts';
import { triangles } from './triangles.ts';

/** How far behind the origin the wall stands, in the units of the furniture. */
export const WALL_BEHIND = 1.25;

export function backdrop(view: View, width: number, height: number, edge: number): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(width * height * 3);
  const skirting = height * 0.022;
  for (let y = 0; y < height; y++) {
    const onFloor = y > edge;
    const board = !onFloor && y > edge - skirting;
    for (let x = 0; x < width; x++) {
      // Light falls in from the upper left.
      const light =
        1.04 - 0.16 * (x / width) - (onFloor ? 0.1 * (1 - (y - edge) / height) : 0.12 * (y / height));
      const base = onFloor ? view.floor : view.wall;
      const lift = board ? 1.07 : y > edge - skirting - 3 && !onFloor ? 0.93 : 1;
      const at = (y * width + x) * 3;
      for (let k = 0; k < 3; k++) pixels[at + k] = (base[k] ?? 0) * light * lift;
    }
  }
  return pixels;
}

/** A shadow has no edges worth two samples a pixel: it is worked out at the picture's own size. */
export function castShadow(
  pixels: Uint8ClampedArray,
  view: View,
  faces: readonly Face[],
  project: Project,
): void {
  const { width, height } = view;
  let mask = new Float32Array(width * height);
  for (const { corners } of faces) {
    const flat = corners.map((corner): Vector => {
      const [x, y, z] = turn(corner, view.yaw);
      const [px, py, near] = project([
        x - (LAMP[0] / LAMP[1]) * y * 0.55,
        0,
        z - (LAMP[2] / LAMP[1]) * y * 0.55,
      ]);
      return [px / OVERSAMPLE, py / OVERSAMPLE, near];
    });
    triangles(flat, width, height, (at) => {
      mask[at] = 1;
    });
  }
  for (const radius of [4, 6])
    mask = blur(blur(mask, width, height, radius, 1), width, height, radius, width);
  const wide = width * OVERSAMPLE;
  for (let y = 0; y < height * OVERSAMPLE; y++) {
    for (let x = 0; x < wide; x++) {
      const shadow = mask[(y >> 1) * width + (x >> 1)] ?? 0;
      if (shadow === 0) continue;
      const at = (y * wide + x) * 3;
      for (let k = 0; k < 3; k++) pixels[at + k] = (pixels[at + k] ?? 0) * (1 - 0.42 * shadow);
    }
  }
}

/** A running mean along rows (step 1) or columns (step width). */
function blur(
  from: Float32Array,
  width: number,
  height: number,
  radius: number,
  step: number,
): Float32Array<ArrayBuffer> {
  const to = new Float32Array(from.length);
  const [lines, length, stride] = step === 1 ? [height, width, width] : [width, height, 1];
  for (let line = 0; line < lines; line++) {
    const start = line * stride;
    let sum = 0;
    for (let i = -radius; i < length; i++) {
      if (i + radius < length) sum += from[start + (i + radius) * step] ?? 0;
      if (i - radius - 1 >= 0) sum -= from[start + (i - radius - 1) * step] ?? 0;
      if (i >= 0) to[start + i * step] = sum / (2 * radius + 1);
    }
  }
  return to;
}
