import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { MOST_JOB_BYTES } from '../limits.ts';
import type { Answer, OwnPool, Result } from '../models/jobs.ts';
import type { Models } from '../models/models.ts';
import { clip, oneLine } from '../text/clean.ts';
import { sleep } from '../time.ts';
import { probeJob } from './agree.ts';
import type { RedisAddress } from './address.ts';
import { bestDevice } from './devices.ts';
import type { DeviceOptions } from './devices.ts';
import { Link } from './link.ts';
import type { Queue, QueuedJob, Worker } from './link.ts';
import { parsed } from './presence.ts';
import {
  ANSWERS,
  LOCK_MS,
  MOST_STARTS,
  NOTICE,
  PROTOCOL,
  PULSES,
  VERSION,
  jobMessage,
  notice,
  packResults,
  queueOf,
  signed,
  unpackJob,
} from './protocol.ts';
import type { Notice, Space } from './protocol.ts';

export interface HelperOptions {
  readonly address: RedisAddress;
  readonly password: string | undefined;
  /** Where models are, and who runs them; `accelerated` those that an accelerator runs: one thread is enough for it. */
  readonly models: Models;
  readonly accelerated: Models;
  /** What happens, a line each. */
  readonly tell: (message: string) => void;
  /** How it is called on the coordinator's screen. Default: the name of this computer. */
  readonly name?: string;
  readonly lockMs?: number;
  /** For tests: other devices, other answers, another version. */
  readonly devices?: Pick<DeviceOptions, 'candidates' | 'trial'>;
  readonly answers?: (answer: Answer) => Answer;
  readonly says?: { readonly version: string };
  /** For tests: sends something else in place of a message, or at another time. */
  readonly sends?: (
    message: { readonly kind: string },
    send: (message: object) => Promise<void>,
  ) => Promise<void>;
}

/** A space, and how far this worker is with it. */
interface Place {
  readonly space: Space;
  readonly abort: AbortController;
  /** Undefined: it is still being made ready. */
  pool: OwnPool | undefined;
  device: string;
  /** How it answers the probes. */
  probes: readonly Result[];
  worker: Worker | undefined;
  helloAt: number;
  verdict: string | undefined;
}

/** For its screen. */
export interface HelperState {
  readonly redis: string;
  /** Of the coordinator; undefined: there is none. */
  readonly coordinator: string | undefined;
  readonly places: readonly { readonly model: string; readonly device: string; readonly state: string }[];
  readonly jobs: number;
  readonly pictures: number;
  readonly perSecond: number;
  /** Jobs in hand. */
  readonly doing: number;
  /** Nothing to do since then; epoch ms. Undefined: it is at work. */
  readonly waitingSince: number | undefined;
}

/** How often it looks at what there is to do. Milliseconds. */
const LOOK_MS = 1000;
/** A greeting that nobody answered is repeated so long after. Milliseconds. */
const HELLO_AGAIN_MS = 15_000;

/** A worker: takes jobs from a queue, does them in the threads of this computer, and answers. It asks, nobody asks it. */
export class Helper {
  readonly #id = randomUUID();
  readonly #name: string;
  readonly #options: HelperOptions;
  readonly #link: Link;
  readonly #answers: Queue;
  readonly #places = new Map<string, Place>();
  #notice: Notice | undefined;
  #redis = 'connecting';
  #isToldOff = '';
  #pulsedAt = -Infinity;
  #jobs = 0;
  #pictures = 0;
  #recent: (readonly [number, number])[] = [];
  #doing = 0;
  #idleSince = Date.now();

  /** @throws UserError where bullmq or ioredis is not installed */
  static async open(options: HelperOptions): Promise<Helper> {
    return new Helper(options, await Link.open({ ...options, lockMs: options.lockMs ?? LOCK_MS }));
  }

  private constructor(options: HelperOptions, link: Link) {
    this.#options = options;
    this.#link = link;
    this.#name = nameOf(options.name ?? hostname());
    this.#answers = link.queue(ANSWERS);
    const { tell, address } = options;
    link.watch((state) => {
      if (state.isUp) {
        tell(`Connected to ${address.text}.`);
        this.#redis = 'connected';
      } else {
        const seconds = Math.max(1, Math.round(state.inMs / 1000));
        tell(`${address.text} cannot be reached (${state.reason}); next try in ${seconds} s.`);
        this.#redis = `not reached (${state.reason}), next try in ${seconds} s`;
      }
    });
  }

