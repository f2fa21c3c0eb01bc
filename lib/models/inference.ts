import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { threadId } from 'node:worker_threads';
import { ModelError, isMissing, missingPackage } from './errors.ts';
import { COVER } from './jobs.ts';
import type { Answer, Job, Likeness, Result } from './jobs.ts';
import { refuseOtherFiles, resizeInput } from './onnx.ts';
import type { CutoutModel, EmbeddingModel, ModelFile, TextSide } from './registry.ts';

// What runs in a thread: one session for each model it was ever asked for, one picture after the other. The thread knows
// files by path, size and hash, and nothing of the dataset.

/** A model as a thread gets it: what it is, and where its files are. `device`: see Models.runOn. */
export type Loadable = { readonly device?: string } & (
  | { readonly work: 'cutout'; readonly model: CutoutModel; readonly weights: string }
  | { readonly work: 'image'; readonly model: EmbeddingModel; readonly weights: string }
  | {
      readonly work: 'text';
      readonly model: EmbeddingModel & { readonly text: TextSide };
      readonly weights: string;
      readonly tokenizer: string;
    }
);

export interface ThreadJob {
  readonly job: Job;
  readonly loadable: Loadable;
  /** Shared; not zero: the items that are left are not wanted any more. */
  readonly closing: Int32Array;
}

/** Two cutouts to be compared. */
export interface ThreadComparison {
  readonly cutouts: readonly [Uint8Array, Uint8Array];
}

/** What cannot be thrown from thread to thread as it is. */
export type ThreadAnswer =
  | { readonly answer: Answer }
  | { readonly likeness: Likeness }
  | { readonly failure: { readonly message: string; readonly hint: string } };

type Ort = typeof import('onnxruntime-node');
type Session = Awaited<ReturnType<Ort['InferenceSession']['create']>>;
type Worker = (item: Job['items'][number], job: Job) => Promise<Result>;

/** As much of @huggingface/tokenizers as is used: its own types are not found from here. */
interface Tokenizers {
  readonly Tokenizer: new (
    tokenizer: unknown,
    config: object,
  ) => { encode(text: string): { readonly ids: readonly number[] } };
}

const workers = new Map<string, Promise<Worker>>();

export async function handle(task: ThreadJob | ThreadComparison): Promise<ThreadAnswer> {
  if ('cutouts' in task) {
    const { likeness } = await load('sharp', () => import('./likeness.ts'));
    return { likeness: await likeness(...task.cutouts) };
  }
  const { job, loadable, closing } = task;
  const begun = performance.now();
  const { work, model, weights, device = 'cpu' } = loadable;
  const key = `${work} ${model.name} ${weights} ${device}`;
  try {
    let worker = workers.get(key);
    if (!worker) {
      worker = workerFor(loadable);
      workers.set(key, worker);
      worker.catch(() => workers.delete(key));
    }
    const work = await worker;
    const items: Result[] = [];
    for (const item of job.items) {
      if (Atomics.load(closing, 0) !== 0) throw new Error('closed');
      items.push(
        await work(item, job).catch((error: unknown) => ({ id: item.id, error: inAFewWords(error) })),
      );
    }
    return { answer: { worker: `thread ${threadId}`, ms: performance.now() - begun, items } };
  } catch (error) {
    if (error instanceof ModelError) return { failure: { message: error.message, hint: error.hint ?? '' } };
    throw error;
  }
}

async function workerFor(loadable: Loadable): Promise<Worker> {
  const ort = await load('onnxruntime-node', () => import('onnxruntime-node'));
  if (loadable.work === 'text') return wordWorker(ort, loadable);
  const pictures = await load('sharp', () => import('./pictures.ts'));
  const session = await open(ort, loadable);
  const run = runner(ort, session, loadable.model.pixels.size);
  if (loadable.work === 'cutout') {
    const { model } = loadable;
    const { size } = model.pixels;
    return async (item, job) => {
      const limits = 'cover' in job && job.cover ? job.cover : COVER;
      const picture = await pictures.decode(bytesOf(item));
      const mask = await run(await pictures.squareOf(picture, model), undefined);
      if (mask.length !== size * size) throw wrongShape(model.name, mask.length, size * size);
      return { id: item.id, cutout: await pictures.cutOut(picture, mask, model, limits) };
    };
  }
  const { model } = loadable;
  return async (item) => {
    const picture = await pictures.decode(bytesOf(item));
    const values = await run(await pictures.vectorInput(picture, model), model.output);
    return { id: item.id, vector: vectorOf(values, model) };
  };
}

