import { writeFile } from 'node:fs/promises';
import { loadPipeline } from '../../../lib/pipeline/config.ts';
import { Search } from '../../../lib/search/engine.ts';
import type { Ask } from '../../../lib/search/engine.ts';
import { keepHeapSmall } from '../../../lib/start/engine.js';
import { exact, nearest } from '../../../lib/vectors/nearest.ts';
import { Vectors } from '../../../lib/vectors/open.ts';
import type { Question } from '../pictures/vectors.ts';

const EXACT = 20;

export interface AskingInput {
  /** With a database that has one space of pictures. */
  readonly folder: string;
  readonly questions: readonly Question[];
  /** Looked for one after the other, all in. */
  readonly listings: readonly number[];
  readonly output: string;
}

export interface AskingOutput {
  /** Milliseconds of each, the first one left out. */
  readonly plain: readonly number[];
  /** With a price, which leaves about one in ten. */
  readonly filtered: readonly number[];
  /** Of the nearest ten of each question, the share that was found, mean: by the stored bytes in their exact order. */
  readonly recall: number;
  /** The same by the vectors as they were before they were stored. */
  readonly recallOfFloats: number;
}

/** One process that is asked over and over, as the page is. */
export async function main({ folder, questions, listings, output }: AskingInput): Promise<void> {
  keepHeapSmall();
  const pipeline = await loadPipeline(folder, { tasks: 'own' });
  const engine = await Search.open(pipeline, new AbortController().signal);
  try {
    const timed = async (more: Partial<Ask>): Promise<number[]> => {
      const took: number[] = [];
      for (const id of listings) {
        const began = performance.now();
        const { results } = await engine.ask({ words: '', listings: [id], pictures: [], ...more });
        took.push(performance.now() - began);
        if (results.length === 0) throw new Error(`nothing looks like ${id}`);
      }
      return took.slice(1);
    };
    const plain = await timed({});
    const filtered = await timed({ filters: { from: 100, to: 200, currency: 'USD' } });
    const [space] = await engine.spaces();
    if (!space) throw new Error('There is no space.');
    const vectors = await Vectors.open(engine.path);
    let [found, foundOfFloats] = [0, 0];
    for (const [at, { vector, nearest: right }] of questions.entries()) {
      const hits = await nearest(vectors, space, [vector], right.length);
      const share = (ids: readonly number[]): number =>
        hits.filter(({ listingId }) => ids.includes(listingId)).length / right.length;
      foundOfFloats += share(right) / questions.length;
      // The exact order takes seconds a million.
      if (at >= EXACT) continue;
      const stored = await exact(vectors.sql, space, [vector], right.length);
      found += share(stored.map(({ listingId }) => listingId)) / Math.min(EXACT, questions.length);
    }
    await vectors.close();
    const answer: AskingOutput = { plain, filtered, recall: found, recallOfFloats: foundOfFloats };
    await writeFile(output, JSON.stringify(answer));
  } finally {
    await engine.close();
  }
}
