import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Elsewhere } from '../lib/etsy/elsewhere.ts';
import type { Sent } from '../lib/etsy/elsewhere.ts';
import { windowOf } from '../lib/etsy/throttle.ts';

const SECOND = 1000;

/** Etsy's side: five a second for the key, whoever asks. */
class Key {
  readonly #taken: number[] = [];
  /** The most in any second, refused ones included. */
  worst = 0;
  readonly #asked: number[] = [];

  /** @returns false: refused */
  ask(now: number): boolean {
    this.#asked.push(now);
    this.worst = Math.max(this.worst, this.#asked.filter((at) => at > now - SECOND).length);
    if (this.#taken.filter((at) => at > now - SECOND).length >= 5) return false;
    this.#taken.push(now);
    return true;
  }
}

/** A run that always has something to ask, as the throttle lets it. All times in ms of one clock of the test's. */
class Run {
  readonly #elsewhere = new Elsewhere();
  readonly #sent: number[] = [];
  slowAt: number | undefined;

  readonly #burst: number;

  constructor(burst: number) {
    this.#burst = burst;
  }

  next(): number {
    const { most, windowMs } = windowOf(this.#burst, this.#burst, this.slowAt !== undefined);
    return Math.max((this.#sent.at(-1) ?? 0) + 205.5, (this.#sent.at(-most) ?? -Infinity) + windowMs);
  }

  ask(now: number, key: Key): void {
    const own = this.#sent.filter((at) => at > now - SECOND).length + 1;
    this.#sent.push(now);
    if (!key.ask(now) && this.#elsewhere.refused({ at: now, own, allowed: undefined })) this.slowAt ??= now;
  }
}

/** Lets them ask in turn until `end`. @returns the most in any second since all of them have been slow for one */
function play(runs: readonly Run[], end: number, late: (nth: number) => number = () => 0): number {
  const key = new Key();
  let nth = 0;
  for (let now = 0; now < end;) {
    const next = runs.toSorted((a, b) => a.next() - b.next())[0];
    if (!next) break;
    now = Math.max(now, next.next() + late((nth += 1)));
    next.ask(now, key);
    if (runs.some(({ slowAt = now }) => slowAt > now - SECOND)) key.worst = 0;
  }
  return key.worst;
}

/** A request of a simulated run on its way. */
interface Flight {
  readonly run: Counting;
  readonly sent: Sent;
  readonly arrivesAt: number;
  readonly answeredAt: number;
}

/** A run as client and throttle are together: gentle in its first second, slow while others are counted. */
class Counting {
  readonly elsewhere = new Elsewhere();
  readonly sentAt: number[] = [];
  slowUntil = -Infinity;
  told = 0;
  readonly #start: number;

  constructor(start: number) {
    this.#start = start;
  }

  next(now: number): number {
    const gentleUntil = (this.sentAt[0] ?? now) + 1026;
    const { most, windowMs } = windowOf(5, 5, now < Math.max(gentleUntil, this.slowUntil));
    const turn = (this.sentAt.at(-1) ?? -Infinity) + 205.5;
    return Math.max(this.#start, turn, (this.sentAt.at(-most) ?? -Infinity) + windowMs);
  }

  answered(sent: Sent, at: number, left: number | undefined): void {
    const suspicion = this.elsewhere.over(sent, at, left);
    if (!suspicion) return;
    this.slowUntil = Math.max(this.slowUntil, at + suspicion.slowMs);
    this.told += suspicion.n;
  }
}

interface Weather {
  /** Of an answer, there and back. Milliseconds. */
  readonly latency: () => number;
  /** Whether an answer is lost. */
  readonly isLost?: () => boolean;
}

/** @returns the times of all requests, in order, as Etsy has them */
function playCounting(runs: readonly Counting[], end: number, { latency, isLost }: Weather): number[] {
  const flights: Flight[] = [];
  const arrivals: number[] = [];
  const lefts = new Map<Flight, number>();
  for (let now = 0; now < end; now += 1) {
    for (const run of runs) {
      if (run.next(now) > now) continue;
      run.sentAt.push(now);
      const took = latency();
      flights.push({ run, sent: run.elsewhere.send(), arrivesAt: now + took / 2, answeredAt: now + took });
    }
    for (const flight of flights.filter((one) => one.arrivesAt <= now && !lefts.has(one))) {
      arrivals.push(now);
      lefts.set(flight, 10_000 - arrivals.length);
    }
    for (const flight of flights.filter(({ answeredAt }) => answeredAt <= now)) {
      flights.splice(flights.indexOf(flight), 1);
      flight.run.answered(flight.sent, now, isLost?.() ? undefined : lefts.get(flight));
    }
  }
  return arrivals;
}

function worstSecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + SECOND).length));
}

/** A number of 0 to 1 each time, from those given in turn. */
function inTurn(shares: readonly number[]): () => number {
  let nth = 0;
  return () => (shares[(nth += 1) % shares.length] ?? 0) / 100;
}

describe('calls of others with the same key', () => {
  const shares = fc.array(fc.nat({ max: 100 }), { minLength: 3, maxLength: 20 });

  it('are noticed at the second answer by two runs that start together, which never pass the limit', () => {
    fc.assert(
      fc.property(shares, fc.nat({ max: 900 }), (given, apart) => {
        const share = inTurn(given);
        const runs = [new Counting(0), new Counting(apart)];
        // Requests arrive as they leave, but for the throttle's margin, also for one run alone.
        const arrivals = playCounting(runs, 15 * SECOND, { latency: () => 40 + share() * 50 });
        assert.ok(worstSecond(arrivals) <= 5, `${worstSecond(arrivals)} in a second`);
        for (const { told } of runs) assert.ok(told > 0);
      }),
      { numRuns: 60 },
    );
  });

  it('are never suspected by a run alone, whatever overtakes what and is lost', () => {
    fc.assert(
      fc.property(shares, shares, (given, losses) => {
        const [share, loss] = [inTurn(given), inTurn(losses)];
        const alone = new Counting(0);
        const isLost = (): boolean => loss() > 0.7;
        playCounting([alone], 8 * SECOND, { latency: () => share() * 3000, isLost });
        assert.equal(alone.slowUntil, -Infinity);
      }),
      { numRuns: 60 },
    );
  });

  it('make a run slow for as long as they last, a lone one for three seconds, and are told in sum', () => {
    const elsewhere = new Elsewhere();
    let left = 1000;
    const ask = (at: number, others: number): ReturnType<Elsewhere['over']> => {
      const sent = elsewhere.send();
      left -= others + 1;
      return elsewhere.over(sent, at, left);
    };
    assert.equal(ask(0, 0), undefined);
    assert.deepEqual(ask(200, 1), { slowMs: 3000, n: 0 });
    assert.equal(ask(400, 0), undefined);
    assert.deepEqual(ask(600, 2), { slowMs: 3000, n: 0 });
    assert.deepEqual(ask(800, 1), { slowMs: 60_000, n: 4 });
    for (let at = 1000; at < 10_800; at += 200) assert.deepEqual(ask(at, 1), { slowMs: 60_000, n: 0 });
    assert.deepEqual(ask(10_800, 1), { slowMs: 60_000, n: 50 });
    // Calls come back as the day slides: what then is counted has nothing to do with before.
    left += 500;
    for (let at = 11_000; at < 30_000; at += 200) assert.equal(ask(at, 0), undefined);
    left += 500;
    assert.equal(ask(40_000, 3), undefined, 'too long ago to be compared');
  });
});

describe('a key in use elsewhere', () => {
  it('is noticed by two runs within seconds, and after that both together keep to its limit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 150 }), { minLength: 1 }), (delays) => {
        const runs = [new Run(5), new Run(5)];
        const worst = play(runs, 40 * SECOND, (nth) => delays[nth % delays.length] ?? 0);
        assert.ok(worst <= 4, `${worst} in a second`);
      }),
      { numRuns: 50 },
    );
    const runs = [new Run(5), new Run(5)];
    assert.ok(play(runs, 40 * SECOND) <= 4);
    for (const { slowAt = Infinity } of runs) assert.ok(slowAt < 20 * SECOND, String(slowAt));
  });

