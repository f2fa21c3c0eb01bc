import { z } from 'zod';
import { cutoutPath, readPicture, sha256Of } from '../lib/dataset/cutout-files.ts';
import { countDueEmbeddings, dueEmbeddings, textOf } from '../lib/dataset/embedding-work.ts';
import type { EmbeddingDue, EmbeddingInput } from '../lib/dataset/embedding-work.ts';
import { imagePath } from '../lib/dataset/image-files.ts';
import { defineTask } from '../lib/define-task.ts';
import type { TaskOf } from '../lib/define-task.ts';
import type { Job } from '../lib/models/jobs.ts';
import { Models } from '../lib/models/models.ts';
import { EMBEDDING_MODELS } from '../lib/models/registry.ts';
import { useModels } from '../lib/models/shared.ts';
import { nowSeconds } from '../lib/time.ts';
import type { Sources } from '../lib/services.ts';
import { countVectors, putFailures, putVectors, restamp } from '../lib/vectors/embeddings.ts';
import type { Embedded, NotEmbedded, SpaceCount } from '../lib/vectors/embeddings.ts';
import { completeSpace, ensureSpace, findSpace, notePace, paceOf } from '../lib/vectors/spaces.ts';
import { pictureLine } from './rules/picture-line.ts';
import type { Problem, ToldRow } from '../lib/task/telling.ts';
import type { Fact } from '../lib/text/table.ts';
import { readyModel } from './rules/ready-model.ts';
import { failures, timeLeft } from './rules/tell-pictures.ts';
import { tellWorkers } from './rules/tell-workers.ts';

const names = EMBEDDING_MODELS.map(({ name }) => name);

type Done = { readonly made: Embedded } | { readonly failed: NotEmbedded } | { readonly same: EmbeddingDue };

const options = z.object({
  models: z
    .array(z.enum(names))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'expected each model once')
    .default(['siglip2-base'])
    .describe(
      'What makes the vectors, one model after the other. baseline needs no download and is for trying out. Default: [siglip2-base].',
    ),
  of: z
    .enum(['cutout', 'image'])
    .default('cutout')
    .describe(
      'What is embedded: the cutouts of stage background, or the images as they are. Default: cutout.',
    ),
  words: z
    .boolean()
    .default(true)
    .describe('Embed the title and materials too, where a model knows words. Default: true.'),
});
const cursor = z.object({});
type Embed = TaskOf<z.output<typeof options>, z.output<typeof cursor>, Sources>;
type Context = Parameters<Embed['run']>[2];

/**
 * Vectors of every cutout, or of every image, and of every listing's words: what a search for things that look alike
 * asks. Each model has a space of its own; what is due is a query, so there is no cursor.
 */
export default defineTask({
  title: 'Embed',
  options,
  cursor,
  uses: [],
  spends: 'work',
  givesWayToNextRun: true,

  units: ({ options }) =>
    unitsOf(options).map(([input, model]) => ({
      id: `${input} ${model}`,
      title: `${model}, ${input === 'listing' ? 'words' : 'pictures'}`,
      noun: 'vectors',
    })),

  async tells({ options, services: { sql, modelSettings }, run, place }) {
    const models = new Models(modelSettings);
    const rows: ToldRow[] = [];
    const problems: Problem[] = [];
    const notes: string[] = [];
    const counts: Record<string, SpaceCount> = {};
    for (const [input, model] of unitsOf(options)) {
      const space = await findSpace(sql, definitionOf(models, input, model));
      const { vectors, failed } = space ? await countVectors(sql, space.id) : { vectors: 0, failed: 0 };
      const due =
        place === 'status' ? await countDueEmbeddings(sql, input, { space: space?.id, runId: run.id }) : 0;
      const what = `${model}${input === 'listing' ? ', words' : ''}`;
      const facts = [[vectors, what] satisfies Fact, [failed, 'failed'] satisfies Fact];
      rows.push({ label: 'vectors', stands: [...facts, [due, 'due']], summary: facts, order: 61 });
      counts[`${input} ${model}`] = { vectors, failed };
      const known = models.milliseconds(input === 'listing' ? 'text' : 'image', model);
      notes.push(...timeLeft(`Vectors of ${what}`, due, space && (await paceOf(sql, space.id)), known));
      problems.push(
        ...(await failures(sql, `What ${what} could make no vector of`, failed, {
          sql: `SELECT reason, count(*) AS n FROM embeddings INDEXED BY embeddings_failed WHERE vector IS NULL AND space = ?
                GROUP BY reason ORDER BY n DESC, reason LIMIT ?`,
          params: [space?.id ?? 0],
        })),
      );
    }
    const workers = await tellWorkers(sql, run, place);
    return {
      ...workers,
      rows: [...(workers.rows ?? []), ...rows],
      problems: [...(workers.problems ?? []), ...problems],
      notes: [...(workers.notes ?? []), ...notes],
      counts: { ...workers.counts, vectors: counts },
    };
  },

  async *run(unit, _cursor, context) {
    const { models, done } = useModels(context.services.modelSettings);
    try {
      yield* makeVectors(models, unit.id, context);
    } finally {
      await done();
    }
  },
});

