import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Elsewhere } from '../lib/etsy/elsewhere.ts';
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
    if (!key.ask(now) && this.#elsewhere.refused({ at: now, own, allowed: undefined }) > 0)
      this.slowAt ??= now;
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
      const found = Array.from({ length: 100 }, (_, nth) =>
        elsewhere.refused({ at: nth * every, own, allowed }),
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
