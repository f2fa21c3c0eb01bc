import type { Result } from '../models/jobs.ts';
import { pictureSize } from '../models/picture-size.ts';
import type { Batch } from './batches.ts';
import type { Item } from './protocol.ts';

/** Longer sides than this no cutout has: see LONGEST in lib/models/pictures.ts. Pixels. */
const LONGEST = 2048;

/** What makes an answer rubbish: looked at before any of it is used. Undefined: it has the form of an answer to this batch. */
export function faultOf(batch: Batch, dims: number | null, results: readonly Result[]): string | undefined {
  const { wanted, space } = batch;
  if (results.length !== wanted.length || new Set(results.map(({ id }) => id)).size !== wanted.length)
    return `${results.length} answers to ${wanted.length} items`;
  for (const result of results) {
    const item = wanted[result.id]?.item;
    if (!item) return 'an answer to an item that it does not have';
    const fault = 'error' in result ? undefined : faultOfOne(result, item, space.work, dims);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfOne(
  result: Result,
  item: Item,
  work: Batch['space']['work'],
  dims: number | null,
): string | undefined {
  if (work !== 'cutout') {
    if (!('vector' in result)) return 'no vector';
    if (result.vector.length !== dims) return `a vector of ${result.vector.length} numbers`;
    return result.vector.every(Number.isFinite) ? undefined : 'a vector with values that are no numbers';
  }
  if (!('cutout' in result)) return 'no cutout';
  const { state, webp, box } = result.cutout;
  if (state === 'whole') return webp.length === 0 ? undefined : 'a cutout of a picture that is kept whole';
  const size = pictureSize(webp);
  const isWebp = Buffer.from(webp.subarray(0, 4)).toString('latin1') === 'RIFF';
  if (!size || !isWebp) return 'a cutout that is no WebP';
  const { width, height } = size;
  const [left, top, wide, high] = box;
  if (left + wide > width || top + high > height) return 'a box outside of its cutout';
  return fits(size, 'bytes' in item ? item.bytes : new Uint8Array())
    ? undefined
    : `a cutout of ${width} × ${height} pixels`;
}

/** As large as the picture once it is turned upright, or as long as the longest. */
function fits({ width, height }: { width: number; height: number }, picture: Uint8Array): boolean {
  const of = pictureSize(picture);
  if (!of) return Math.max(width, height) <= LONGEST;
  const scale = Math.min(1, LONGEST / Math.max(of.width, of.height));
  const near = (a: number, b: number): boolean => Math.abs(a - b * scale) <= 1;
  const [w, h] = [of.width, of.height];
  return (near(width, w) && near(height, h)) || (near(width, h) && near(height, w));
}
