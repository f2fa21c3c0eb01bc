import { readFile } from 'node:fs/promises';
import { loadPipeline } from '../../../lib/pipeline/config.ts';
import { Search } from '../../../lib/search/engine.ts';
import { allDifferent, PicturesRig } from '../../pictures-rig.ts';
import { copyOf } from './copy-of.ts';

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