  it('is not suspected by a run alone, nor for refusals that are few, or that the run caused', () => {
    const alone = new Run(5);
    play([alone], 60 * SECOND);
    assert.equal(alone.slowAt, undefined);
    const refusals = (every: number, own: number, allowed?: number): number => {
      const elsewhere = new Elsewhere();
      const found = Array.from(
        { length: 100 },
        (_, nth) => elsewhere.refused({ at: nth * every, own, allowed })?.n ?? 0,
      );
      return found.reduce((sum, n) => sum + n, 0);
    };
    assert.equal(refusals(31 * SECOND, 1), 0, 'now and then one');
    assert.equal(refusals(SECOND, 6), 0, 'more than five a second');
    assert.equal(refusals(SECOND, 5, 4), 0, 'more than the headers allow');
    assert.equal(refusals(SECOND, 5), 99, 'told in threes, each once');
    assert.equal(refusals(SECOND, 9, 10), 99, 'a key that is allowed more');
  });

  it('leaves half, rounded down, of any limit', () => {
    for (const [burst, most, windowMs] of [
      [5, 2, 1000],
      [4, 2, 1000],
      [3, 1, 1000],
      [1, 1, 2000],
    ] as const) {
      const slow = windowOf(burst, burst, true);
      assert.deepEqual([slow.most, slow.windowMs - 26], [most, windowMs], String(burst));
      assert.equal(windowOf(burst, burst, false).most, burst);
    }
  });
});
