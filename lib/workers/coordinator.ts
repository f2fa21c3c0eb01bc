import { randomUUID } from 'node:crypto';
import { MOST_IN_WINDOW, MOST_WINDOW_BYTES, MOST_WORDS } from '../limits.ts';
import { THIS_COMPUTER } from '../models/jobs.ts';
import type { Answer, Job, OwnPool, Pool, Result, WorkerView } from '../models/jobs.ts';
import type { Models } from '../models/models.ts';
import { tooLarge } from '../models/picture-size.ts';
import { clockTime, plural } from '../text/format.ts';
import { systemClock, unlessAborted } from '../time.ts';
import type { RedisAddress } from './address.ts';
import { Batches, Gathering, batchSize, sizeOf } from './batches.ts';
import type { Batch, Wanted } from './batches.ts';
import { Hearing } from './hearing.ts';
import { Lane } from './lane.ts';
import { Link } from './link.ts';
import type { QueuedJob } from './link.ts';
import { odd } from './news.ts';
import type { News } from './news.ts';
import { Presence } from './presence.ts';
import type { Apart } from './presence.ts';
import { LOCK_MS, MOST_STARTS, queueOf } from './protocol.ts';
import type { Item, Space } from './protocol.ts';
import { Roster } from './roster.ts';

export interface CoordinatorOptions {
  readonly address: RedisAddress;
  readonly password: string | undefined;
  /** Tells this dataset from others. */
  readonly dataset: string;
  readonly tell: (news: News) => void;
  /** Called about once a second. */
  readonly changed?: (workers: readonly WorkerView[]) => void;
  /** See LinkOptions. */
  readonly lockMs?: number;
}

/** How often it looks after everything. Milliseconds. */
const TICK_MS = 1000;
/** How long the first of a batch waits for others. Milliseconds. */
const GATHER_MS = 25;
/** How long the first jobs wait at most to learn whether Redis is there: until then only this computer could begin them. Milliseconds. */
const FIRST_MS = 2000;
/** A job that was put in so long ago is looked for; missed so often in a row, it is put in again. */
const [LOOK_AFTER_MS, MISSES] = [1500, 2];
/** Put in so often without an answer that is of use: the threads of this computer do it. */
const MOST_PUTS = 5;
/** After a stop, what others have begun is waited for so long. Milliseconds. */
const GRACE_MS = 30_000;

/** What the engine waits for, for the screen. */
export interface Waiting {
  readonly batches: number;
  readonly apart: Apart | undefined;
}

/**
 * Shares jobs with workers on other computers. It keeps everything that is on its way: Redis holds what can be made
 * again, so emptied, restarted or gone, it stops nothing. Results are only handed to who asked: nobody here writes.
 */
export class Coordinator implements Pool {
  readonly #id = randomUUID();
  readonly #options: CoordinatorOptions;
  readonly #own: OwnPool;
  readonly #models: Pick<Models, 'identity' | 'milliseconds'>;
  readonly #lanes = new Map<string, Lane>();
  readonly #batches = new Batches();
  readonly #roster: Roster;
  readonly #gathering: Gathering;
  readonly #stops = new WeakSet<AbortSignal>();
  readonly #link: Link;
  readonly #presence: Presence;
  readonly #redisKnown: Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #opening: Promise<void> | undefined;
  #isClosed = false;
  #isBusy = false;
  #bytes = 100_000;
  #ownPictures = 0;
  #ownRecent: (readonly [number, number])[] = [];

  /** @throws UserError where bullmq or ioredis is not installed */
  static async open(
    options: CoordinatorOptions,
    own: OwnPool,
    models: Pick<Models, 'identity' | 'milliseconds'>,
  ): Promise<Coordinator> {
    const link = await Link.open({ ...options, lockMs: options.lockMs ?? LOCK_MS });
    return new Coordinator(options, own, models, link);
  }

