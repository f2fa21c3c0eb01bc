import { createRequire } from 'node:module';
import type { Queue as BullQueue, Worker as BullWorker } from 'bullmq';
import type { Redis as RedisClient } from 'ioredis';
import { UserError } from '../errors.ts';
import { oneLine } from '../text/clean.ts';
import { PASSWORD } from './address.ts';
import type { RedisAddress } from './address.ts';
import { PREFIX } from './protocol.ts';

export type Queue = BullQueue;
export type Worker = BullWorker;
/** A job as BullMQ hands it over. */
export interface QueuedJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  /** How often it was begun, this time included. */
  readonly attemptsStarted: number;
}

export interface LinkOptions {
  readonly address: RedisAddress;
  readonly password: string | undefined;
  /** How long a job belongs to who does not say any more that he has it. Milliseconds. */
  readonly lockMs: number;
}

/** The connection is there, or again; or why it is not, and when it is tried next (milliseconds from now). */
export type LinkState =
  { readonly isUp: true } | { readonly isUp: false; readonly reason: string; readonly inMs: number };

/** Before the first new try, and at most. Milliseconds. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [200, 15_000];
/** Of one command. */
const PATIENCE_MS = 10_000;

/** Redis, and BullMQ on it. Reconnects for ever, with growing pauses; opens no port. */
export class Link {
  readonly redis: RedisClient;
  readonly #bull: typeof import('bullmq');
  readonly #options: LinkOptions;
  readonly #workers = new Set<Worker>();
  readonly #queues = new Set<Queue>();
  #reason = 'no answer';
  readonly #asking: NodeJS.Timeout;
  #watcher: (state: LinkState) => void = () => undefined;

  /** @throws UserError where bullmq or ioredis is not installed */
  static async open(options: LinkOptions): Promise<Link> {
    const [bull, { Redis }] = await Promise.all([
      loaded('bullmq', () => import('bullmq')),
      loaded('ioredis', () => import('ioredis')),
    ]);
    const { address, password } = options;
    const redis = new Redis({
      host: address.host,
      port: address.port,
      db: address.db,
      ...(password !== undefined && { password }),
      ...(address.isEncrypted && { tls: {} }),
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times, 10), LONGEST_PAUSE_MS),
      connectTimeout: PATIENCE_MS,
      keepAlive: PATIENCE_MS,
    });
    return new Link(options, bull, redis);
  }

  private constructor(options: LinkOptions, bull: typeof import('bullmq'), redis: RedisClient) {
    this.#options = options;
    this.#bull = bull;
    this.redis = redis;
    this.#asking = setInterval(() => void this.#ask(), PATIENCE_MS / 2).unref();
    redis.on('error', (error: Error) => (this.#reason = inAFewWords(error)));
    redis.on('ready', () => {
      this.#reason = 'the connection was closed';
      this.#watcher({ isUp: true });
    });
    redis.on('reconnecting', (inMs: number) => {
      this.#watcher({ isUp: false, reason: this.#reason, inMs });
      this.#reason = 'the connection was closed';
    });
  }

  /** Called now, where the connection is there, and whenever it comes or goes. */
  watch(watcher: (state: LinkState) => void): void {
    this.#watcher = watcher;
    if (this.isUp) watcher({ isUp: true });
  }

  /** A computer that sleeps, or a cable that is pulled, closes nothing: without an answer the connection is given up. */
  async #ask(): Promise<void> {
    if (!this.isUp) return;
    const answer = this.redis.ping().then(
      () => undefined,
      () => undefined,
    );
    if ((await within(answer, PATIENCE_MS / 2)) || !this.isUp) return;
    this.#reason = 'it does not answer';
    this.redis.disconnect(true);
  }

  get isUp(): boolean {
    return this.redis.status === 'ready';
  }

  queue(name: string): Queue {
    const queue = new this.#bull.Queue(name, {
      connection: this.redis,
      prefix: PREFIX,
      skipVersionCheck: true,
      skipMetasUpdate: true,
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
    });
    queue.on('error', () => undefined);
    this.#queues.add(queue);
    return queue;
  }

  /**
   * @param concurrency jobs at once
   * @param work once it has ended, in whatever way, the job is gone
   */
  worker(name: string, concurrency: number, work: (job: QueuedJob) => Promise<void>): Worker {
    const { lockMs } = this.#options;
    const worker = new this.#bull.Worker(name, (job) => work(job), {
      connection: this.redis,
      prefix: PREFIX,
      skipVersionCheck: true,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / 3),
      // How often a job is begun anew is counted by those who begin it.
      maxStalledCount: 1000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      runRetryDelay: 500,
      drainDelay: 5,
    });
    worker.on('error', () => undefined);
    this.#workers.add(worker);
    return worker;
  }

  /** @param gently jobs in hand are finished first */
  async end(worker: Worker, gently: boolean): Promise<void> {
    this.#workers.delete(worker);
    await within(
      worker.close(!gently || !this.isUp).catch(() => undefined),
      gently ? undefined : 1000,
    );
  }

  /** Waits for nothing that Redis does not answer at once. */
  async close(): Promise<void> {
    clearInterval(this.#asking);
    await Promise.all([...this.#workers].map((worker) => this.end(worker, false)));
    await Promise.all(
      [...this.#queues].map((queue) =>
        within(
          queue.close().catch(() => undefined),
          500,
        ),
      ),
    );
    this.redis.disconnect();
  }
}

/** @returns whether it ended within so many milliseconds; undefined: however long */
export async function within(what: Promise<unknown>, ms: number | undefined): Promise<boolean> {
  if (ms === undefined) return what.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const ended = await Promise.race([what.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}

function inAFewWords(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (/^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)/.test(error.message))
    return /^NOAUTH/.test(error.message)
      ? `it asks for a password (${PASSWORD})`
      : `it refuses the password (${PASSWORD})`;
  return code === '' ? oneLine(error.message).slice(0, 200) : code;
}

/** Looks without loading them. @throws UserError where bullmq or ioredis is not installed */
export function checkInstalled(): void {
  const { resolve } = createRequire(import.meta.url);
  for (const name of ['bullmq', 'ioredis'] as const) {
    try {
      resolve(name);
    } catch (error) {
      throw missing(name, error);
    }
  }
}

const VERSIONS = { bullmq: '6.7.0', ioredis: '6.0.0' } as const;

async function loaded<T>(name: keyof typeof VERSIONS, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    const isMissing = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
    throw isMissing ? missing(name, error) : error;
  }
}

function missing(name: keyof typeof VERSIONS, cause: unknown): UserError {
  const all = Object.entries(VERSIONS).map(([one, version]) => `${one}@${version}`);
  return new UserError(`Workers need the package ${name}, which is not installed.`, {
    exitCode: 2,
    hint: `Install what they need beside sync-data: npm install ${all.join(' ')}
Or take workers: out of pipeline.yaml: the threads of this computer then do the work.`,
    cause,
  });
}
