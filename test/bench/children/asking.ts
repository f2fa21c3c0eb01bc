import { writeFile } from 'node:fs/promises';
import { loadPipeline } from '../../../lib/pipeline/config.ts';
import { Search } from '../../../lib/search/engine.ts';
import type { Ask } from '../../../lib/search/engine.ts';
import { nearest } from '../../../lib/vectors/nearest.ts';
import type { Question } from '../pictures/vectors.ts';

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
  /** Of the nearest ten of each question, the share that was found; mean. */
  readonly recall: number;
}

/** One process that is asked over and over, as the page is. */
export async function main({ folder, questions, listings, output }: AskingInput): Promise<void> {
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
    let found = 0;
    for (const { vector, nearest: right } of questions) {
      const hits = await nearest(engine.sql, space, [vector], right.length);
      found += hits.filter(({ listingId }) => right.includes(listingId)).length / right.length;
    }
    await writeFile(
      output,
      JSON.stringify({ plain, filtered, recall: found / questions.length } satisfies AskingOutput),
    );
  } finally {
    await engine.close();
  }
}
