import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { loadPipeline } from '../../../lib/pipeline/config.ts';
import { Search } from '../../../lib/search/engine.ts';
import { allDifferent, PicturesRig } from '../../pictures-rig.ts';

/** Of a side that is cut off, at most; and how much brighter at least and at most. */
const CUT = 0.1;
const BRIGHTER = [1.1, 1.35] as const;
const FIRST = 10;

export interface Copies {
  readonly listings: number;
  readonly queries: number;
  /** Of 1: the listing was among the first ten; was the first. */
  readonly among: number;
  readonly first: number;
}

/**
 * A listing's picture, mirrored, cut at all four sides, brightened and saved anew, is searched for among so many
 * listings, whose pictures all differ: by the baseline models, all the way through the real stages and the search.
 */
export async function copies(listings: number, queries: number): Promise<Copies> {
  const rig = await PicturesRig.open(listings, allDifferent);
  try {
    const { code, stdout, stderr } = await rig.run();
    if (code !== 0) throw new Error(`The command ended with ${code}: ${stdout}${stderr}`);
    const pipeline = await loadPipeline(rig.folder, { tasks: 'own' });
    const engine = await Search.open(pipeline, new AbortController().signal);
    try {
      let [among, first] = [0, 0];
      for (let query = 0; query < queries; query += 1) {
        const id = 101 + Math.floor((listings * (query + 0.5)) / queries);
        const bytes = await copyOf(await readFile(rig.path('images', `${id}.jpg`)), query);
        const { results } = await engine.ask({
          words: '',
          listings: [],
          pictures: [{ name: 'copy', bytes }],
          limit: FIRST,
        });
        const place = results.findIndex(({ listing }) => listing.listing_id === id);
        if (place >= 0) among += 1;
        if (place === 0) first += 1;
      }
      return { listings, queries, among: among / queries, first: first / queries };
    } finally {
      await engine.close();
    }
  } finally {
    await rig.close();
  }
}

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
