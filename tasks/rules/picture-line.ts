import { sleep } from '../../lib/time.ts';
import type { Pool } from '../../lib/models/jobs.ts';
import { inFlight } from '../../lib/task/in-flight.ts';
import type { Landed } from '../../lib/task/in-flight.ts';

/** How often an empty queue is looked at while others may still fill it; a slow look makes the pause longer. */
const LOOK_MS = 200;
const LOOK_SHARE = 20;
/** What is committed together, at most, and how long it may wait: a commit waits for the disk. */
const AT_ONCE = 16;
const GROUP_MS = 250;
/** Read ahead of the pool. */
const CHUNK = 64;

export interface LineOptions<Due extends { readonly listingId: number }, Done> {
  readonly pool: Pool;
  readonly stop: AbortSignal;
  companionsActive(): boolean;
  /** The next that are due after this listing, in the order of ids. */
  next(after: number, limit: number): Promise<readonly Due[]>;
  /** How many are due. */
  count(): Promise<number>;
  /** All of the work on one; throws where the stage cannot go on at all, never for a bad picture. */
  work(due: Due): Promise<Done>;
}

export interface Group<Done> {
  readonly done: readonly Done[];
  /** Milliseconds that went by while there was work, since the last group. */
  readonly ms: number;
  readonly progress: { readonly done: number; readonly total: number };
  readonly pending: boolean;
}

/**
 * Keeps the pool busy with what is due and hands over what is done, some at a time, in whatever order it comes in. The
 * queue is a query, so what is not done when a stop comes is simply still due. Ends when nothing is due and nobody
 * fills the queue any more.
 */
export async function* pictureLine<Due extends { readonly listingId: number }, Done>(
  options: LineOptions<Due, Done>,
): AsyncGenerator<Group<Done>, void, undefined> {
  const { pool, stop } = options;
  let finished = 0;
  for (;;) {
    // Asked before the queue is looked at: what the others put in it before they ended is then surely seen.
    const more = options.companionsActive();
    const looked = performance.now();
    let total = finished + (await options.count());
    const took = performance.now() - looked;
    if (total > finished) {
      let since = performance.now();
      for await (const { done, pending } of grouped(inFlight(() => pool.width, stop, once(options)))) {
        finished += done.length;
        total = Math.max(total, finished);
        const ms = performance.now() - since;
        yield { done, ms, progress: { done: finished, total }, pending };
        since = performance.now();
      }
    } else if (more) await sleep(Math.max(LOOK_MS, took * LOOK_SHARE), stop);
    if (!more) return;
  }
}

/** Everything that is due, from the first listing to the last: once, whatever becomes of it. */
function once<Due extends { readonly listingId: number }, Done>({ next, work }: LineOptions<Due, Done>) {
  const queue: Due[] = [];
  let [after, isEnd] = [0, false];
  return async (): Promise<(() => Promise<Done>) | undefined> => {
    if (queue.length === 0 && !isEnd) {
      const found = await next(after, CHUNK);
      after = found.at(-1)?.listingId ?? after;
      isEnd = found.length < CHUNK;
      queue.push(...found);
    }
    const due = queue.shift();
    return due && (() => work(due));
  };
}

/** What lands within a moment comes together; the last ones are not kept waiting for a full group. */
async function* grouped<Done>(
  landings: AsyncIterable<Landed<Done>>,
): AsyncGenerator<{ readonly done: readonly Done[]; readonly pending: boolean }, void, undefined> {
  let done: Done[] = [];
  let until = 0;
  try {
    for await (const { value, pending } of landings) {
      if (done.length === 0) until = performance.now() + GROUP_MS;
      done.push(value);
      if (pending && done.length < AT_ONCE && performance.now() < until) continue;
      yield { done, pending };
      done = [];
    }
  } catch (error) {
    // A stop, say: what landed before it counts.
    if (done.length > 0) yield { done, pending: false };
    throw error;
  }
}