/** The first of several vectors is that of the whole picture. */
function vectorOf(values: Float32Array, { name, dims }: EmbeddingModel): Float32Array {
  if (values.length < dims || values.length % dims !== 0) throw wrongShape(name, values.length, dims);
  const vector = values.slice(0, dims);
  if (!vector.every(Number.isFinite)) throw new Error('the model gave values that are no numbers');
  return vector;
}

function wrongShape(name: string, found: number, expected: number): ModelError {
  return new ModelError(
    `The model ${name} gave ${found} values, expected ${expected}.`,
    'Use another model.',
  );
}

async function wordWorker(ort: Ort, loadable: Loadable & { work: 'text' }): Promise<Worker> {
  const { model, tokenizer: path } = loadable;
  const { text: side } = model;
  const importing = (): Promise<unknown> => import('@huggingface/tokenizers');
  const { Tokenizer } = (await load('@huggingface/tokenizers', importing)) as Tokenizers;
  const tokenizer = new Tokenizer(JSON.parse((await checked(path, side.tokenizer)).toString()), {});
  const session = await open(ort, { ...loadable, model: { ...model, weights: side.weights } });
  return async (item) => {
    const text = 'text' in item ? item.text.normalize('NFC').trim() : '';
    if (text === '') throw new Error('there is no text');
    const { ids } = tokenizer.encode(side.lowerCase ? text.toLowerCase() : text);
    // What its vocabulary lacks has no id.
    const kept = ids.filter((id) => Number.isInteger(id) && id !== side.end).slice(0, side.context - 1);
    const padded = [...kept, side.end, ...new Array<number>(side.context).fill(side.padding)].slice(
      0,
      side.context,
    );
    const dims = [1, side.context];
    const tensor =
      side.ids === 'int32'
        ? new ort.Tensor('int32', Int32Array.from(padded), dims)
        : new ort.Tensor('int64', BigInt64Array.from(padded, BigInt), dims);
    return { id: item.id, vector: vectorOf(await runOn(session, tensor, side.output), model) };
  };
}

function runner(ort: Ort, session: Session, size: number) {
  return (values: Float32Array, output: string | undefined): Promise<Float32Array> =>
    runOn(session, new ort.Tensor('float32', values, [1, 3, size, size]), output);
}

async function runOn(
  session: Session,
  tensor: InstanceType<Ort['Tensor']>,
  output: string | undefined,
): Promise<Float32Array> {
  const [input = ''] = session.inputNames;
  const name =
    output !== undefined && session.outputNames.includes(output) ? output : (session.outputNames[0] ?? '');
  const results = await session.run({ [input]: tensor }, [name]);
  const result = results[name];
  if (!(result?.data instanceof Float32Array)) throw new Error('the model gave no numbers');
  const values = result.data.slice();
  result.dispose();
  tensor.dispose();
  return values;
}

/** The bytes that were checked are the bytes that are loaded, whatever happens to the file meanwhile. */
async function open(ort: Ort, loadable: Loadable): Promise<Session> {
  const { model, weights } = loadable;
  const file = await checked(weights, model.weights);
  refuseOtherFiles(file);
  if (loadable.work === 'cutout' && loadable.model.madeFor !== undefined)
    resizeInput(file, loadable.model.madeFor, loadable.model.pixels.size);
  const options = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableCpuMemArena: false,
    logSeverityLevel: 3,
    executionProviders: [loadable.device ?? 'cpu'],
  } as const;
  try {
    return await ort.InferenceSession.create(file, { ...options, graphOptimizationLevel: 'all' });
  } catch {
    // Some half-precision files trip over the last step of what ONNX Runtime does to make them faster.
    return await ort.InferenceSession.create(file, { ...options, graphOptimizationLevel: 'basic' }).catch(
      (cause: unknown) => {
        throw new ModelError(
          `The model ${model.name} cannot be loaded: ${inAFewWords(cause)}.`,
          'Use another model.',
          cause,
        );
      },
    );
  }
}

async function checked(path: string, { bytes, sha256 }: ModelFile): Promise<Buffer> {
  const file = await readFile(path);
  const isRight = file.length === bytes && createHash('sha256').update(file).digest('hex') === sha256;
  if (isRight) return file;
  throw new ModelError(
    `${path} is not the file that it should be: it is damaged, or another one.`,
    'Delete it and start again: it is fetched anew.',
  );
}

async function load<T>(name: string, importing: () => Promise<T>): Promise<T> {
  try {
    return await importing();
  } catch (error) {
    throw isMissing(error, name) ? missingPackage(name, error) : error;
  }
}

function bytesOf(item: Job['items'][number]): Uint8Array {
  if ('bytes' in item) return item.bytes;
  throw new Error('there is no picture');
}

function inAFewWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
