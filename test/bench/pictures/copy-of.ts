import sharp from 'sharp';

/** Of a side that is cut off, at most; and how much brighter at least and at most. */
const CUT = 0.1;
const BRIGHTER = [1.1, 1.35] as const;

/** Another cut and brightness for each seed. */
export async function copyOf(picture: Buffer, seed: number): Promise<Buffer> {
  const share = (place: number): number => ((seed + 1) * (place * 0.618034 + 0.137)) % 1;
  const { width, height } = await sharp(picture).metadata();
  const [left, right] = [1, 2].map((place) => Math.round(share(place) * CUT * width)) as [number, number];
  const [top, bottom] = [3, 4].map((place) => Math.round(share(place) * CUT * height)) as [number, number];
  const brighter = BRIGHTER[0] + share(5) * (BRIGHTER[1] - BRIGHTER[0]);
  return sharp(picture)
    .extract({ left, top, width: width - left - right, height: height - top - bottom })
    .flop()
    .linear(brighter, 0)
    .jpeg({ quality: 85 })
    .toBuffer();
}
