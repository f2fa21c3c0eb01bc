import { clip, oneLine } from '../text/clean.ts';
import { MOST_ERROR_TEXT } from '../limits.ts';
import type { Answer, Job, OwnPool, Result } from '../models/jobs.ts';
import { plural } from '../text/format.ts';
import { disagreement } from './agree.ts';
import type { Batch, Batches } from './batches.ts';
import { faultOf } from './judge.ts';
import type { Lane } from './lane.ts';
import { odd } from './news.ts';
import type { News, Oddness } from './news.ts';
import { PROTOCOL, VERSION, answerMessage, queueOf, speaker, unpackResults } from './protocol.ts';
import type { AnswerMessage, Hello, WorkerAnswer } from './protocol.ts';
import type { Roster } from './roster.ts';

export interface HearingOptions {
  readonly own: OwnPool;
  readonly roster: Roster;
  readonly batches: Batches;
  readonly lane: (queue: string) => Lane | undefined;
  readonly lanes: () => readonly string[];
  readonly tell: (news: News) => void;
  readonly settle: (batch: Batch, results: readonly Result[], worker: string, ms: number) => void;
  /** Puts it in once more. */
  readonly again: (batch: Batch) => Promise<void>;
  readonly halve: (batch: Batch) => Promise<void>;
  /** Says to all what each may do. */
  readonly say: () => Promise<void>;
}

/** Faults in a row, after which a worker is refused. */
const MOST_FAULTS = 3;
/** One picture of its first answer, and then of so many pictures, is compared with what this computer makes of it. */
const CHECK_EVERY = 200;

/** What workers say, looked at before anything is made of it. Whoever reaches the Redis may have written it. */
export class Hearing {
  readonly #options: HearingOptions;
  /** What was told already: a worker that goes on with it is told of once a while. */
  readonly #told = new Map<string, number>();

  constructor(options: HearingOptions) {
    this.#options = options;
  }

  async hear(data: unknown): Promise<void> {
    const { roster, tell } = this.#options;
    const who = speaker.safeParse(data).data;
    if (!who) return this.#odd('rubbish', 'somebody', 'A message in Redis is not of a worker');
    if (who.protocol !== PROTOCOL || who.version !== VERSION) return this.#otherVersion(who);
    const message = answerMessage.safeParse(data).data;
    const results = message && resultsOf(message);
    if (!message || !results) {
      this.#odd('rubbish', who.worker, `The worker ${this.#name(who.worker, who.name)} sent rubbish`);
      return this.#fault(who.worker, 'it sends rubbish');
    }
    const back = roster.heard(who.worker, Date.now());
    if (back) tell({ message: `The worker ${this.#name(who.worker, who.name)} is back.` });
    await this.#heard(message, results);
  }

