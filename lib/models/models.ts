import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ModelError } from './errors.ts';
import { fetchModel, findModel } from './fetch.ts';
import type { Loadable } from './inference.ts';
import type { Job, OwnPool, Pool } from './jobs.ts';
import { REGISTRY } from './registry.ts';
import type { CutoutModel, EmbeddingModel, ModelFile, Registry, TextSide } from './registry.ts';
import { openThreads } from './threads.ts';

export interface ModelsOptions {
  /** Absolute: the folder of the models. */
  readonly folder: string;
  /** An address in place of the hosts that models come from. */
  readonly source?: string | undefined;
  /** Undefined: as many as this computer has cores, less one, as far as its memory goes. */
  readonly threads?: number | undefined;
  /** Others than ours: for tests and benchmarks. */
  readonly registry?: Registry;
  /** Shares the work of these threads with other computers. @returns the pool of all of them; it closes `own` too */
  readonly share?: Share | undefined;
}

export type Share = (own: OwnPool, models: Pick<Models, 'identity' | 'milliseconds'>) => Promise<Pool>;

/** What makes the results of a model comparable: part of a space. */
export interface ModelIdentity {
  readonly name: string;
  readonly sha256: string;
  readonly recipe: number;
  /** Null: of cutouts. */
  readonly dims: number | null;
}

export interface Readying {
  readonly signal: AbortSignal;
  /** Bytes that are there, of so many. */
  readonly progress?: (bytes: number, of: number) => void;
  /** See FetchOptions. */
  readonly pauses?: readonly number[];
}

const OWN = fileURLToPath(new URL('./baseline/', import.meta.url));
/** Of the computer's memory, this share may be taken by models. */
const SHARE = 0.6;

