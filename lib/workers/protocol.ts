import { z } from 'zod';
import {
  MOST_BATCH,
  MOST_CUTOUT_BYTES,
  MOST_DIMS,
  MOST_ERROR_TEXT,
  MOST_IMAGE_BYTES,
  MOST_PICTURE_PIXELS,
  MOST_WORDS,
  MOST_WORKERS,
} from '../limits.ts';
import type { Job, Result } from '../models/jobs.ts';
import { tooLarge } from '../models/picture-size.ts';
import { version } from '../version.ts';

// What coordinator and workers say to each other: data alone, no path, address or code. Each end checks all of it before
// anything is done with it: whoever reaches the Redis can write there what he likes.

/** Of these forms. Another number: not even the rest of a message is looked at. */
export const PROTOCOL = 1;
/** Before every key in Redis. */
export const PREFIX = 'sync-data';
/** The queue that workers write to: who they are, that they live, and answers. */
export const ANSWERS = 'answers';
/** The key under which the coordinator says what there is to do. */
export const NOTICE = `${PREFIX}:coordinator`;
/** How long that holds without being said again. Milliseconds. */
export const NOTICE_MS = 15_000;
/** How long a worker is believed to be there, and a job to be in its hands, without a sign of it. Milliseconds. */
export const LOCK_MS = 15_000;
/** So many times within that it says that it lives, whether it has anything to say or not. */
export const PULSES = 3;
/** Begun so often without an end: it may be what ends those who begin it. */
export const MOST_STARTS = 3;

const id = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);
/** Its letters are looked at when it is decoded: a pattern would take longer than all else together. */
const base64 = (bytes: number) =>
  z
    .string()
    .max(Math.ceil(bytes / 3) * 4)
    .refine((text) => text.length % 4 === 0);
const words = (most: number) => z.string().max(most);
const index = z
  .int()
  .min(0)
  .max(MOST_BATCH - 1);
const share = z.number().min(0).max(1);
const pixel = z.int().min(0).max(MOST_PICTURE_PIXELS);

/** What makes results comparable; jobs of one space have a queue of their own. */
export const space = z.strictObject({
  work: z.enum(['cutout', 'image', 'text']),
  model: z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  recipe: z.int().min(0).max(1_000_000),
});
export type Space = z.output<typeof space>;

/** Says who speaks: whatever else differs, it is read first. */
export const speaker = z.looseObject({
  protocol: z.int(),
  version: words(40),
  worker: id,
  name: z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._()-]{0,59}$/u),
});

const item = z.strictObject({
  id: index,
  bytes: base64(MOST_IMAGE_BYTES).optional(),
  text: words(MOST_WORDS).optional(),
});
const result = z.union([
  z.strictObject({
    id: index,
    cutout: z.strictObject({
      state: z.enum(['done', 'whole']),
      webp: base64(MOST_CUTOUT_BYTES),
      cover: share,
      box: z.tuple([pixel, pixel, pixel, pixel]),
    }),
  }),
  z.strictObject({ id: index, vector: base64(MOST_DIMS * 4) }),
  z.strictObject({ id: index, error: words(MOST_ERROR_TEXT) }),
]);
const results = z.array(result).max(MOST_BATCH);

const common = { protocol: z.literal(PROTOCOL), version: words(40) };
const own = { ...common, worker: id, name: speaker.shape.name };

export const jobMessage = z.strictObject({
  ...common,
  coordinator: id,
  batch: id,
  space,
  cover: z.tuple([share, share]).optional(),
  items: z.array(item).min(1).max(MOST_BATCH),
});

/** The first thing that a worker says of a space: how it answers the probes. */
const hello = z.strictObject({
  ...own,
  kind: z.literal('hello'),
  space,
  device: words(20),
  threads: z.int().min(1).max(MOST_WORKERS),
  probes: results,
});
const answer = z.strictObject({
  ...own,
  kind: z.literal('answer'),
  batch: id,
  space,
  ms: z.number().min(0),
  items: results,
});
const failure = z.strictObject({ ...own, kind: z.literal('failure'), batch: id, space, reason: words(500) });
const pulse = z.strictObject({ ...own, kind: z.literal('pulse') });
const bye = z.strictObject({ ...own, kind: z.literal('bye'), reason: words(MOST_ERROR_TEXT) });

