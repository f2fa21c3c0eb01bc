/** A small software renderer: flat faces, a depth buffer, a lamp. */
import { backdrop, castShadow, WALL_BEHIND } from './room.ts';
import {
  camera,
  cross,
  dot,
  LAMP,
  normal,
  OVERSAMPLE,
  subtract,
  turn,
  type Face,
  type Project,
  type View,
} from './space.ts';
import { triangles, turnedAway, type Paint } from './triangles.ts';

export interface Rendered {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly data: Buffer;
  /** 1 where the furniture is, 0 where wall, floor and shadow are. */
  readonly mask: Uint8Array;
}

/** Draws the faces standing on the floor before a wall. */
export function render(faces: readonly Face[], view: View): Rendered {
  const width = view.width * OVERSAMPLE;
  const height = view.height * OVERSAMPLE;
  const project = camera(faces, view, width, height);
  const pixels = backdrop(view, width, height, project([0, 0, -WALL_BEHIND])[1]);
  castShadow(pixels, view, faces, project);
  const nearest = new Float32Array(width * height);
  for (const face of faces) drawFace(face, view, project, pixels, nearest, width, height);
  const data = shrink(pixels, view.width, view.height);
  return { width: view.width, height: view.height, data, mask: maskOf(nearest, view) };
}

/** A pixel is furniture where at least two of its four samples are. */
function maskOf(nearest: Float32Array, { width, height }: View): Uint8Array {
  const mask = new Uint8Array(width * height);
  const wide = width * OVERSAMPLE;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * OVERSAMPLE * wide + x * OVERSAMPLE;
      const samples = [nearest[at], nearest[at + 1], nearest[at + wide], nearest[at + wide + 1]];
      mask[y * width + x] = samples.filter((near) => (near ?? 0) > 0).length >= 2 ? 1 : 0;
    }
  }
  return mask;
}

function drawFace(
  { corners, material }: Face,
  view: View,
  project: Project,
  pixels: Uint8ClampedArray,
  nearest: Float32Array,
  width: number,
  height: number,
): void {
  const [first, second, third] = corners.map((corner) => turn(corner, view.yaw));
  if (!first || !second || !third) return;
  const facing = normal(cross(subtract(second, first), subtract(third, first)));
  const light = 0.5 + 0.5 * Math.max(0, dot(facing, LAMP)) + 0.08 * Math.max(0, facing[1]);
  const points = corners.map((corner) => project(turn(corner, view.yaw)));
  const [a, start] = [points[0], corners[0]];
  if (!a || !start || turnedAway(points)) return;
  const paint: Paint = (at, v, w, corner) => {
    const b = points[corner] ?? a;
    const c = points[corner + 1] ?? a;
    const near = a[2] + v * (b[2] - a[2]) + w * (c[2] - a[2]);
    if (near <= (nearest[at] ?? 0)) return;
    nearest[at] = near;
    let shade = light;
    if (material.grain !== undefined) {
      const [p, q] = [corners[corner] ?? start, corners[corner + 1] ?? start];
      const x = start[0] + v * (p[0] - start[0]) + w * (q[0] - start[0]);
      const y = start[1] + v * (p[1] - start[1]) + w * (q[1] - start[1]);
      const z = start[2] + v * (p[2] - start[2]) + w * (q[2] - start[2]);
      shade *= material.grain === 0 ? grain(x, y, z) : material.grain === 1 ? grain(y, z, x) : grain(z, x, y);
    }
    for (let k = 0; k < 3; k++) pixels[at * 3 + k] = (material.rgb[k] ?? 0) * shade;
  };
  triangles(points, width, height, paint);
}

/** Darker and lighter streaks that wander a little along the axis of the grain. */
function grain(along: number, one: number, other: number): number {
  const across = one + 0.7 * other;
  const streak = across * 70 + 1.6 * Math.sin(along * 5 + across * 9);
  return 1 + 0.05 * Math.sin(streak) + 0.035 * Math.sin(streak * 2.7 + along * 3);
}

function shrink(pixels: Uint8ClampedArray, width: number, height: number): Buffer {
  const data = Buffer.alloc(width * height * 4, 255);
  const row = width * OVERSAMPLE * 3;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * OVERSAMPLE * width + x) * OVERSAMPLE * 3;
      for (let k = 0; k < 3; k++) {
        const sum =
          (pixels[at + k] ?? 0) +
          (pixels[at + k + 3] ?? 0) +
          (pixels[at + k + row] ?? 0) +
          (pixels[at + k + row + 3] ?? 0);
        data[(y * width + x) * 4 + k] = sum >> 2;
      }
    }
  }
  return data;
}
