import type { Job, OwnPool, Result } from '../models/jobs.ts';
import { MOST_JOB_BYTES } from '../limits.ts';
import { probeJob } from './agree.ts';
import type { Batch } from './batches.ts';
import type { Link, Queue, QueuedJob } from './link.ts';
import { PREFIX, packItems, queueOf, signed } from './protocol.ts';
import type { Space } from './protocol.ts';

/** The queue of a space: jobs that can be made again at any time. */
export class Lane {
  readonly space: Space;
  readonly name: string;
  /** Milliseconds of one item on one core, as its model is known to take. */
  readonly milliseconds: number;
  /** Numbers of a vector; null: of cutouts. */
  readonly dims: number | null;
  #queue: Queue | undefined;
  #probes: Promise<readonly Result[]> | undefined;

  constructor(space: Space, milliseconds: number, dims: number | null) {
    this.space = space;
    this.name = queueOf(space);
    this.milliseconds = milliseconds;
    this.dims = dims;
  }

  /**
   * Empties the queue of what an earlier start left in it, and has this computer's threads take jobs of it as well.
   * BullMQ looks there for jobs whose worker is gone, too: somebody must who is not asleep.
   */
  async open(link: Link, own: OwnPool, work: (job: QueuedJob) => Promise<void>): Promise<void> {
    if (this.#queue) return;
    const queue = link.queue(this.name);
    await queue.obliterate({ force: true });
    const probes = await probeJob(this.space);
    // Before any job: the first worker to come waits for it. What is wrong with a model shows with the jobs.
    void this.probes(own, probes).catch(() => undefined);
    link.worker(this.name, own.width, work);
    this.#queue = queue;
  }

  get isOpen(): boolean {
    return this.#queue !== undefined;
  }

  /** Each time under another name: one of that name may still be there, half done. */
  async put(batch: Batch, coordinator: string): Promise<void> {
    if (!this.#queue) throw new Error('the queue is not open');
    batch.puts += 1;
    batch.job = `${batch.id}-${batch.puts}`;
    batch.putAt = performance.now();
    batch.missed = 0;
    const { space } = this;
    const { cover, wanted } = batch;
    const items = packItems(wanted.map(({ item }) => item));
    const message = { ...signed(), coordinator, batch: batch.id, space, ...(cover && { cover }), items };
    await this.#queue.add('batch', message, { jobId: batch.job, sizeLimit: MOST_JOB_BYTES });
  }

  /** @returns whether nobody had begun it */
  async take(job: string | undefined): Promise<boolean> {
    if (job === undefined || !this.#queue) return false;
    return (await this.#queue.remove(job).catch(() => 0)) === 1;
  }

  /** The key of a job. */
  keyOf(job: string): string {
    return `${PREFIX}:${this.name}:${job}`;
  }

  /** How this computer answers the probes. */
  probes(own: OwnPool, job?: Job): Promise<readonly Result[]> {
    if (!this.#probes) {
      const answer = job ? own.run(job) : probeJob(this.space).then((made) => own.run(made));
      this.#probes = answer.then(({ items }) => items);
      this.#probes.catch(() => (this.#probes = undefined));
    }
    return this.#probes;
  }
}
