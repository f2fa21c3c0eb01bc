import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { Ledger } from '../lib/store/ledger.ts';
import { aroundEach, BUCKET, database, DAY, HOUR, MINUTE, START, time, watch } from './quota-rig.ts';

// The lives of processes through days of a quota, as chance has them.

aroundEach();

/** Etsy's sliding day: twelve buckets of two hours, let go of one by one. */
class Day {
  readonly #limit: number;
  readonly #calls = new Map<number, number>();
  #latest = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  left(now: number): number {
    this.#latest = Math.floor(now / BUCKET);
    let used = 0;
    for (const [bucket, calls] of this.#calls) if (bucket > this.#latest - 12) used += calls;
    return this.#limit - used;
  }

  /** @returns false: refused */
  ask(now: number): boolean {
    if (this.left(now) <= 0) return false;
    this.#calls.set(this.#latest, (this.#calls.get(this.#latest) ?? 0) + 1);
    return true;
  }

  /** Whole seconds until the oldest bucket is let go of. */
  untilRelease(now: number): number {
    const counted = [...this.#calls.keys()].filter((bucket) => bucket > Math.floor(now / BUCKET) - 12);
    return Math.ceil(((Math.min(...counted) + 12) * BUCKET - now) / 1000);
  }
}

interface Attempt {
  readonly at: number;
  remaining: number | undefined;
  /** Its outcome is in the ledger: a kill loses those that came in since the last stamp. */
  noted: boolean;
}

interface Answers {
  /** What a refusal says of the time: nothing, the whole day, or when the next bucket is let go of. */
  readonly retryAfter: 'none' | 'day' | 'exact';
  /** Whether an answer tells x-remaining-today. */
  readonly header: boolean;
}

/** One process after the other, each asking as the API client does: when the quota is ready, and stamped before. */
class Asking {
  readonly #day: Day;
  readonly #answers: Answers;
  readonly attempts: Attempt[] = [];
  #ledger = new Ledger(database);
  #end = new AbortController();
  #watched = watch(this.#ledger);
  /** A minute after the last call, or when Etsy said. */
  #notBefore = 0;
  /** The clock has been set back: the newest stamp is not the last that was made. */
  refused = 0;
  waits = 0;

  constructor(day: Day, answers: Answers) {
    this.#day = day;
    this.#answers = answers;
  }

  /** @param how killed: what the ledger has not been told is lost; well: it is told first */
  async restart(how: 'killed' | 'well'): Promise<void> {
    if (how === 'well') {
      await this.#ledger.flush();
      this.#allNoted();
    }
    for (const attempt of this.attempts) if (!attempt.noted) attempt.remaining = undefined;
    this.#end.abort(new Error('the process has ended'));
    await turn();
    this.#ledger = new Ledger(database);
    this.#end = new AbortController();
    this.#watched = watch(this.#ledger, { signal: this.#end.signal });
    this.#notBefore = 0;
    await this.knowsWhatItDid();
    await this.#watched.quota.restore(Date.now());
  }

  /** By which a wait is over sooner than it was meant to, or later. */
  clockIsSet(by: number): void {
    time.ahead += by;
    this.#notBefore = 0;
  }

