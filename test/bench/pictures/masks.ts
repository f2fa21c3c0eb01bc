import { encode } from 'jpeg-js';
import sharp from 'sharp';
import { Models } from '../../../lib/models/models.ts';
import type { Registry } from '../../../lib/models/registry.ts';
import { KINDS } from '../../marketplace/kinds.ts';
import { rendered } from '../../marketplace/pictures/draw.ts';

export interface Masks {
  readonly model: string;
  readonly pictures: number;
  /** Of the cutout's solid part with what was drawn: what both have over what either has. */
  readonly meanIou: number;
  readonly worst: { readonly what: string; readonly iou: number };
  /** Median, all in: decoding, the model, the cutout. */
  readonly msAnImage: number;
}

const SOLID = 128;

/** How well a model cuts the marketplace's drawings out, whose masks are known: of every kind in turn. */
export async function masks(
  model: string,
  count: number,
  settings: { readonly folder: string; readonly registry?: Registry },
): Promise<Masks> {
  const models = new Models({ ...settings, threads: 1 });
  const found: { what: string; iou: number; ms: number }[] = [];
  try {
    await models.ready('cutout', model, { signal: new AbortController().signal });
    const pool = await models.pool();
    for (let at = 0; at < count; at += 1) {
      const order = { kind: KINDS[at % KINDS.length] ?? 'chair', drawing: Math.floor(at / KINDS.length) };
      const picture = rendered(order);
      const began = performance.now();
      // Thin pieces too are to be compared, which the stage would keep whole.
      const job = {
        work: 'cutout',
        model,
        cover: [0, 1],
        items: [{ id: at, bytes: encode(picture, 80).data }],
      } as const;
      const [result] = (await pool.run(job)).items;
      const ms = performance.now() - began;
      if (!result || !('cutout' in result)) throw new Error(`no cutout of ${order.kind} ${order.drawing}`);
      const { webp } = result.cutout;
      const alpha = await sharp(webp).extractChannel(3).raw().toBuffer();
      found.push({ what: `${order.kind} ${order.drawing}`, iou: iouOf(alpha, picture.mask), ms });
    }
  } finally {
    await models.close();
  }
  const worst = found.reduce((a, b) => (a.iou <= b.iou ? a : b));
  return {
    model,
    pictures: count,
    meanIou: found.reduce((sum, { iou }) => sum + iou, 0) / count,
    worst: { what: worst.what, iou: worst.iou },
    msAnImage: found.map(({ ms }) => ms).toSorted((a, b) => a - b)[count >> 1] ?? NaN,
  };
}

function iouOf(alpha: Uint8Array, mask: Uint8Array): number {
  let [both, either] = [0, 0];
  for (const [at, isPiece] of mask.entries()) {
    const isKept = (alpha[at] ?? 0) >= SOLID;
    if (isKept && isPiece === 1) both += 1;
    if (isKept || isPiece === 1) either += 1;
  }
  return both / either;
}