  async #heard(message: AnswerMessage, results: readonly Result[]): Promise<void> {
    switch (message.kind) {
      case 'hello':
        return this.#greet(message, results);
      case 'answer':
        return this.#judge(message, results);
      case 'failure':
        return this.#failed(message);
      case 'bye':
        this.#options.roster.leave(message.worker, clean(message.reason));
        return this.#options.tell({
          message: `The worker ${this.#name(message.worker, message.name)} has left: ${clean(message.reason)}.`,
        });
      case 'pulse':
    }
  }

  /** Its probes decide. */
  async #greet(hello: Hello, theirs: readonly Result[]): Promise<void> {
    const { own, roster, lane: laneOf, tell, say } = this.#options;
    const queue = queueOf(hello.space);
    const lane = laneOf(queue);
    if (lane?.space.sha256 !== hello.space.sha256) return;
    const { worker: id, name, device, threads } = hello;
    const known = roster.greet({ id, name, device: clean(device), threads }, Date.now());
    if (!known) return;
    if ((known.verdicts.get(queue) ?? '') !== '') return say();
    const why = await lane.probes(own).then((mine) => disagreement(own, mine, theirs));
    if (why !== undefined) return this.#refuse(id, why, queue);
    known.verdicts.set(queue, '');
    const cores = plural(threads, 'thread');
    tell({
      message: `The worker ${known.name} helps with ${hello.space.model} (${known.device}, ${cores}).`,
    });
    await say();
  }

  async #judge(answer: WorkerAnswer, results: readonly Result[]): Promise<void> {
    const { roster, batches, lane: laneOf, settle, again } = this.#options;
    const queue = queueOf(answer.space);
    const known = roster.get(answer.worker);
    const name = this.#name(answer.worker, answer.name);
    const batch = batches.get(answer.batch);
    if (!batch || batch.isChecked || queueOf(batch.space) !== queue) {
      const kind = batch?.isChecked || batches.wasAnswered(answer.batch) ? 'twice' : 'late';
      return this.#odd(
        kind,
        answer.worker,
        `An answer of ${name} came ${kind === 'twice' ? 'a second time' : 'too late'}`,
      );
    }
    if (known?.verdicts.get(queue) !== '')
      return this.#odd('stranger', answer.worker, `An answer of ${name}, which was not accepted`);
    const fault = faultOf(batch, laneOf(queue)?.dims ?? null, results);
    if (fault !== undefined) {
      this.#odd('rubbish', answer.worker, `An answer of ${name} is rubbish (${fault})`, fault);
      await again(batch);
      return this.#fault(answer.worker, `its answers are rubbish: ${fault}`);
    }
    const checked = await this.#checked(batch, answer, results);
    if (!checked) return again(batch);
    // What is said while it was compared counts: it may be refused by now.
    roster.did(answer.worker, results.length, Date.now());
    settle(batch, checked, name, answer.ms);
  }

  /**
   * The results, after some were compared with this computer's own: one now and then, and each picture that is said to
   * be of no use: what a picture is worth is not for others to say. Undefined: they differ.
   */
  async #checked(
    batch: Batch,
    { worker }: WorkerAnswer,
    results: readonly Result[],
  ): Promise<readonly Result[] | undefined> {
    const { own, roster } = this.#options;
    const known = roster.get(worker);
    if (!known) return undefined;
    known.unchecked += results.length;
    const isDue = known.unchecked >= CHECK_EVERY;
    const some = results[Math.floor(Math.random() * results.length)];
    const mine = new Map<number, Result>();
    batch.isChecked = true;
    try {
      for (const result of results) {
        const isBad = 'error' in result;
        if (!isBad && !(isDue && result === some)) continue;
        const [own_ = result] = (await this.#own(batch, result.id)).items;
        if (isBad && !('error' in own_)) {
          this.#odd(
            'differs',
            worker,
            `The worker ${known.name} cannot use a picture that this computer can (${clean(result.error)})`,
            clean(result.error),
          );
          this.#fault(worker, `it cannot use good pictures: ${clean(result.error)}`);
        }
        if (isBad) mine.set(result.id, { ...own_, id: result.id });
        else {
          const why = await disagreement(own, [{ ...own_, id: result.id }], [result], batch.cover);
          if (why !== undefined) {
            this.#refuse(worker, why);
            return undefined;
          }
          known.unchecked = 0;
        }
      }
    } finally {
      batch.isChecked = false;
    }
    return results.map((result) => mine.get(result.id) ?? result);
  }

  #own(batch: Batch, at: number): Promise<Answer> {
    const { work, model } = batch.space;
    const item = batch.wanted[at]?.item;
    const cover = batch.cover && { cover: batch.cover };
    return this.#options.own.run({ work, model, items: item ? [{ ...item, id: at }] : [], ...cover } as Job);
  }

  async #failed(message: AnswerMessage & { kind: 'failure' }): Promise<void> {
    const { batches, halve, roster } = this.#options;
    const reason = clean(message.reason);
    const batch = batches.get(message.batch);
    if (roster.get(message.worker)?.verdicts.get(queueOf(message.space)) !== '' || !batch) return;
    const name = this.#name(message.worker, message.name);
    this.#odd(
      'failed',
      message.worker,
      `The worker ${name} could not do ${plural(batch.wanted.length, 'picture')} (${reason})`,
      reason,
    );
    await halve(batch);
    this.#fault(message.worker, `it fails again and again: ${reason}`);
  }

  #otherVersion({
    worker,
    name,
    version: theirs,
    protocol,
  }: {
    worker: string;
    name: string;
    version: string;
    protocol: number;
  }): void {
    const { roster, lanes } = this.#options;
    const known =
      roster.get(worker) ?? roster.greet({ id: worker, name, device: '', threads: 1 }, Date.now());
    roster.heard(worker, Date.now());
    if (!known) return;
    const which = protocol === PROTOCOL ? '' : ` (protocol ${protocol}, not ${PROTOCOL})`;
    const why = `it is version ${clean(theirs)}, the coordinator is version ${VERSION}${which}`;
    for (const queue of lanes()) {
      if (known.verdicts.get(queue) === why) continue;
      this.#refuse(worker, why, queue);
    }
  }

  #fault(worker: string, why: string): void {
    const known = this.#options.roster.get(worker);
    if (!known) return;
    known.faults += 1;
    if (known.faults >= MOST_FAULTS) this.#refuse(worker, why);
  }

  /** @param only undefined: all that it may do */
  #refuse(worker: string, why: string, only?: string): void {
    const { roster, say } = this.#options;
    const known = roster.get(worker);
    if (!known) return;
    const queues = only === undefined ? [...known.verdicts.keys()] : [only];
    if (queues.every((queue) => known.verdicts.get(queue) === why)) return;
    const isNew = ![...known.verdicts.values()].includes(why);
    for (const queue of queues) known.verdicts.set(queue, why);
    if (isNew) this.#odd('refused', `${worker} ${why}`, `The worker ${known.name} is refused (${why})`, why);
    void say();
  }

  #name(worker: string, said: string): string {
    return this.#options.roster.get(worker)?.name ?? said;
  }

  /** Counted each time, and shown each time but when it was shown just now. */
  #odd(kind: Oddness, of: string, message: string, example?: string): void {
    const key = `${kind} ${of}`;
    const news = odd(kind, message, example);
    const now = performance.now();
    const isFresh = now - (this.#told.get(key) ?? -Infinity) > TELL_AGAIN_MS;
    if (isFresh) this.#told.set(key, now);
    if (this.#told.size > MOST_TOLD) this.#told.clear();
    this.#options.tell(isFresh ? news : { ...news, message: '' });
  }
}

/** What it answers; undefined: it cannot be read. */
function resultsOf(message: AnswerMessage): readonly Result[] | undefined {
  try {
    return 'probes' in message
      ? unpackResults(message.probes)
      : 'items' in message
        ? unpackResults(message.items)
        : [];
  } catch {
    return undefined;
  }
}

/** Of somebody else's text, what is shown. */
function clean(text: string): string {
  return clip(oneLine(text), MOST_ERROR_TEXT);
}

/** The same of the same worker is shown so seldom. Milliseconds. */
const TELL_AGAIN_MS = 60_000;
const MOST_TOLD = 1000;