  async knowsWhatItDid(): Promise<void> {
    const now = Date.now();
    // A stamp of more than an hour to come is of a clock that was wrong.
    const today = this.attempts.filter(({ at }) => at > now - DAY && at <= now + HOUR);
    const oldestMs = today.length > 0 ? Math.min(...today.map(({ at }) => at)) : undefined;
    assert.deepEqual(await this.#ledger.day(now), { used: today.length, oldestMs });
    const told = today.filter(({ remaining, noted }) => noted && remaining !== undefined);
    assert.equal((await this.#ledger.remaining(now))?.calls, told.at(-1)?.remaining);
  }

  /** @param lives how long a wait this process lives to see, ms */
  async #ready(lives: number): Promise<'ready' | 'ended'> {
    let ready = false;
    const until = this.#watched.quota.ready().then(
      () => {
        ready = true;
      },
      () => undefined,
    );
    await turn();
    if (!ready) this.waits += 1;
    let waited = 0;
    while (!ready) {
      const wait = this.#watched.until() - Date.now();
      assert.ok(wait > 0 && wait + waited <= 2 * HOUR, `a wait of ${wait + waited} ms`);
      if (waited >= lives) return 'ended';
      const nap = Math.min(wait, HOUR / 2);
      await time.pass(nap);
      waited += nap;
    }
    await until;
    assert.ok(time.now >= this.#notBefore, `${this.#notBefore - time.now} ms early`);
    return 'ready';
  }

  /** Asks until it is answered. */
  async request(lives: number, how: 'killed' | 'well'): Promise<void> {
    let life = lives;
    for (let refused = 0; ; refused += 1) {
      const waits = this.waits;
      if ((await this.#ready(life)) === 'ended') {
        life = Infinity;
        await this.restart(how);
        await this.#ready(Infinity);
      }
      assert.ok(refused === 0 || this.waits > waits, 'asked again without a wait');
      if (await this.#attempt()) return;
      this.refused += 1;
      assert.ok(refused < 2 * 24 * 60, 'no answer in two days');
    }
  }

  async #attempt(): Promise<boolean> {
    const { retryAfter, header } = this.#answers;
    const at = Date.now();
    const id = await this.#ledger.stamp('listings/active', at);
    this.#allNoted();
    const answered = this.#day.ask(time.now);
    const remaining = header ? this.#day.left(time.now) : undefined;
    const outcome = { status: answered ? 200 : 429, tookMs: 1, remainingToday: remaining };
    this.#ledger.settle(id, outcome);
    this.attempts.push({ at, remaining, noted: false });
    const seconds = { none: undefined, day: 86_400, exact: this.#day.untilRelease(time.now) }[retryAfter];
    const told = answered ? undefined : seconds && seconds * 1000;
    if (!answered || remaining === 0) this.#notBefore = time.now + Math.min(MINUTE, told ?? MINUTE);
    if (!answered) await this.#watched.quota.spent(told, Date.now());
    else if (remaining === 0) await this.#watched.quota.spent(undefined, Date.now());
    return answered;
  }

  #allNoted(): void {
    for (const attempt of this.attempts) attempt.noted = true;
  }
}

const answers = fc.record({
  retryAfter: fc.constantFrom('none' as const, 'day' as const, 'exact' as const),
  header: fc.boolean(),
});
const pause = fc.oneof(fc.constant(205), fc.nat({ max: 10 * MINUTE }), fc.nat({ max: 30 * HOUR }));
const ending = fc.constantFrom('killed' as const, 'well' as const);
const request = fc.record({
  /** What goes before it. */
  pause,
  restart: fc.option(ending, { freq: 4 }),
  /** How long a wait its process lives to see, and how it ends then. */
  lives: fc.oneof(fc.constant(Infinity), fc.nat({ max: 3 * HOUR })),
  end: ending,
});
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;
const requests = fc.array(request, { minLength: 1, maxLength: 14 });
const limit = fc.integer({ min: 1, max: 6 });
/** Minutes since Etsy began a bucket. */
const into = fc.nat({ max: 119 });

async function ask(asking: Asking, { restart, lives, end }: Request): Promise<void> {
  if (restart) await asking.restart(restart);
  await asking.request(lives, end);
}

describe('the daily quota', () => {
  it('is waited for two hours at most, asked for once a wait, and every request is answered, through restarts', async () => {
    await fc.assert(
      fc.asyncProperty(limit, into, answers, requests, async (limit, into, how, all) => {
        await database.write((tx) => tx.run('DELETE FROM ledger'));
        Object.assign(time, { now: START + into * MINUTE, ahead: 0 });
        const asking = new Asking(new Day(limit), how);
        for (const one of all) {
          await time.pass(one.pause);
          await ask(asking, one);
        }
        assert.equal(asking.attempts.length, all.length + asking.refused);
        assert.ok(asking.refused <= asking.waits);
        await asking.restart('well');
      }),
      { numRuns: 30 },
    );
  });

  it('is waited for two hours at most though the clock is set, forward or back', async () => {
    const set = fc.integer({ min: -40 * HOUR, max: 40 * HOUR });
    const one = fc.tuple(request, fc.option(set));
    await fc.assert(
      fc.asyncProperty(limit, answers, fc.array(one, { maxLength: 8 }), async (limit, how, all) => {
        await database.write((tx) => tx.run('DELETE FROM ledger'));
        Object.assign(time, { now: START, ahead: 0 });
        const asking = new Asking(new Day(limit), how);
        for (const [one, set] of all) {
          await time.pass(one.pause);
          if (set !== null) asking.clockIsSet(set);
          await ask(asking, one);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('comes back, where Etsy says when, at that second', async () => {
    await fc.assert(
      fc.asyncProperty(limit, into, fc.array(pause, { maxLength: 14 }), async (limit, into, pauses) => {
        await database.write((tx) => tx.run('DELETE FROM ledger'));
        Object.assign(time, { now: START + into * MINUTE, ahead: 0 });
        const asking = new Asking(new Day(limit), { retryAfter: 'exact', header: false });
        for (const pause of pauses) {
          await time.pass(pause);
          const { refused } = asking;
          await asking.request(Infinity, 'well');
          // Buckets are let go of at even hours; retry-after counts whole seconds.
          if (asking.refused > refused) assert.ok(time.now % BUCKET < 1000, `at ${time.now % BUCKET} ms`);
        }
      }),
      { numRuns: 15 },
    );
  });
});