async function* makeVectors(models: Models, unit: string, context: Context): ReturnType<Embed['run']> {
  const { services, runId, stop, companionsActive } = context;
  const { sql, imagesFolder, cutoutsFolder } = services;
  const [input, model] = partsOf(unit);
  const definition = definitionOf(models, input, model);
  const { kind } = definition;
  const known = await findSpace(sql, definition);
  const isIdle = (await countDueEmbeddings(sql, input, { space: known?.id, runId })) === 0;
  if (isIdle && !companionsActive()) {
    // Killed between the last vector and what is said of it below.
    if (known) yield { write: (tx) => completeSpace(tx, known.id, nowSeconds()) };
    return;
  }

  yield* readyModel(models, kind, model, stop);
  const pool = await models.pool();
  pool.prepare?.(kind, model);
  yield { write: (tx) => ensureSpace(tx, definition, nowSeconds()) };
  const space = await findSpace(sql, definition);
  if (!space) throw new Error(`internal: no space for ${unit}`);
  const place = { space: space.id, runId };

  const work = async (due: EmbeddingDue): Promise<Done> => {
    const { listingId, stamp, state } = due;
    const failed = (source: string, reason: string): Done => ({
      failed: { listingId, stamp, source, reason },
    });
    const found = await given();
    if ('fault' in found) return failed('', found.fault);
    const { source, job } = found;
    if (source === due.source) return { same: due };
    const [result] = (await pool.run(job, stop)).items;
    if (!result || !('vector' in result))
      return failed(source, result && 'error' in result ? result.error : 'no answer');
    return { made: { listingId, stamp, source, vector: result.vector } };

    async function given(): Promise<{ source: string; job: Job } | { fault: string }> {
      if (input === 'listing') {
        const text = textOf(due);
        if (text === '') return { fault: 'there is no text' };
        const source = sha256Of(Buffer.from(text));
        return { source, job: { work: 'text', model, items: [{ id: listingId, text }] } };
      }
      const isCutout = input === 'cutout' && state === 'done';
      const path = isCutout ? cutoutPath(cutoutsFolder, listingId) : imagePath(imagesFolder, listingId);
      const picture = await readPicture(path);
      if ('fault' in picture) return picture;
      const { bytes, sha256: source } = picture;
      return { source, job: { work: 'image', model, items: [{ id: listingId, bytes }] } };
    }
  };

  let bad = 0;
  const line = pictureLine<EmbeddingDue, Done>({
    pool,
    stop,
    companionsActive,
    next: (after, limit) => dueEmbeddings(sql, input, place, after, limit),
    count: () => countDueEmbeddings(sql, input, place),
    work,
  });
  for await (const { done, ms, progress, pending } of line) {
    const made = done.flatMap((one) => ('made' in one ? one.made : []));
    const failed = done.flatMap((one) => ('failed' in one ? one.failed : []));
    const same = done.flatMap((one) => ('same' in one ? one.same : []));
    bad += failed.length;
    yield {
      write: async (tx) => {
        await putVectors(tx, space, made);
        await putFailures(tx, space, failed, runId);
        await restamp(tx, space, same);
        await notePace(tx, space.id, made.length, ms);
      },
      progress: { ...progress, note: bad > 0 ? `${bad} failed` : '' },
      pending,
    };
  }
  yield { write: (tx) => completeSpace(tx, space.id, nowSeconds()) };
}

/** What is embedded by which model, in this order. */
function unitsOf({ models, of, words }: z.output<typeof options>): (readonly [EmbeddingInput, string])[] {
  const wordy: readonly string[] = EMBEDDING_MODELS.filter((model) => 'text' in model).map(
    ({ name }) => name,
  );
  return models.flatMap((name): (readonly [EmbeddingInput, string])[] =>
    words && wordy.includes(name)
      ? [
          [of, name],
          ['listing', name],
        ]
      : [[of, name]],
  );
}

function definitionOf(models: Models, input: EmbeddingInput, model: string) {
  const kind = input === 'listing' ? ('text' as const) : ('image' as const);
  const { name, ...identity } = models.identity(kind, model);
  return { ...identity, model: name, kind, input };
}

function partsOf(unit: string): readonly [EmbeddingInput, string] {
  const [input = '', model = ''] = unit.split(' ');
  return [input as EmbeddingInput, model];
}