/** The models of this computer, and the threads that run them. Nothing is loaded before a job comes. */
export class Models {
  readonly #options: ModelsOptions;
  readonly #registry: Registry;
  readonly #ready = new Map<string, Loadable>();
  #threads: Promise<OwnPool> | undefined;
  #pool: Promise<Pool> | undefined;

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#registry = options.registry ?? REGISTRY;
  }

  /** What its space is called; asks nobody. @throws ModelError for a name that is in no registry */
  identity(work: Job['work'], name: string): ModelIdentity {
    if (work === 'cutout') {
      const { weights, pixels } = this.#cutouts(name);
      return { name, sha256: weights.sha256, recipe: pixels.recipe, dims: null };
    }
    const model = this.#embeddings(name);
    const side = work === 'text' ? this.#words(model) : undefined;
    return {
      name,
      sha256: (side ?? model).weights.sha256,
      recipe: side ? side.recipe : model.pixels.recipe,
      dims: model.dims,
    };
  }

  /** Whether the model has a side for words. */
  knowsWords(name: string): boolean {
    return this.#embeddings(name).text !== undefined;
  }

  /** Milliseconds per picture on one core: to plan with before anything was measured. */
  milliseconds(work: Job['work'], name: string): number {
    return (work === 'cutout' ? this.#cutouts(name) : this.#embeddings(name)).milliseconds;
  }

  /** Whether its files are already here. */
  async isHere(work: Job['work'], name: string): Promise<boolean> {
    for (const file of this.#filesOf(work, name)) if ((await this.#find(file)) === undefined) return false;
    return true;
  }

  /**
   * Fetches what is missing of it. Jobs for a model come after this.
   * @throws ModelError where it cannot be had; the reason of `signal` once that is aborted
   */
  async ready(work: Job['work'], name: string, readying: Readying): Promise<ModelIdentity> {
    const files = this.#filesOf(work, name);
    const of = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const paths: string[] = [];
    let before = 0;
    for (const file of files) {
      const { folder, source } = this.#options;
      const { signal, pauses, progress } = readying;
      const whole = before;
      const path =
        (await this.#find(file, signal)) ??
        (await fetchModel(file, {
          folder,
          source,
          signal,
          ...(pauses && { pauses }),
          progress: (bytes) => progress?.(whole + bytes, of),
        }));
      paths.push(path);
      before += file.bytes;
    }
    const [weights = '', tokenizer = ''] = paths;
    this.#ready.set(`${work} ${name}`, this.#loadableOf(work, name, weights, tokenizer));
    return this.identity(work, name);
  }

  /**
   * Has the jobs of a model that is ready done by a device in place of the processor.
   * @param device as ONNX Runtime names it: cpu, cuda, dml, coreml, webgpu
   */
  runOn(work: Job['work'], name: string, device: string): void {
    const loadable = this.#ready.get(`${work} ${name}`);
    if (loadable) this.#ready.set(`${work} ${name}`, { ...loadable, device });
  }

  /** What a thread is given of a model that is ready. */
  loadable(work: Job['work'], name: string): Loadable | undefined {
    return this.#ready.get(`${work} ${name}`);
  }

  /** @throws ModelError where a package is not installed; UserError where the computers it is shared with cannot be asked */
  pool(): Promise<Pool> {
    const { share } = this.#options;
    this.#pool ??= share ? this.threads().then((own) => share(own, this)) : this.threads();
    this.#pool.catch(() => (this.#pool = undefined));
    return this.#pool;
  }

  /** Those of this computer alone. @throws ModelError where a package is not installed */
  threads(): Promise<OwnPool> {
    this.#threads ??= openThreads({
      threads: this.#options.threads ?? this.#count(),
      loadable: (job) => {
        const loadable = this.#ready.get(`${job.work} ${job.model}`);
        if (!loadable) throw new Error(`internal: ${job.model} was not made ready for ${job.work}`);
        return loadable;
      },
    });
    this.#threads.catch(() => (this.#threads = undefined));
    return this.#threads;
  }

  async close(): Promise<void> {
    await (await this.#pool?.catch(() => undefined))?.close();
    await (await this.#threads?.catch(() => undefined))?.close();
    this.#pool = undefined;
    this.#threads = undefined;
  }

  #count(): number {
    const needs = [...this.#ready.values()].map(({ model }) => model.megabytes);
    const room = Math.floor((totalmem() * SHARE) / 1e6 / Math.max(1, ...needs));
    return Math.max(1, Math.min(availableParallelism() - 1, room));
  }

  #loadableOf(work: Job['work'], name: string, weights: string, tokenizer: string): Loadable {
    if (work === 'cutout') return { work, model: this.#cutouts(name), weights };
    const model = this.#embeddings(name);
    if (work === 'image') return { work, model, weights };
    return { work, model: { ...model, text: this.#words(model) }, weights, tokenizer };
  }

  #filesOf(work: Job['work'], name: string): ModelFile[] {
    if (work === 'cutout') return [this.#cutouts(name).weights];
    const model = this.#embeddings(name);
    if (work === 'image') return [model.weights];
    const { weights, tokenizer } = this.#words(model);
    return [weights, tokenizer];
  }

  #find(file: ModelFile, signal?: AbortSignal): Promise<string | undefined> {
    return findModel(file, file.url === undefined ? OWN : this.#options.folder, signal);
  }

  #cutouts(name: string): CutoutModel {
    return named(this.#registry.cutouts, name);
  }

  #embeddings(name: string): EmbeddingModel {
    return named(this.#registry.embeddings, name);
  }

  #words(model: EmbeddingModel): TextSide {
    if (model.text) return model.text;
    throw new ModelError(
      `The model ${model.name} knows no words.`,
      'Use one that does: siglip2-base, clip-vit-b-32.',
    );
  }
}

function named<Model extends { readonly name: string }>(models: readonly Model[], name: string): Model {
  const model = models.find((one) => one.name === name);
  if (model) return model;
  throw new ModelError(
    `There is no model ${name}.`,
    `Name one of these: ${models.map((one) => one.name).join(', ')}`,
  );
}
