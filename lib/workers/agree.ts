import { readFile } from 'node:fs/promises';
import { COVER } from '../models/jobs.ts';
import type { Job, Likeness, OwnPool, Result } from '../models/jobs.ts';
import type { Space } from './protocol.ts';

/** What a worker must reach, compared with this computer's own answers: cosine of vectors, overlap of masks. */
export const LEAST_COSINE = 0.999;
export const LEAST_OVERLAP = 0.99;
/** How far its colours may be apart, of 255: as far as another release of the same decoder takes them. */
export const MOST_COLOURS = 6;
/** So near a border between whole and cut, two computers that are alike may differ. Share of the picture. */
const NEAR_COVER = 0.01;

const WORDS = [
  'Walnut side table with one drawer. walnut, brass',
  'Mid-century lounge chair, new linen cover',
  'Shelf for books, oiled oak, 180 cm wide',
];

/** Three pictures (or texts) that both ends have: what they answer to them says whether they are alike. */
export async function probeJob({ work, model }: Space): Promise<Job> {
  if (work === 'text') return { work, model, items: WORDS.map((text, id) => ({ id, text })) };
  const items = await Promise.all(
    [1, 2, 3].map(async (n) => ({
      id: n - 1,
      bytes: new Uint8Array(await readFile(new URL(`./probes/${n}.jpg`, import.meta.url))),
    })),
  );
  return { work, model, items };
}

/**
 * Why answers to the same items differ more than those of two computers may; undefined: they agree.
 * @param borders between whole and cut, as the job has them
 */
export async function disagreement(
  own: Pick<OwnPool, 'compare'>,
  mine: readonly Result[],
  theirs: readonly Result[],
  borders: readonly number[] = COVER,
): Promise<string | undefined> {
  if (mine.length !== theirs.length) return `${theirs.length} answers to ${mine.length} items`;
  const whys = await Promise.all(
    mine.map((one) => {
      const other = theirs.find(({ id }) => id === one.id);
      return other ? difference(own, one, other, borders) : Promise.resolve('an answer is missing');
    }),
  );
  return whys.find((why) => why !== undefined);
}

async function difference(
  own: Pick<OwnPool, 'compare'>,
  mine: Result,
  theirs: Result,
  borders: readonly number[],
): Promise<string | undefined> {
  if ('error' in mine) return 'error' in theirs ? undefined : 'it accepts a picture that cannot be used';
  if ('error' in theirs) return `it cannot use a good picture: ${theirs.error}`;
  if ('vector' in mine) {
    const cosine = 'vector' in theirs ? cosineOf(mine.vector, theirs.vector) : 0;
    return cosine >= LEAST_COSINE
      ? undefined
      : `its vectors differ: cosine ${cosine.toFixed(4)}, expected at least ${LEAST_COSINE}`;
  }
  if (!('cutout' in theirs)) return 'it sends no cutout';
  if (mine.cutout.state !== theirs.cutout.state) {
    const covers = [mine.cutout.cover, theirs.cutout.cover];
    const areNear = borders.some((border) => covers.every((one) => Math.abs(one - border) <= NEAR_COVER));
    return areNear
      ? undefined
      : `it calls a picture ${theirs.cutout.state} that is ${mine.cutout.state} here`;
  }
  if (mine.cutout.state === 'whole') return undefined;
  const likeness = await own.compare(mine.cutout.webp, theirs.cutout.webp).catch((error: unknown) => error);
  if (likeness instanceof Error) return `a cutout of it cannot be read: ${likeness.message}`;
  const { overlap, colours } = likeness as Likeness;
  if (overlap < LEAST_OVERLAP)
    return `its masks differ: overlap ${overlap.toFixed(4)}, expected at least ${LEAST_OVERLAP}`;
  return colours > MOST_COLOURS
    ? `the colours of its cutouts differ by ${colours.toFixed(0)} of 255`
    : undefined;
}

function cosineOf(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0;
  let [dot, one, other] = [0, 0, 0];
  for (const [at, x] of a.entries()) {
    const y = b[at] ?? 0;
    dot += x * y;
    one += x * x;
    other += y * y;
  }
  return one === 0 || other === 0 ? 0 : dot / Math.sqrt(one * other);
}