export const answerMessage = z.discriminatedUnion('kind', [hello, answer, failure, pulse, bye]);
export type AnswerMessage = z.output<typeof answerMessage>;
export type Hello = z.output<typeof hello>;
export type WorkerAnswer = z.output<typeof answer>;

/** Which workers may take jobs of which queue: accepted where the reason is empty. */
const verdicts = z.record(id, z.record(words(200), words(500)));
export const notice = z.looseObject({
  protocol: z.int(),
  version: words(40),
  coordinator: id,
  dataset: words(64),
  /** Of the computer. */
  name: words(60),
  spaces: z.array(space).max(32),
  verdicts,
});
export type Notice = z.output<typeof notice>;

/** The name of a space's queue. */
export function queueOf({ work, model, sha256, recipe }: Space): string {
  return `${work}.${model}.${recipe}.${sha256.slice(0, 16)}`;
}

/** What both ends say of themselves. */
export function signed(): { readonly protocol: typeof PROTOCOL; readonly version: string } {
  return { protocol: PROTOCOL, version: VERSION };
}
/** Read once: it is in every message. */
export const VERSION = version();

export type Item = Job['items'][number];

/** Items are numbered by their place: which listing they belong to stays here. */
export function packItems(items: readonly Item[]): z.output<typeof item>[] {
  return items.map((one, at) =>
    'bytes' in one ? { id: at, bytes: base64Of(one.bytes) } : { id: at, text: one.text },
  );
}

export function packResults(items: readonly Result[]): z.output<typeof results> {
  return items.map((one) => {
    if ('cutout' in one) {
      const { state, webp, cover, box } = one.cutout;
      return { id: one.id, cutout: { state, webp: base64Of(webp), cover, box: [...box] } };
    }
    if ('vector' in one) return { id: one.id, vector: base64Of(new Uint8Array(one.vector.slice().buffer)) };
    return { id: one.id, error: one.error.slice(0, MOST_ERROR_TEXT) };
  });
}

/** @throws Error where what should be base64 is something else */
export function unpackResults(items: z.output<typeof results>): Result[] {
  return items.map((one): Result => {
    if ('cutout' in one) return { id: one.id, cutout: { ...one.cutout, webp: bytesOf(one.cutout.webp) } };
    if ('error' in one) return one;
    const bytes = bytesOf(one.vector);
    const vector = new Float32Array(Math.floor(bytes.length / 4));
    new Uint8Array(vector.buffer).set(bytes.subarray(0, vector.byteLength));
    return { id: one.id, vector };
  });
}

/**
 * The job as threads take it, with what is wrong with an item in its place: its picture has too many pixels.
 * @throws Error where it is not what its space says
 */
export function unpackJob(message: z.output<typeof jobMessage>): { job: Job; refused: Result[] } {
  const { work, model } = message.space;
  const { cover } = message;
  if (new Set(message.items.map((one) => one.id)).size !== message.items.length)
    throw new Error('two of its items have the same number');
  if (work === 'text') {
    const items = message.items.map(({ id, text }) => {
      if (text === undefined) throw new Error('an item has no text');
      return { id, text };
    });
    return { job: { work, model, items }, refused: [] };
  }
  const refused: Result[] = [];
  const items = message.items.flatMap((one) => {
    if (one.bytes === undefined) throw new Error('an item has no picture');
    const picture = { id: one.id, bytes: bytesOf(one.bytes) };
    const error = tooLarge(picture.bytes);
    if (error === undefined) return picture;
    refused.push({ id: one.id, error });
    return [];
  });
  if (work === 'image') return { job: { work, model, items }, refused };
  return { job: { work, model, items, ...(cover && { cover }) }, refused };
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** @throws Error where it has other letters */
function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  if (bytes.length !== (base64.length / 4) * 3 - padding)
    throw new Error('what should be base64 is something else');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
