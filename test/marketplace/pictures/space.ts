/** Points, light and the camera. Units are metres, y is up. */

export type Vector = readonly [x: number, y: number, z: number];
export type Rgb = readonly [red: number, green: number, blue: number];

export interface Material {
  rgb: Rgb;
  /** The axis wood grain runs along; none where the stuff is not wood. */
  grain?: 0 | 1 | 2;
}

export interface Face {
  corners: readonly Vector[];
  material: Material;
}

export interface View {
  width: number;
  height: number;
  yaw: number;
  pitch: number;
  wall: Rgb;
  floor: Rgb;
}

/** Samples a pixel, each way. */
export const OVERSAMPLE = 2;
/** Where the light comes from. */
export const LAMP: Vector = normal([-0.45, 0.8, 0.55]);
/** From the camera to the origin. */
const DISTANCE = 4.2;

export function normal([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}

export const subtract = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export function turn([x, y, z]: Vector, yaw: number): Vector {
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  return [x * c + z * s, y, z * c - x * s];
}

/** To a pixel, and one over the distance, which unlike the distance runs straight along the picture. */
export type Project = (point: Vector) => Vector;

/** Fits the furniture into the frame, a little below its middle. */
export function camera(faces: readonly Face[], view: View, width: number, height: number): Project {
  const [c, s] = [Math.cos(view.pitch), Math.sin(view.pitch)];
  const seen = (point: Vector): Vector => {
    const [x, y, z] = point;
    const depth = DISTANCE - (z * c + y * s);
    return [x / depth, (y * c - z * s) / depth, 1 / depth];
  };
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { corners } of faces) {
    for (const corner of corners) {
      const [x, y] = seen(turn(corner, view.yaw));
      left = Math.min(left, x);
      right = Math.max(right, x);
      bottom = Math.min(bottom, y);
      top = Math.max(top, y);
    }
  }
  const scale = Math.min((0.76 * width) / (right - left), (0.74 * height) / (top - bottom));
  return (point) => {
    const [x, y, near] = seen(point);
    return [
      width / 2 + (x - (left + right) / 2) * scale,
      height * 0.53 - (y - (top + bottom) / 2) * scale,
      near,
    ];
  };
}
