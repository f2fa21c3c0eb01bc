import type { Likeness } from './jobs.ts';
import { decode } from './pictures.ts';

/** Of 255: from here on a pixel is kept. */
const SOLID = 128;

/** How far two cutouts are the same: what they keep, and its colours. Both are WebP with alpha. */
export async function likeness(one: Uint8Array, other: Uint8Array): Promise<Likeness> {
  const [a, b] = [await decode(one), await decode(other)];
  if (a.width !== b.width || a.height !== b.height) return { overlap: 0, colours: 255 };
  let [both, either, apart] = [0, 0, 0];
  const alpha = ({ data, channels }: typeof a, at: number): number =>
    channels === 4 ? (data[at * 4 + 3] ?? 0) : 255;
  for (let at = 0; at < a.width * a.height; at += 1) {
    const [inOne, inOther] = [alpha(a, at) >= SOLID, alpha(b, at) >= SOLID];
    if (inOne || inOther) either += 1;
    if (!inOne || !inOther) continue;
    both += 1;
    for (let colour = 0; colour < 3; colour += 1)
      apart += Math.abs((a.data[at * a.channels + colour] ?? 0) - (b.data[at * b.channels + colour] ?? 0));
  }
  return { overlap: either === 0 ? 1 : both / either, colours: both === 0 ? 0 : apart / (both * 3) };
}
