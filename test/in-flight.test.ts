import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { inFlight } from '../lib/task/in-flight.ts';
import type { Landed } from '../lib/task/in-flight.ts';

const NEVER = new AbortController().signal;

/** Requests whose answers come when the test says so. */
class Air {
  readonly #going = new Map<number, PromiseWithResolvers<number>>();
  readonly #size: number;
  began = 0;
  most = 0;

  /** @param size how many requests there are */
  constructor(size: number) {
    this.#size = size;
  }

  get going(): number[] {
    return [...this.#going.keys()];
  }

  readonly next = (): Promise<(() => Promise<number>) | undefined> => {
    const id = this.began;
    if (id >= this.#size) return Promise.resolve(undefined);
    this.began += 1;
    return Promise.resolve(() => {
      const answer = withResolvers<number>();
      this.#going.set(id, answer);
      this.most = Math.max(this.most, this.#going.size);
      return answer.promise;
    });
  };

  land(id: number): void {
    this.#take(id).resolve(id);
  }

  fail(id: number, error: Error): void {
    this.#take(id).reject(error);
  }

  #take(id: number): PromiseWithResolvers<number> {
    const answer = this.#going.get(id);
    assert.ok(answer, `request ${id} is not under way`);
    this.#going.delete(id);
    return answer;
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let [resolve, reject] = [(_value: T): void => undefined, (_error: Error): void => undefined];
  const promise = new Promise<T>((onValue, onError) => {
    [resolve, reject] = [onValue, onError];
  });
  return { promise, resolve, reject };
}

interface Reading {
  readonly landed: Landed<number>[];
  ended: boolean;
  error: unknown;
}

function read(requests: AsyncIterable<Landed<number>>): Reading {
  const reading: Reading = { landed: [], ended: false, error: undefined };
  const all = async (): Promise<void> => {
    for await (const one of requests) reading.landed.push(one);
  };
  all().then(
    () => {
      reading.ended = true;
    },
    (error: unknown) => {
      Object.assign(reading, { ended: true, error });
    },
  );
  return reading;
}

/** Lets everything that can go on without the test go on. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await turn();
}

function values(reading: Reading): number[] {
  return reading.landed.map(({ value }) => value);
}

describe('requests in flight', () => {
  it('are at most as many as the window, and as many where there are enough', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.nat({ max: 30 }),
        fc.infiniteStream(fc.nat()),
        async (window, size, luck) => {
          const air = new Air(size);
          const reading = read(inFlight(window, NEVER, air.next));
          const order: number[] = [];
          await settle();
          while (air.going.length > 0) {
            assert.equal(air.going.length, Math.min(window, size - order.length));
            const id = air.going[(luck.next().value ?? 0) % air.going.length] ?? 0;
            order.push(id);
            air.land(id);
            await settle();
          }
          assert.deepEqual(values(reading), order);
          assert.deepEqual([reading.ended, reading.error], [true, undefined]);
          assert.equal(air.began, size);
          assert.equal(air.most, Math.min(window, size));
        },
      ),
      { numRuns: 50, endOnFailure: true },
    );
  });

  it('are not begun ahead of a reader that is still at work', async () => {
    const air = new Air(100);
    const requests = inFlight(3, NEVER, air.next);
    const first = requests.next();
    await settle();
    for (const id of air.going) air.land(id);
    await first;
    await settle();
    assert.equal(air.began, 3);
    await requests.return();
  });

  it('are handed over as they come in, and say whether more are on their way', async () => {
    const air = new Air(3);
    const reading = read(inFlight(3, NEVER, air.next));
    await settle();
    for (const id of [2, 0, 1]) {
      air.land(id);
      await settle();
    }
    assert.deepEqual(reading.landed, [
      { value: 2, pending: true },
      { value: 0, pending: true },
      { value: 1, pending: false },
    ]);
  });

  it('are looked for again after every answer', async () => {
    let asked = 0;
    const queue = [1];
    const next = (): Promise<(() => Promise<number>) | undefined> => {
      asked += 1;
      const one = queue.shift();
      return Promise.resolve(one === undefined ? undefined : () => Promise.resolve(one));
    };
    const seen: number[] = [];
    for await (const { value } of inFlight(4, NEVER, next)) {
      seen.push(value);
      if (value < 5) queue.push(value + 1);
    }
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    assert.ok(asked >= 6);
  });

  it('end at once where there are none', async () => {
    const reading = read(inFlight(4, NEVER, () => Promise.resolve(undefined)));
    await settle();
    assert.deepEqual(reading, { landed: [], ended: true, error: undefined });
  });
});

describe('an error', () => {
  it('is thrown only after what is on its way has been handed over, and nothing new begins', async () => {
    const air = new Air(20);
    const reading = read(inFlight(4, NEVER, air.next));
    const failure = new Error('first');
    await settle();
    air.fail(1, failure);
    await settle();
    assert.ok(!reading.ended);
    assert.equal(air.began, 4);
    air.land(3);
    await settle();
    air.fail(0, new Error('second'));
    await settle();
    assert.ok(!reading.ended);
    air.land(2);
    await settle();
    assert.deepEqual(values(reading), [3, 2]);
    assert.equal(reading.error, failure);
    assert.equal(air.began, 4);
  });

  it('is thrown at once where nothing else is on its way', async () => {
    const failure = new Error('alone');
    const reading = read(inFlight(4, NEVER, () => Promise.resolve(() => Promise.reject<number>(failure))));
    await settle();
    assert.equal(reading.error, failure);
  });

  it('in looking for the next request loses no answer either', async () => {
    const air = new Air(2);
    const failure = new Error('no next request');
    const reading = read(inFlight(4, NEVER, () => (air.began < 2 ? air.next() : Promise.reject(failure))));
    await settle();
    for (const id of air.going) air.land(id);
    await settle();
    assert.deepEqual(values(reading), [0, 1]);
    assert.equal(reading.error, failure);
  });
});

describe('a stop', () => {
  it('begins nothing new, hands over what is on its way, then throws its reason', async () => {
    const stop = new AbortController();
    const reason = new Error('KILL was found');
    const air = new Air(20);
    const reading = read(inFlight(4, stop.signal, air.next));
    await settle();
    air.land(0);
    await settle();
    assert.equal(air.began, 5);
    stop.abort(reason);
    for (const id of [3, 1, 4, 2]) {
      assert.ok(!reading.ended);
      air.land(id);
      await settle();
    }
    assert.deepEqual(values(reading), [0, 3, 1, 4, 2]);
    assert.equal(reading.landed.at(-1)?.pending, false);
    assert.equal(reading.error, reason);
    assert.equal(air.began, 5);
  });

  it('before the first request begins none', async () => {
    const air = new Air(20);
    const reason = new Error('KILL was found');
    const reading = read(inFlight(4, AbortSignal.abort(reason), air.next));
    await settle();
    assert.equal(reading.error, reason);
    assert.equal(air.began, 0);
  });

  it('is what is told, even where a request failed by it', async () => {
    const stop = new AbortController();
    const reason = new Error('KILL was found');
    const air = new Air(20);
    const reading = read(inFlight(2, stop.signal, air.next));
    await settle();
    stop.abort(reason);
    air.fail(0, new Error('given up while waiting'));
    air.land(1);
    await settle();
    assert.deepEqual(values(reading), [1]);
    assert.equal(reading.error, reason);
  });
});

describe('no rejection is left unhandled', () => {
  it('after the reader has gone, nor while it is at work', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const air = new Air(20);
      const requests = inFlight(4, NEVER, air.next);
      const first = requests.next();
      await settle();
      air.land(0);
      await first;
      for (const id of air.going) air.fail(id, new Error(`late ${id}`));
      await settle();
      await requests.return();
      await settle();

      const left = new Air(20);
      const reading = inFlight(4, NEVER, left.next);
      const one = reading.next();
      await settle();
      left.land(2);
      await one;
      await reading.return();
      for (const id of left.going) left.fail(id, new Error(`late ${id}`));
      await settle();
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
