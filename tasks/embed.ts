import { z } from 'zod';
import { cutoutPath, readPicture, sha256Of } from '../lib/dataset/cutout-files.ts';
import { countDueEmbeddings, dueEmbeddings, textOf } from '../lib/dataset/embedding-work.ts';
import type { EmbeddingDue, EmbeddingInput } from '../lib/dataset/embedding-work.ts';
import { imagePath } from '../lib/dataset/image-files.ts';
import { defineTask } from '../lib/define-task.ts';
import type { TaskOf } from '../lib/define-task.ts';
import type { Job } from '../lib/models/jobs.ts';
import type { Models } from '../lib/models/models.ts';
import { EMBEDDING_MODELS } from '../lib/models/registry.ts';
import { useModels } from '../lib/models/shared.ts';
import { nowSeconds } from '../lib/services.ts';
import { putFailures, putVectors, restamp } from '../lib/vectors/embeddings.ts';
import type { Embedded, NotEmbedded } from '../lib/vectors/embeddings.ts';
import { completeSpace, ensureSpace, findSpace, notePace } from '../lib/vectors/spaces.ts';
import type { SpaceDefinition } from '../lib/vectors/spaces.ts';
import { pictureLine } from './rules/picture-line.ts';
import { readyModel } from './rules/ready-model.ts';

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
type Embed = TaskOf<z.output<typeof options>, z.output<typeof cursor>>;
type Context = Parameters<Embed['run']>[2];

/**
 * Vectors of every cutout, or of every image, and of every listing's words: what a search for things that look alike
 * asks. Each model has a space of its own; what is due is a query, so there is no cursor.
 */
export default defineTask({
  title: 'Embed',
  options,
  cursor,

  units: ({ options: { models, of, words } }) =>
    models.flatMap((name) => [
      { id: `${of} ${name}`, title: `${name}, pictures`, noun: 'vectors' },
      ...(words && knowsWords(name)
        ? [{ id: `listing ${name}`, title: `${name}, words`, noun: 'vectors' }]
        : []),
    ]),

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
  const kind = input === 'listing' ? 'text' : 'image';
  const { name, ...identity } = models.identity(kind, model);
  const definition: SpaceDefinition = { ...identity, model: name, kind, input };
  const known = await findSpace(sql, definition);
  const isIdle = (await countDueEmbeddings(sql, input, { space: known?.id, runId })) === 0;
  if (isIdle && !companionsActive()) {
    // Killed between the last vector and what is said of it below.
    if (known) yield { write: (tx) => completeSpace(tx, known.id, nowSeconds()) };
    return;
  }

  yield* readyModel(models, kind, model, stop);
  const pool = await models.pool();
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

function knowsWords(name: string): boolean {
  return EMBEDDING_MODELS.some((model) => model.name === name && 'text' in model);
}

function partsOf(unit: string): readonly [EmbeddingInput, string] {
  const [input = '', model = ''] = unit.split(' ');
  return [input as EmbeddingInput, model];
}
