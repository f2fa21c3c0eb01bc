/** Draws one picture; runs in a worker, so that drawing never delays the arrival times the server notes. */
import { parentPort } from 'node:worker_threads';
import { encode } from 'jpeg-js';
import { furniture } from './furniture.ts';
import { HEIGHTS } from '../images.ts';
import { KINDS, type Kind } from '../kinds.ts';
import { render } from './raster.ts';
import type { Rendered } from './raster.ts';
import type { Rgb } from './space.ts';

const WALLS: readonly [Rgb, ...Rgb[]] = [[226, 220, 210], [206, 214, 216], [232, 226, 230], [214, 220, 204], [238, 234, 226], [218, 206, 196]]; // prettier-ignore
const FLOORS: readonly [Rgb, ...Rgb[]] = [[188, 166, 142], [170, 172, 174], [206, 192, 176], [158, 138, 116], [216, 210, 200], [180, 160, 148]]; // prettier-ignore

export interface Order {
  kind: Kind;
  drawing: number;
  /** In pixels; the CDN's where nothing is said. */
  width?: number;
}

const WIDTH = 570;

export function draw(order: Order): Buffer {
  return encode(rendered(order), 80).data;
}

/** Its pixels, and which of them are furniture. */
export function rendered({ kind, drawing, width = WIDTH }: Order): Rendered {
  const turn = KINDS.indexOf(kind) + drawing;
  // From the seventh on they repeat the shapes, in other wood and cloth, before another wall and from the other side.
  const look = Math.floor(drawing / HEIGHTS.length);
  const yaw = [-0.5, 0.45, -0.62, 0.3, 0.6, -0.38][drawing % 6] ?? 0.5;
  return render(furniture(kind, drawing), {
    width,
    height: Math.round(((HEIGHTS[drawing % HEIGHTS.length] ?? HEIGHTS[0]) * width) / WIDTH),
    yaw: (look % 2 === 0 ? yaw : -yaw) * (1 - 0.06 * look),
    pitch: 0.3 + 0.04 * (turn % 4),
    wall: WALLS[(turn + look) % WALLS.length] ?? WALLS[0],
    floor: FLOORS[(turn + 2 * look) % FLOORS.length] ?? FLOORS[0],
  });
}

parentPort?.on('message', (order: Order) => parentPort?.postMessage(draw(order)));
