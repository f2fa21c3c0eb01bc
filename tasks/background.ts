import { z } from 'zod';
import { CutoutFiles, readPicture, sha256Of } from '../lib/dataset/cutout-files.ts';
import {
  countCutouts,
  countDueCutouts,
  dueCutouts,
  failCutouts,
  putCutouts,
  restampCutouts,
} from '../lib/dataset/cutouts.ts';
import type { CutoutDue, CutoutFailure, CutoutRow } from '../lib/dataset/cutouts.ts';
import { closeRepaired } from '../lib/dataset/findings.ts';
import { imagePath } from '../lib/dataset/image-files.ts';
import { defineTask } from '../lib/define-task.ts';
import type { TaskOf } from '../lib/define-task.ts';
import { COVER } from '../lib/models/jobs.ts';
import type { Pool } from '../lib/models/jobs.ts';
import { Models } from '../lib/models/models.ts';
import { CUTOUT_MODELS } from '../lib/models/registry.ts';
import { useModels } from '../lib/models/shared.ts';
import { nowSeconds } from '../lib/time.ts';
import type { Sources } from '../lib/services.ts';
import { dropCutoutVectors } from '../lib/vectors/embeddings.ts';
import { completeSpace, ensureSpace, findSpace, notePace, paceOf } from '../lib/vectors/spaces.ts';
import type { SpaceDefinition } from '../lib/vectors/spaces.ts';
import { checkCutouts } from './rules/check-cutouts.ts';
import { pictureLine } from './rules/picture-line.ts';
import { readyModel } from './rules/ready-model.ts';
import { failures, timeLeft } from './rules/tell-pictures.ts';
import { tellWorkers } from './rules/tell-workers.ts';

const names = CUTOUT_MODELS.map(({ name }) => name);
const share = z.number().min(0).max(1);

type Done = { readonly made: CutoutRow } | { readonly failed: CutoutFailure } | { readonly same: CutoutDue };

const options = z.object({
  model: z
    .enum(names)
    .default('isnet-512')
    .describe('Finds the piece. baseline needs no download and is for trying out. Default: isnet-512.'),
  cover: z
    .tuple([share, share])
    .default([...COVER])
    .describe(
      'The least and the most of a picture, 0 to 1, that a cutout may leave; else it is kept whole. Default: [0.05, 0.97].',
    ),
});
const cursor = z.object({});
type Background = TaskOf<z.output<typeof options>, z.output<typeof cursor>, Sources>;
type Context = Parameters<Background['run']>[2];

/**
 * A cutout of every image: the piece without its background, as cutouts/{listing_id}.webp. The image itself is never
 * touched. What is due is a query over images and cutouts, so there is no cursor.
 */
export default defineTask({
  title: 'Background',
  options,
  cursor,
  uses: [],
  spends: 'work',
  givesWayToNextRun: true,

  units: ({ options }) => [
    { id: 'files', title: 'Cutout files', noun: 'cutouts', isIndependent: true },
    { id: `cutouts ${options.model}`, title: 'Cutouts', noun: 'cutouts' },
  ],

  async tells({ options: { model }, services: { sql, modelSettings }, run, place }) {
    const { done, whole, failed } = await countCutouts(sql);
    const models = new Models(modelSettings);
    const space = await findSpace(sql, definitionOf(models, model));
    // Counting them passes all images.
    const due = place === 'status' ? await countDueCutouts(sql, space?.id, run.id) : 0;
    const pace = space && (await paceOf(sql, space.id));
    const workers = await tellWorkers(sql, run, place);
    return {
      ...workers,
      rows: [
        ...(workers.rows ?? []),
        {
          label: 'cutouts',
          stands: [
            [done, 'made'],
            [whole, 'kept whole'],
            [failed, 'failed'],
            [due, 'due'],
          ],
          summary: [
            [done, 'made'],
            [whole, 'kept whole'],
            [failed, 'failed'],
          ],
          order: 60,
        },
      ],
      problems: [
        ...(workers.problems ?? []),
        ...(await failures(sql, 'Images that no cutout could be made of', failed, {
          sql: `SELECT reason, count(*) AS n FROM cutouts INDEXED BY cutouts_reason WHERE state = 'failed'
              GROUP BY reason ORDER BY n DESC, reason LIMIT ?`,
          params: [],
        })),
      ],
      notes: [
        ...(workers.notes ?? []),
        ...timeLeft('Cutouts', due, pace, models.milliseconds('cutout', model)),
      ],
      counts: { ...workers.counts, cutouts: { done, whole, failed } },
    };
  },

  async *run(unit, _cursor, context) {
    if (unit.id === 'files') {
      const { sql, cutoutsFolder } = context.services;
      return yield* checkCutouts(sql, cutoutsFolder, context.runId);
    }
    const { models, done } = useModels(context.services.modelSettings);
    try {
      yield* makeCutouts(models, context);
    } finally {
      await done();
    }
  },
});

