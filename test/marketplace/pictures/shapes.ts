/** What furniture is put together from: boards, turned legs and stuffed things. Units are metres, y is up. */
import type { Face, Material, Vector } from './space.ts';

/** A board from its centre on the ground up: `at` is the middle of its underside. */
export function board(at: Vector, size: Vector, material: Material): Face[] {
  const [x, y, z] = at;
  const [w, h, d] = [size[0] / 2, size[1], size[2] / 2];
  const corner = (sx: number, sy: number, sz: number): Vector => [x + sx * w, y + sy * h, z + sz * d];
  const longest = size[0] >= size[1] && size[0] >= size[2] ? 0 : size[1] >= size[2] ? 1 : 2;
  const stuff: Material = material.grain === undefined ? material : { ...material, grain: longest };
  const sides: readonly (readonly Vector[])[] = [
    [corner(-1, 0, 1), corner(1, 0, 1), corner(1, 1, 1), corner(-1, 1, 1)],
    [corner(1, 0, -1), corner(-1, 0, -1), corner(-1, 1, -1), corner(1, 1, -1)],
    [corner(1, 0, 1), corner(1, 0, -1), corner(1, 1, -1), corner(1, 1, 1)],
    [corner(-1, 0, -1), corner(-1, 0, 1), corner(-1, 1, 1), corner(-1, 1, -1)],
    [corner(-1, 1, 1), corner(1, 1, 1), corner(1, 1, -1), corner(-1, 1, -1)],
    [corner(-1, 0, -1), corner(1, 0, -1), corner(1, 0, 1), corner(-1, 0, 1)],
  ];
  return sides.map((corners) => ({ corners, material: stuff }));
}

/** A round bar from one point to another, thinner or thicker at its end. */
export function bar(from: Vector, to: Vector, radius: number, endRadius: number, material: Material): Face[] {
  const sides = 14;
  const axis: Vector = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const length = Math.hypot(...axis);
  const up: Vector = [axis[0] / length, axis[1] / length, axis[2] / length];
  const helper: Vector = Math.abs(up[1]) > 0.9 ? [1, 0, 0] : [0, 1, 0];
  const u = unit([
    up[1] * helper[2] - up[2] * helper[1],
    up[2] * helper[0] - up[0] * helper[2],
    up[0] * helper[1] - up[1] * helper[0],
  ]);
  const v: Vector = [up[1] * u[2] - up[2] * u[1], up[2] * u[0] - up[0] * u[2], up[0] * u[1] - up[1] * u[0]];
  const ring = (centre: Vector, size: number): Vector[] =>
    Array.from({ length: sides }, (_, i): Vector => {
      const angle = (2 * Math.PI * i) / sides;
      const [c, s] = [Math.cos(angle) * size, Math.sin(angle) * size];
      return [
        centre[0] + c * u[0] + s * v[0],
        centre[1] + c * u[1] + s * v[1],
        centre[2] + c * u[2] + s * v[2],
      ];
    });
  const [low, high] = [ring(from, radius), ring(to, endRadius)];
  const stuff: Material = material.grain === undefined ? material : { ...material, grain: 1 };
  const faces: Face[] = low.map((corner, i) => {
    const next = (i + 1) % sides;
    return {
      corners: [corner, low[next] ?? corner, high[next] ?? corner, high[i] ?? corner],
      material: stuff,
    };
  });
  faces.push({ corners: high, material: stuff }, { corners: low.toReversed(), material: stuff });
  return faces;
}

function unit([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}

/** A stuffed block with round edges; `soft` from 0.15 (a mattress) to 1 (a ball). */
export function cushion(at: Vector, size: Vector, material: Material, soft = 0.35): Face[] {
  const [columns, rows] = [28, 18];
  const bend = (value: number): number => Math.sign(value) * Math.abs(value) ** soft;
  const point = (i: number, j: number): Vector => {
    const around = (2 * Math.PI * i) / columns;
    const over = (Math.PI * j) / rows - Math.PI / 2;
    const flat = bend(Math.cos(over));
    return [
      at[0] + (size[0] / 2) * flat * bend(Math.cos(around)),
      at[1] + size[1] / 2 + (size[1] / 2) * bend(Math.sin(over)),
      at[2] - (size[2] / 2) * flat * bend(Math.sin(around)),
    ];
  };
  const faces: Face[] = [];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      faces.push({ corners: [point(i, j), point(i + 1, j), point(i + 1, j + 1), point(i, j + 1)], material });
    }
  }
  return faces;
}

/** Four legs under the corners of a rectangle, splayed outwards where `splay` is above 0. */
export function legs(
  [width, depth]: readonly [width: number, depth: number],
  height: number,
  thickness: number,
  material: Material,
  splay = 0,
  [x, z]: readonly [x: number, z: number] = [0, 0],
): Face[] {
  return [-1, 1].flatMap((sx) =>
    [-1, 1].flatMap((sz) => {
      const [px, pz] = [x + (sx * width) / 2, z + (sz * depth) / 2];
      if (splay === 0) return board([px, 0, pz], [thickness, height, thickness], material);
      return bar(
        [px + sx * splay, 0, pz + sz * splay],
        [px, height, pz],
        thickness * 0.35,
        thickness * 0.6,
        material,
      );
    }),
  );
}

/** Moves and turns what was built around the origin. */
export function placed(
  faces: readonly Face[],
  [x, z]: readonly [x: number, z: number],
  turned: number,
): Face[] {
  const [c, s] = [Math.cos(turned), Math.sin(turned)];
  return faces.map(({ corners, material }) => ({
    material,
    corners: corners.map(([px, py, pz]): Vector => [x + px * c + pz * s, py, z + pz * c - px * s]),
  }));
}
