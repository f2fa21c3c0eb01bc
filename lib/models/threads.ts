import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Piscina } from 'piscina';
import { ModelError, isMissing, missingPackage } from './errors.ts';
import type { Loadable, ThreadAnswer, ThreadComparison, ThreadJob } from './inference.ts';
import type { Answer, Job, Likeness, OwnPool } from './jobs.ts';

export interface ThreadOptions {
  readonly threads: number;
  /** What a job's model is, and where its files are. @throws ModelError where it was not made ready */
  readonly loadable: (job: Job) => Loadable;
  /** Milliseconds that a job may take. After twice as long its thread is ended. */
  readonly patience?: number;
  /** Milliseconds after which the threads are replaced by new ones: what the runtime leaks goes with them. */
  readonly lifetime?: number;
}

const PATIENCE_MS = 300_000;
const LIFETIME_MS = 600_000;
/** Threads that wait for so long end, and their memory is given back. Milliseconds. */
const IDLE_MS = 120_000;
/** So many jobs in a row that ended their thread: it is not the pictures. */
const IN_A_ROW = 3;
/** Of a thread, for JavaScript alone: a tokenizer takes 300. The models' memory is not counted here. */
const HEAP_MB = 1024;

/**
 * Threads of this computer, each with sessions of its own. `run()` of ONNX Runtime blocks its whole thread: here that is
 * never the main one. They see no environment, and so no key.
 *
 * @throws ModelError where piscina is not installed
 */
export async function openThreads(options: ThreadOptions): Promise<OwnPool> {
  await keepLoaded();
  try {
    const { Piscina: Threads } = await import('piscina');
    const start = (): Piscina =>
      new Threads({
        filename: new URL('./thread.js', import.meta.url).href,
        minThreads: 0,
        maxThreads: options.threads,
        idleTimeout: IDLE_MS,
        concurrentTasksPerWorker: 1,
        atomics: 'disabled',
        recordTiming: false,
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
        env: {},
        execArgv: [],
      });
    return new ThreadPool(options, start);
  } catch (error) {
    throw isMissing(error, 'piscina') ? missingPackage('piscina', error) : error;
  }
}

/**
 * The runtime's native part can be loaded anew in a process only while somebody has it loaded: were it in threads alone,
 * the first ones after the last of them ended could not run. The main thread never calls it. 12 MB.
 */
async function keepLoaded(): Promise<void> {
  try {
    await import('onnxruntime-node');
  } catch (error) {
    throw isMissing(error, 'onnxruntime-node') ? missingPackage('onnxruntime-node', error) : error;
  }
}

class ThreadPool implements OwnPool {
  readonly width: number;
  readonly threads: number;
  readonly #options: ThreadOptions;
  readonly #patience: number;
  readonly #start: () => Piscina;
  /** A job is handed to the threads once one is free: until then it can be given up. */
  readonly #turn;
  /** What the threads work on now. */
  readonly #running = new Set<Promise<unknown>>();
  /** Not zero: no further item of a job is begun. */
  readonly #closing = new Int32Array(new SharedArrayBuffer(4));
  #threads: Piscina | undefined;
  #since = 0;
  #replacing: Promise<void> | undefined;
  #closed = false;
  #fallen = 0;

  constructor(options: ThreadOptions, start: () => Piscina) {
    // One more than there are threads: the next job is there when one ends.
    this.width = options.threads + 1;
    this.threads = options.threads;
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE_MS;
    this.#start = start;
    this.#turn = pLimit(options.threads);
  }

  run(job: Job, signal?: AbortSignal): Promise<Answer> {
    return this.#turn(() => {
      signal?.throwIfAborted();
      return this.#begin(job);
    });
  }

  async compare(one: Uint8Array, other: Uint8Array): Promise<Likeness> {
    // Short, and somebody waits for it: it takes no turn.
    const answer = await this.#send({ cutouts: [one, other] });
    if ('likeness' in answer) return answer.likeness;
    throw new Error('internal: an answer to something else');
  }

  async #begin(job: Job): Promise<Answer> {
    const loadable = this.#options.loadable(job);
    try {
      const answer = await this.#send({ job, loadable, closing: this.#closing });
      this.#fallen = 0;
      if ('answer' in answer) return answer.answer;
      throw new Error('internal: an answer to something else');
    } catch (error) {
      if (error instanceof ModelError || this.#closed) throw error;
      this.#fallen += 1;
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#fallen >= IN_A_ROW)
        throw new ModelError(
          `The threads that run the models end unexpectedly: ${reason}.`,
          'Perhaps there is too little memory: start again with fewer (models: threads in pipeline.yaml).',
          error,
        );
      return this.#oneByOne(job, reason);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    Atomics.store(this.#closing, 0, 1);
    await this.#replacing?.catch(() => undefined);
    if (this.#threads) await this.#end(this.#threads);
  }

  /**
   * ONNX Runtime ends the whole process where its thread is ended in the middle of a call: what runs is waited for, as
   * long as a job may take. (Piscina's own close() waits for the first of several.)
   */
  async #end(threads: Piscina): Promise<void> {
    const running = Promise.allSettled(this.#running);
    await Promise.race([running, sleep(this.#patience, undefined, { ref: false })]);
    await threads.destroy();
  }

  /** Which of the items ended the thread? */
  async #oneByOne(job: Job, reason: string): Promise<Answer> {
    const [first] = job.items;
    if (first && job.items.length === 1)
      return { worker: '', ms: 0, items: [{ id: first.id, error: reason }] };
    const answers: Answer[] = [];
    for (const item of job.items) answers.push(await this.#begin({ ...job, items: [item] } as Job));
    return {
      worker: answers[0]?.worker ?? '',
      ms: answers.reduce((sum, { ms }) => sum + ms, 0),
      items: answers.flatMap(({ items }) => items),
    };
  }

  async #send(task: ThreadJob | ThreadComparison): Promise<ThreadAnswer> {
    this.#renew();
    // Others may have them replaced while this waits. Nothing does between the last look and the job's beginning: they
    // would end with it under way.
    while (this.#replacing) await this.#replacing;
    const threads = this.#threads;
    if (this.#closed || !threads) throw new Error('closed');
    const run = threads.run(task) as Promise<ThreadAnswer>;
    this.#running.add(run);
    const forget = (): unknown => this.#running.delete(run);
    run.then(forget, forget);
    const settled = new AbortController();
    const late = sleep(this.#patience, undefined, { signal: settled.signal });
    try {
      const answer = await Promise.race([run, late.catch(() => run)]);
      if (!answer) {
        // Its thread works on. No other job is given to it: new threads take over once it is done, or is ended.
        if (threads === this.#threads) this.#since = -Infinity;
        throw new Error('it took longer than allowed');
      }
      if ('failure' in answer) throw new ModelError(answer.failure.message, answer.failure.hint);
      return answer;
    } finally {
      settled.abort();
    }
  }

  /** Those that are too old end before new ones begin: both at once would need twice the memory. */
  #renew(): void {
    if (this.#closed || this.#replacing) return;
    const isYoung = performance.now() - this.#since < (this.#options.lifetime ?? LIFETIME_MS);
    if (this.#threads && isYoung) return;
    const old = this.#threads;
    this.#threads = undefined;
    this.#replacing = this.#replace(old).finally(() => (this.#replacing = undefined));
  }

  async #replace(old: Piscina | undefined): Promise<void> {
    if (old) await this.#end(old);
    if (this.#closed) return;
    this.#threads = this.#start();
    this.#since = performance.now();
  }
}
