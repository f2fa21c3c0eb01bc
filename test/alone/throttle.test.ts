import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Throttle } from '../../lib/etsy/throttle.ts';

const QPS = 5;
const NEVER = new AbortController().signal;

/** A server that notes when each request arrives, by the one clock that client and server share here. */
class Door {
  readonly arrivals: number[] = [];
  readonly #server = createServer((request, response) => {
    this.arrivals.push(performance.now());
    request.resume();
    response.end('{}');
  });
  #origin = '';

  async open(): Promise<void> {
    await new Promise<void>((listening) => {
      this.#server.listen(0, '127.0.0.1', listening);
    });
    this.#origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once it is answered. */
  async knock(): Promise<void> {
    await (await fetch(this.#origin)).text();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** The least time in which one more than `limit` came, in milliseconds. */
function tightest(arrivals: readonly number[], limit: number): number {
  const spans = arrivals.slice(limit).map((at, index) => at - (arrivals[index] ?? 0));
  return Math.min(...spans);
}

/** Keeps the thread from doing anything else, as a garbage collection or a large parse does. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until) Math.random();
}

/** Blocks at random moments until stopped. */
function moods(): () => void {
  let timer: NodeJS.Timeout;
  const next = (): void => {
    block(50 + Math.random() * 100);
    timer = setTimeout(next, Math.random() * 400);
  };
  timer = setTimeout(next, 50);
  return () => clearTimeout(timer);
}

async function through(throttle: Throttle, requests: number, launch: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: requests }, () => throttle.enter(launch)));
}

describe('the throttle', { concurrency: true }, () => {
  it('never lets six requests arrive within a second, whatever holds up the process, and after a kill', async () => {
    const door = new Door();
    await door.open();
    let calm = (): void => undefined;
    try {
      // Before the kill: as many as may go in a second, at once. A stamp is older than the arrival by as long as the
      // thread was busy, or a handshake took.
      await door.knock();
      door.arrivals.length = 0;
      const recent: number[] = [];
      for (let request = 0; request < QPS; request += 1) {
        recent.push(Date.now());
        block(100);
        await door.knock();
      }
      const throttle = new Throttle({ qps: QPS, signal: NEVER, recent });
      calm = moods();
      await through(throttle, 30, () => door.knock());
    } finally {
      calm();
      door.close();
    }
    assert.equal(door.arrivals.length, QPS + 30);
    const span = tightest(door.arrivals, QPS);
    assert.ok(span > 1000, `six requests within ${span.toFixed(1)} ms`);
  });

  it('rejects all who wait with the reason of its signal', async () => {
    const stop = new AbortController();
    const reason = new Error('KILL was found');
    const recent = Array.from({ length: QPS }, () => Date.now());
    const throttle = new Throttle({ qps: QPS, signal: stop.signal, recent });
    let launched = 0;
    const waiting = Array.from({ length: 20 }, () =>
      throttle.enter(() => {
        launched += 1;
        return Promise.resolve();
      }),
    );
    const outcomes = Promise.allSettled(waiting);
    stop.abort(reason);
    for (const outcome of await outcomes) {
      assert.equal(outcome.status === 'rejected' ? outcome.reason : outcome.status, reason);
    }
    assert.equal(launched, 0);
    await assert.rejects(
      throttle.enter(() => Promise.resolve()),
      reason,
    );
  });

  it('lets a request that is on the wire finish, though the run is stopped', async () => {
    const stop = new AbortController();
    const throttle = new Throttle({ qps: QPS, signal: stop.signal });
    const answer = await throttle.enter(() => {
      stop.abort(new Error('stopped'));
      return Promise.resolve('the answer');
    });
    assert.equal(answer, 'the answer');
  });

  it('tells beforehand when a request will be sent, and sends it no sooner', async () => {
    const throttle = new Throttle({ qps: QPS, signal: NEVER });
    const order: string[] = [];
    const send = async (name: string): Promise<void> => {
      let planned = Infinity;
      await throttle.enter(
        () => {
          order.push(`${name} sent`);
          assert.ok(Date.now() + 1 >= planned, `${Date.now()}, though planned for ${planned}`);
          return Promise.resolve();
        },
        async (sendAt) => {
          await turn();
          planned = sendAt();
          order.push(`${name} planned`);
        },
      );
    };
    await Promise.all(['first', 'second', 'third'].map(send));
    assert.deepEqual(
      order,
      ['first', 'second', 'third'].flatMap((name) => [`${name} planned`, `${name} sent`]),
    );
  });

  it('keeps to a lower limit, once Etsy names one', async () => {
    const launches: number[] = [];
    const throttle = new Throttle({ qps: QPS, signal: NEVER });
    throttle.limitTo(0);
    throttle.limitTo(NaN);
    throttle.limitTo(150);
    throttle.limitTo(2);
    throttle.limitTo(4);
    await through(throttle, 5, () => {
      launches.push(performance.now());
      return Promise.resolve();
    });
    const span = tightest(launches, 2);
    assert.ok(span > 1000, `three requests within ${span.toFixed(1)} ms`);
  });

  it('counts a launch that failed, and goes on after it', async () => {
    const launches: number[] = [];
    const throttle = new Throttle({ qps: QPS, signal: NEVER });
    throttle.limitTo(1);
    const failed = throttle.enter(() => {
      launches.push(performance.now());
      return Promise.reject(new Error('refused'));
    });
    await assert.rejects(failed, /refused/);
    await throttle.enter(() => {
      launches.push(performance.now());
      return Promise.resolve();
    });
    assert.ok(tightest(launches, 1) > 1000);
  });

  it('takes a stamp from the future for one of this moment', async () => {
    const now = Date.now();
    const recent = Array.from({ length: QPS }, () => now + 3_600_000);
    const began = performance.now();
    await new Throttle({ qps: QPS, signal: NEVER, recent }).enter(() => Promise.resolve());
    assert.ok(performance.now() - began > 1000);
  });

  it('is lifted at an infinite rate', async () => {
    const throttle = new Throttle({ qps: Infinity, signal: NEVER });
    let launched = 0;
    await through(throttle, 500, () => {
      launched += 1;
      return Promise.resolve();
    });
    assert.equal(launched, 500);
  });
});

// By itself: the clock it sets is everybody's.
describe('the throttle and the clock', () => {
  it('does not stall where the wall clock is set back an hour, nor rush where it is set forward', async (t) => {
    const launches: number[] = [];
    const launch = (): Promise<void> => {
      launches.push(performance.now());
      return Promise.resolve();
    };
    const wall = Date.now.bind(Date);
    let shift = 0;
    t.mock.method(Date, 'now', () => wall() + shift);
    const throttle = new Throttle({ qps: QPS, signal: NEVER });
    await through(throttle, 2, launch);
    shift = -3_600_000;
    await through(throttle, 2, launch);
    shift = 3_600_000;
    await through(throttle, 4, launch);
    assert.equal(launches.length, 8);
    assert.ok(tightest(launches, QPS) > 1000);
  });
});