  state(): HelperState {
    const now = Date.now();
    const recent = this.#recent.filter(([at]) => at > now - 60_000);
    const pictures = recent.reduce((sum, [, n]) => sum + n, 0);
    return {
      redis: this.#redis,
      coordinator: this.#notice?.name,
      places: [...this.#places.values()].map(({ space, device, pool, verdict, worker }) => ({
        model: space.model,
        device,
        state: worker
          ? 'at work'
          : (verdict ?? '') !== ''
            ? `refused: ${verdict ?? ''}`
            : pool
              ? 'being compared'
              : 'being prepared',
      })),
      jobs: this.#jobs,
      pictures: this.#pictures,
      perSecond: (pictures * 1000) / Math.max(1000, now - (recent[0]?.[0] ?? now)),
      doing: this.#doing,
      waitingSince: this.#doing > 0 ? undefined : this.#idleSince,
    };
  }

  /** Works until `stop` is aborted; what is in hand then is finished and answered. */
  async work(stop: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#look(stop).catch(() => undefined);
        await sleep(Math.min(LOOK_MS, (this.#options.lockMs ?? LOCK_MS) / PULSES), stop);
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
    const { message } = stop.reason instanceof Error ? stop.reason : new Error('it was stopped');
    for (const { abort } of this.#places.values()) abort.abort(stop.reason);
    await Promise.all([...this.#places.values()].map((place) => this.#rest(place)));
    if (this.#link.isUp) await this.#send({ kind: 'bye', reason: clip(message, 100) }).catch(() => undefined);
    await this.#link.close();
  }

  async #look(stop: AbortSignal): Promise<void> {
    if (!this.#link.isUp) return;
    const { tell } = this.#options;
    const said = notice.safeParse(parsed(await this.#link.redis.get(NOTICE))).data;
    const wasThere = this.#notice;
    this.#notice = said;
    if (!said) {
      if (wasThere) tell(`The coordinator on ${wasThere.name} is not there any more; waiting for one.`);
      return;
    }
    if (said.coordinator !== wasThere?.coordinator) {
      tell(`The coordinator is on ${said.name}.`);
      for (const place of this.#places.values()) place.verdict = undefined;
      for (const place of this.#places.values()) place.helloAt = -Infinity;
    }
    if (performance.now() - this.#pulsedAt > (this.#options.lockMs ?? LOCK_MS) / PULSES) {
      this.#pulsedAt = performance.now();
      await this.#send({ kind: 'pulse' });
    }
    const own = this.#options.says?.version ?? VERSION;
    if (said.protocol !== PROTOCOL || said.version !== own)
      return this.#off(
        `the coordinator on ${said.name} is version ${said.version}, this is ${own}. Install the same on both`,
      );
    await this.#visit(said, stop);
  }

  async #visit(said: Notice, stop: AbortSignal): Promise<void> {
    const names = new Set(said.spaces.map(queueOf));
    for (const [name, place] of this.#places) if (!names.has(name)) await this.#rest(place);
    for (const space of said.spaces) {
      const name = queueOf(space);
      const place = this.#places.get(name) ?? this.#begin(space, stop);
      const verdict = said.verdicts[this.#id]?.[name];
      const isNew = verdict !== place.verdict;
      place.verdict = verdict;
      if (verdict === '') this.#takeJobs(place);
      else await this.#rest(place);
      if (verdict !== undefined && verdict !== '' && isNew)
        this.#options.tell(`Refused by the coordinator on ${said.name}, for ${space.model}: ${verdict}.`);
      const isDue = performance.now() - place.helloAt > HELLO_AGAIN_MS;
      if (verdict === undefined && place.pool && isDue) await this.#hello(place);
    }
  }

  #begin(space: Space, stop: AbortSignal): Place {
    const place: Place = {
      space,
      abort: new AbortController(),
      pool: undefined,
      device: '',
      probes: [],
      worker: undefined,
      helloAt: -Infinity,
      verdict: undefined,
    };
    this.#places.set(queueOf(space), place);
    this.#prepare(place, stop).catch((error: unknown) => {
      if (stop.aborted) return;
      this.#options.tell(`${space.model} cannot be used: ${reasonOf(error)}`);
      // Perhaps it can be had a little later.
      setTimeout(() => this.#places.delete(queueOf(space)), HELLO_AGAIN_MS).unref();
    });
    return place;
  }

  /** Fetches the model, and finds out what runs it best. */
  async #prepare(place: Place, stop: AbortSignal): Promise<void> {
    const { models, accelerated, tell, devices } = this.#options;
    const { work, model, sha256, recipe } = place.space;
    const known = models.identity(work, model);
    if (known.sha256 !== sha256 || known.recipe !== recipe)
      throw new Error('the coordinator has another file or recipe under this name');
    tell(`Preparing the model ${model}.`);
    await models.ready(work, model, { signal: stop });
    const own = await models.threads();
    const loadable = models.loadable(work, model);
    if (!loadable) throw new Error('it is not ready');
    const job = await probeJob(place.space);
    const { device, items } = await bestDevice({ own, job, loadable, tell, ...devices });
    if (device !== 'cpu') {
      await accelerated.ready(work, model, { signal: stop });
      accelerated.runOn(work, model, device);
    }
    place.device = device;
    place.probes = items;
    place.pool = device === 'cpu' ? own : await accelerated.threads();
    await this.#hello(place);
  }

  async #hello(place: Place): Promise<void> {
    if (!place.pool || !this.#notice) return;
    place.helloAt = performance.now();
    const { device, space } = place;
    const answer = { worker: '', ms: 0, items: place.probes };
    const probes = packResults(this.#changed(answer).items);
    await this.#send({ kind: 'hello', space, device, threads: place.pool.threads, probes });
  }

  #takeJobs(place: Place): void {
    const { pool } = place;
    if (place.worker || !pool) return;
    place.worker = this.#link.worker(queueOf(place.space), pool.width, (job) => this.#do(job, pool));
    this.#options.tell(`Taking jobs: ${place.space.model} on ${place.device}.`);
  }

  /** No new jobs; those in hand are finished. */
  async #rest(place: Place): Promise<void> {
    const { worker } = place;
    place.worker = undefined;
    if (worker) await this.#link.end(worker, true);
  }

  async #do({ data, attemptsStarted }: QueuedJob, pool: OwnPool): Promise<void> {
    const message = jobMessage.safeParse(data).data;
    const size = message?.items.reduce((sum, { bytes, text }) => sum + (bytes ?? text ?? '').length, 0) ?? 0;
    if (!message || size > MOST_JOB_BYTES)
      return this.#options.tell(
        `A job was refused: it is ${message ? 'larger than allowed' : 'not understood'}.`,
      );
    if (message.coordinator !== this.#notice?.coordinator) return;
    const { batch, space, items } = message;
    const failed = (reason: string): Promise<void> =>
      this.#send({ kind: 'failure', batch, space, reason: clip(oneLine(reason), 300) });
    if (attemptsStarted > MOST_STARTS)
      return failed(`begun ${attemptsStarted - 1} times, and never finished`);
    this.#doing += 1;
    try {
      const { job, refused } = unpackJob(message);
      const answer = job.items.length > 0 ? await pool.run(job) : { worker: '', ms: 0, items: [] };
      const { ms, items: results } = this.#changed(answer);
      await this.#send({ kind: 'answer', batch, space, ms, items: packResults([...results, ...refused]) });
      this.#jobs += 1;
      this.#pictures += items.length;
      const now = Date.now();
      this.#recent = [...this.#recent.filter(([at]) => at > now - 60_000), [now, items.length]];
    } catch (error) {
      await failed(reasonOf(error));
    } finally {
      this.#doing -= 1;
      this.#idleSince = Date.now();
    }
  }

  #changed(answer: Answer): Answer {
    return this.#options.answers?.(answer) ?? answer;
  }

  async #send(said: Readonly<Record<string, unknown>> & { readonly kind: string }): Promise<void> {
    const message = { ...signed(), ...this.#options.says, worker: this.#id, name: this.#name, ...said };
    // One that lives says so once, however long nobody listens.
    const named = said.kind === 'pulse' && { jobId: `pulse-${this.#id}` };
    const send = async (one: object): Promise<void> => {
      await this.#answers.add(said.kind, one, { sizeLimit: MOST_JOB_BYTES, ...named });
    };
    this.#pulsedAt = performance.now();
    await (this.#options.sends?.(message, send) ?? send(message));
  }

  #off(why: string): void {
    if (this.#isToldOff !== why) this.#options.tell(`This worker is not used: ${why}.`);
    this.#isToldOff = why;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** As the protocol has names. */
function nameOf(host: string): string {
  const name = host.replace(/\.(?:local|lan|home)$/i, '').replaceAll(/[^\p{L}\p{N} ._()-]/gu, '-');
  return /^[\p{L}\p{N}]/u.test(name) ? name.slice(0, 60) : 'worker';
}