  private constructor(
    options: CoordinatorOptions,
    own: OwnPool,
    models: Pick<Models, 'identity' | 'milliseconds'>,
    link: Link,
  ) {
    this.#options = options;
    this.#own = own;
    this.#models = models;
    this.#link = link;
    this.#roster = new Roster(options.lockMs ?? LOCK_MS);
    const { tell, dataset, address } = options;
    const hearing = new Hearing({
      own,
      roster: this.#roster,
      batches: this.#batches,
      lane: (name) => this.#lanes.get(name),
      lanes: () => [...this.#lanes.keys()],
      tell,
      settle: (batch, results, worker, ms) => this.#settle(batch, results, worker, ms),
      again: (batch) => this.#put(batch),
      halve: (batch) => this.#halve(batch),
      say: () => this.#presence.say(),
    });
    this.#presence = new Presence(link, {
      id: this.#id,
      dataset,
      address: address.text,
      tell,
      work: () => ({
        spaces: [...this.#lanes.values()].filter(({ isOpen }) => isOpen).map(({ space }) => space),
        verdicts: this.#roster.verdicts(),
      }),
      hear: ({ data }) => hearing.hear(data),
      changed: () => this.#redisChanged(),
    });
    this.#redisKnown = Promise.race([this.#presence.known, systemClock.wait(FIRST_MS)]);
    this.#gathering = new Gathering(GATHER_MS, (space, cover, wanted) => this.#send(space, cover, wanted));
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    link.watch(this.#presence.linkChanged);
  }

  get width(): number {
    const lanes = [...this.#lanes.values()];
    const others = this.#presence.apart
      ? 0
      : Math.max(0, ...lanes.map(({ name }) => this.#roster.threads(name)));
    const size = Math.max(1, ...lanes.map(({ milliseconds }) => batchSize(milliseconds)));
    const room = Math.min(MOST_IN_WINDOW, Math.floor(MOST_WINDOW_BYTES / this.#bytes));
    return Math.max(this.#own.width, Math.min(room, (this.#own.width + others + 1) * size));
  }

  prepare(work: Job['work'], model: string): void {
    const lane = this.#laneOf(work, model);
    // Where it cannot be opened, the first job says why.
    if (!this.#presence.apart) void this.#openLane(lane).catch(() => undefined);
  }

  async run(job: Job, signal?: AbortSignal): Promise<Answer> {
    await (signal ? unlessAborted(this.#redisKnown, signal) : this.#redisKnown);
    const lane = this.#laneOf(job.work, job.model);
    const cover = job.work === 'cutout' ? job.cover : undefined;
    const workers = new Set<string>();
    let most = 0;
    const one = (item: Item): Promise<Result> => {
      const error = 'bytes' in item ? tooLarge(item.bytes) : undefined;
      if (error !== undefined) return Promise.resolve({ id: item.id, error });
      if ('text' in item && item.text.length > MOST_WORDS) return this.#alone(job, item, signal);
      this.#bytes += (Math.max(1, sizeOf(item)) - this.#bytes) / 50;
      return new Promise((resolve, reject) => {
        const done: Wanted['done'] = (result, worker, ms) => {
          workers.add(worker);
          most = Math.max(most, ms);
          resolve({ ...result, id: item.id });
        };
        const wanted = { item, signal, done, failed: reject };
        this.#gathering.add(lane.space, cover, wanted, batchSize(lane.milliseconds));
      });
    };
    if (signal) this.#heed(signal);
    const items = await Promise.all((job.items as readonly Item[]).map(one));
    return { worker: [...workers].join(', '), ms: most, items };
  }

  workers(): readonly WorkerView[] {
    const now = Date.now();
    const recent = this.#ownRecent.filter(([at]) => at > now - 60_000);
    const pictures = recent.reduce((sum, [, n]) => sum + n, 0);
    const perSecond = (pictures * 1000) / Math.max(1000, now - (recent[0]?.[0] ?? now));
    const own: WorkerView = {
      name: THIS_COMPUTER,
      device: 'cpu',
      state: 'working',
      pictures: this.#ownPictures,
      perSecond,
      heardAt: now,
      reason: '',
    };
    return [own, ...this.#roster.views(now)];
  }

  waiting(): Waiting {
    return { batches: this.#batches.size, apart: this.#presence.apart };
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#gathering.flush();
    for (const batch of this.#batches.all()) this.#fail(batch, new Error('closed'));
    this.#options.changed?.(this.workers());
    await this.#presence.leave();
    await this.#link.close();
    await this.#own.close();
  }

  #laneOf(work: Job['work'], model: string): Lane {
    const { sha256, recipe, dims } = this.#models.identity(work, model);
    const space: Space = { work, model, sha256, recipe };
    const name = queueOf(space);
    const lane = this.#lanes.get(name) ?? new Lane(space, this.#models.milliseconds(work, model), dims);
    this.#lanes.set(name, lane);
    return lane;
  }

  #send(space: Space, cover: Batch['cover'], wanted: readonly Wanted[]): void {
    const batch = this.#batches.make(space, cover, wanted);
    if (this.#isClosed) this.#fail(batch, new Error('closed'));
    else void this.#put(batch);
  }

  /** Into Redis, where it can be had; else the threads of this computer take it as they come to it. */
  async #put(batch: Batch): Promise<void> {
    const lane = this.#lanes.get(queueOf(batch.space));
    if (!lane || !this.#batches.get(batch.id)) return;
    if (batch.puts >= MOST_PUTS) return void this.#here(batch);
    if (this.#presence.apart) {
      batch.job = undefined;
      return this.#pump();
    }
    const before = batch.job;
    try {
      if (before !== undefined) await lane.take(before);
      await this.#openLane(lane);
      await lane.put(batch, this.#id);
    } catch {
      // Too large for it, say, or it has no memory left.
      batch.job = undefined;
      void this.#here(batch);
    }
  }

  async #openLane(lane: Lane): Promise<void> {
    if (lane.isOpen) return;
    this.#opening ??= lane
      .open(this.#link, this.#own, (job) => this.#fromQueue(job))
      .then(() => this.#presence.say())
      .finally(() => (this.#opening = undefined));
    await this.#opening;
    if (!lane.isOpen) await this.#openLane(lane);
  }

  /** The threads of this computer take their share of the queue. */
  async #fromQueue({ id, attemptsStarted }: QueuedJob): Promise<void> {
    const batch = this.#batches.all().find(({ job }) => job === id);
    if (!batch) return;
    if (attemptsStarted > MOST_STARTS && batch.wanted.length > 1) return this.#halve(batch);
    await this.#here(batch);
  }

  /** Without Redis: as many at once as there are threads for. */
  #pump(): void {
    if (!this.#presence.apart || this.#isClosed) return;
    const all = this.#batches.all();
    const free = this.#own.width - all.filter(({ isHere }) => isHere).length;
    const next = all.filter(({ isHere, isChecked }) => !isHere && !isChecked);
    for (const batch of next.slice(0, Math.max(0, free))) void this.#here(batch).then(() => this.#pump());
  }

  async #here(batch: Batch): Promise<void> {
    if (batch.isHere) return;
    batch.isHere = true;
    const { work, model } = batch.space;
    const items = batch.wanted.map(({ item }, id) => ({ ...item, id }));
    const cover = batch.cover && { cover: batch.cover };
    try {
      const { items: results, ms } = await this.#own.run(
        { work, model, items, ...cover } as Job,
        batch.wanted[0]?.signal,
      );
      this.#settle(batch, results, THIS_COMPUTER, ms);
    } catch (error) {
      this.#fail(batch, error);
    }
  }

  async #alone(job: Job, item: Item, signal: AbortSignal | undefined): Promise<Result> {
    const { items } = await this.#own.run({ ...job, items: [item] } as Job, signal);
    return items[0] ?? { id: item.id, error: 'no answer' };
  }

  /** Hands results to who waits for them, once. */
  #settle(batch: Batch, results: readonly Result[], worker: string, ms: number): void {
    if (!this.#batches.drop(batch)) return;
    if (worker === THIS_COMPUTER) {
      this.#ownPictures += results.length;
      this.#ownRecent = [...this.#ownRecent.slice(-500), [Date.now(), results.length]];
    }
    for (const [at, { done }] of batch.wanted.entries()) {
      const result = results.find(({ id }) => id === at) ?? { id: at, error: 'no answer' };
      done(result, worker, ms / batch.wanted.length);
    }
    // Another copy of it may still wait for somebody.
    if (batch.puts > 1 || batch.isHere) void this.#take(batch);
  }

  #fail(batch: Batch, error: unknown): void {
    if (!this.#batches.drop(batch)) return;
    for (const { failed } of batch.wanted) failed(error);
    void this.#take(batch);
  }

  async #take(batch: Batch): Promise<boolean> {
    if (this.#presence.apart) return batch.job === undefined;
    return this.#lanes.get(queueOf(batch.space))?.take(batch.job) ?? false;
  }

  /** One of its pictures ends whoever takes it, perhaps: which? */
  async #halve(batch: Batch): Promise<void> {
    const { wanted, space, cover } = batch;
    if (wanted.length === 1) return this.#here(batch);
    if (!this.#batches.drop(batch)) return;
    await this.#take(batch);
    const middle = Math.ceil(wanted.length / 2);
    for (const half of [wanted.slice(0, middle), wanted.slice(middle)]) this.#send(space, cover, half);
  }

  /** After a stop, what nobody has begun is given up, and the rest after a while. */
  #heed(signal: AbortSignal): void {
    if (this.#stops.has(signal)) return;
    this.#stops.add(signal);
    const stop = (): void => {
      this.#gathering.flush();
      const ofIt = (): Batch[] =>
        this.#batches.all().filter(({ wanted }) => wanted.some((one) => one.signal === signal));
      for (const batch of ofIt()) {
        if (batch.isHere || batch.isChecked) continue;
        const given = this.#presence.apart ? Promise.resolve(true) : this.#take(batch);
        void given.then((isFree) => isFree && this.#fail(batch, signal.reason));
      }
      setTimeout(() => {
        for (const batch of ofIt()) this.#fail(batch, signal.reason);
      }, GRACE_MS).unref();
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  /** What is on its way goes in, or is taken out for the threads of this computer. */
  #redisChanged(): void {
    if (this.#presence.apart) return this.#pump();
    for (const lane of this.#lanes.values()) void this.#openLane(lane).catch(() => undefined);
    for (const batch of this.#batches.all())
      if (!batch.isHere && batch.job === undefined) void this.#put(batch);
  }

  async #tick(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    try {
      await this.#presence.tick();
      for (const { name, heardAt } of this.#roster.silent(Date.now()))
        this.#options.tell(
          odd('silent', `Nothing was heard of the worker ${name} since ${clockTime(heardAt, Date.now())}`),
        );
      this.#options.changed?.(this.workers());
      if (this.#presence.apart) this.#pump();
      else await this.#look();
    } catch {
      // Redis went in the middle of it: the next look finds what is to be done.
    } finally {
      this.#isBusy = false;
    }
  }

  /** Redis may have been emptied, or a worker may have taken a job and given no answer of any use. */
  async #look(): Promise<void> {
    const long = performance.now() - LOOK_AFTER_MS;
    const out = this.#batches
      .all()
      .filter(
        ({ isHere, isChecked, job, putAt }) => !isHere && !isChecked && job !== undefined && putAt < long,
      );
    if (out.length === 0) return;
    const pipeline = this.#link.redis.pipeline();
    for (const { space, job = '' } of out) pipeline.exists(this.#lanes.get(queueOf(space))?.keyOf(job) ?? '');
    const found = (await pipeline.exec()) ?? [];
    const lost = out.filter((batch, at) => {
      batch.missed = found[at]?.[1] === 0 ? batch.missed + 1 : 0;
      return batch.missed >= MISSES && this.#batches.get(batch.id) === batch && !batch.isChecked;
    });
    if (lost.length === 0) return;
    this.#options.tell(odd('lost', `${plural(lost.length, 'batch was', 'batches were')} no longer in Redis`));
    for (const batch of lost) await this.#put(batch);
  }
}