async function* makeCutouts(models: Models, context: Context): ReturnType<Background['run']> {
  const { options, services, runId, stop, companionsActive } = context;
  const { sql, imagesFolder, cutoutsFolder } = services;
  const { model, cover } = options;
  const definition = definitionOf(models, model);
  const known = await findSpace(sql, definition);
  if (!companionsActive() && (await countDueCutouts(sql, known?.id, runId)) === 0) {
    // Killed between the last cutout and what is said of it below.
    if (known) yield { write: (tx) => completeSpace(tx, known.id, nowSeconds()) };
    return;
  }

  yield* readyModel(models, 'cutout', model, stop);
  const pool: Pool = await models.pool();
  pool.prepare?.('cutout', model);
  const files = new CutoutFiles(cutoutsFolder);
  await files.open();
  yield { write: (tx) => ensureSpace(tx, definition, nowSeconds()) };
  const space = (await findSpace(sql, definition))?.id ?? 0;

  const work = async (due: CutoutDue): Promise<Done> => {
    const { listingId, stamp } = due;
    const image = await readPicture(imagePath(imagesFolder, listingId));
    if ('fault' in image) return fail(due, '', image.fault);
    const { bytes, sha256: source } = image;
    if (source === due.source && (await files.has(listingId, due.bytes))) return { same: due };
    const job = { work: 'cutout', model, cover, items: [{ id: listingId, bytes }] } as const;
    const [result] = (await pool.run(job, stop)).items;
    if (!result || !('cutout' in result))
      return fail(due, source, result && 'error' in result ? result.error : 'no answer');
    const { state, webp, cover: left, box } = result.cutout;
    if (state === 'whole') await files.remove(listingId);
    else await files.put(listingId, webp);
    const file =
      state === 'whole' ? { bytes: null, sha256: null } : { bytes: webp.length, sha256: sha256Of(webp) };
    return { made: { listingId, stamp, source, state, cover: left, box, ...file } };
  };
  const fail = async ({ listingId, stamp }: CutoutDue, source: string, reason: string): Promise<Done> => {
    await files.remove(listingId);
    return { failed: { listingId, stamp, source, reason } };
  };

  let [failed, whole] = [0, 0];
  const line = pictureLine<CutoutDue, Done>({
    pool,
    stop,
    companionsActive,
    next: (after, limit) => dueCutouts(sql, space, runId, after, limit),
    count: () => countDueCutouts(sql, space, runId),
    work,
  });
  for await (const { done, ms, progress, pending } of line) {
    await files.settled();
    const made = done.flatMap((one) => ('made' in one ? one.made : []));
    const bad = done.flatMap((one) => ('failed' in one ? one.failed : []));
    const same = done.flatMap((one) => ('same' in one ? one.same : []));
    failed += bad.length;
    whole += made.filter(({ state }) => state === 'whole').length;
    yield {
      write: async (tx) => {
        await putCutouts(tx, space, made);
        await failCutouts(tx, space, bad, runId);
        await restampCutouts(tx, same);
        await dropCutoutVectors(
          tx,
          bad.map(({ listingId }) => listingId),
        );
        await notePace(tx, space, made.length, ms);
      },
      progress: { ...progress, note: noteOf(failed, whole) },
      pending,
    };
  }
  yield {
    write: async (tx) => {
      await completeSpace(tx, space, nowSeconds());
      await closeRepaired(tx, runId);
    },
  };
}

function definitionOf(models: Models, model: string): SpaceDefinition {
  const { name, ...identity } = models.identity('cutout', model);
  return { ...identity, model: name, kind: 'cutout', input: 'image' };
}

function noteOf(failed: number, whole: number): string {
  return [failed > 0 ? `${failed} failed` : '', whole > 0 ? `${whole} kept whole` : '']
    .filter((part) => part !== '')
    .join(', ');
}
