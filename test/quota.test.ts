import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it, mock } from 'node:test';
import timers from 'node:timers/promises';
import * as fc from 'fast-check';
import { Quota, callsBackAt } from '../lib/etsy/quota.ts';
import { Database } from '../lib/store/database.ts';
import { Ledger } from '../lib/store/ledger.ts';
import { migrate } from '../lib/dataset/migrations.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BUCKET = 2 * HOUR;
/** The start of one of Etsy's buckets. Epoch ms. */
const START = 20_700 * DAY;
const NEVER = new AbortController().signal;

let folder = '';
let database: Database;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quota-'));
  database = await Database.open(join(folder, 'data.db'));
  await migrate(database);
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

/** Time that passes only where a test says so, and a clock that can be set to another one. */
class Time {
  /** Epoch ms, as Etsy has it. */
  now = START;
  /** How far our clock is ahead of Etsy's. */
  ahead = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  begin(): void {
    mock.method(Date, 'now', () => this.now + this.ahead);
    mock.method(timers, 'setTimeout', (ms: number, _value: unknown, { signal }: { signal: AbortSignal }) =>
      this.#sleep(ms, signal),
    );
    // Those who have imported setTimeout by its name are to see this one too.
    syncBuiltinESMExports();
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const { at, wake } of this.#sleepers) if (at <= this.now) wake();
    await timers.setImmediate();
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', aborted);
        settle();
      };
      const aborted = (): void => end(() => reject(new Error('aborted')));
      const sleeper = { at: this.now + ms, wake: () => end(resolve) };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', aborted);
    });
  }
}

const { setImmediate: turn } = timers;
let time: Time;
beforeEach(async () => {
  await database.write((tx) => tx.run('DELETE FROM ledger'));
  time = new Time();
  time.begin();
});
afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

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

interface Watched {
  readonly quota: Quota;
  readonly said: string[];
  /** Epoch ms, as last told. */
  readonly until: () => number;
}

function watch(
  ledger: Ledger,
  { onQuota = 'wait', signal = NEVER }: { onQuota?: 'wait' | 'stop'; signal?: AbortSignal } = {},
): Watched {
  const said: string[] = [];
  const end = new AbortController();
  let until = 0;
  const quota = new Quota({
    ledger,
    onQuota,
    signal: AbortSignal.any([signal, end.signal]),
    stop: (reason) => {
      if (!end.signal.aborted) said.push(`stop: ${reason}`);
      end.abort();
    },
    hold: (reason, told) => {
      said.push(`hold: ${reason}`);
      until = told;
      return () => said.push('released');
    },
  });
  return { quota, said, until: () => until };
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

describe('when calls come back', () => {
  const day = fc.integer({ min: START - DAY, max: START + DAY });

  it('lies ahead, and two hours at most', () => {
    fc.assert(
      fc.property(
        fc.option(day, { nil: undefined }),
        fc.option(fc.nat({ max: 2 * DAY }), { nil: undefined }),
        (oldest, told) => {
          const wait = callsBackAt(START, oldest, told) - START;
          assert.ok(wait >= Math.min(MINUTE, told ?? MINUTE) && wait <= 2 * HOUR, `${wait} ms`);
        },
      ),
    );
  });

  it('is what Etsy says, where that is not of the whole day', () => {
    fc.assert(
      fc.property(day, fc.nat({ max: 2 * HOUR }), (oldest, told) => {
        assert.equal(callsBackAt(START, oldest, told), START + Math.max(told, 1000));
      }),
    );
    assert.equal(callsBackAt(START, START - 23 * HOUR, DAY), START + HOUR);
  });

  it('is later each time it was asked in vain, up to two hours', () => {
    const waits = [0, 1, 2, 6, 7, 20].map(
      (inVain) => callsBackAt(START, START - DAY, undefined, inVain) - START,
    );
    assert.deepEqual(waits, [MINUTE, 2 * MINUTE, 4 * MINUTE, 64 * MINUTE, 2 * HOUR, 2 * HOUR]);
  });

  it('is when the sliding day lets go of the oldest call, where that is near', () => {
    fc.assert(
      fc.property(fc.integer({ min: MINUTE, max: 2 * HOUR }), (left) => {
        assert.equal(callsBackAt(START, START + left - DAY, undefined), START + left);
      }),
    );
  });
});

describe('while the quota is used up', () => {
  const RETRY = 5 * MINUTE;

  it('all requests wait; that they do is told once, and once that they go on', async () => {
    const { quota, said } = watch(new Ledger(database));
    await quota.spent(RETRY, Date.now());
    let ready = 0;
    const all = Promise.all(Array.from({ length: 3 }, () => quota.ready().then(() => (ready += 1))));
    for (let left = RETRY; left > 0; left -= MINUTE) {
      assert.equal(ready, 0);
      await time.pass(MINUTE);
    }
    await all;
    assert.deepEqual(said, ['hold: the daily quota is used up', 'released']);
    await quota.ready();
    assert.equal(said.length, 2);
  });

  it('the answers that come in late do not put it off', async () => {
    const { quota, until } = watch(new Ledger(database));
    await quota.spent(RETRY, Date.now());
    const ready = quota.ready();
    await time.pass(MINUTE);
    await quota.spent(RETRY, Date.now());
    for (let left = RETRY - MINUTE; left > 0; left -= MINUTE) await time.pass(MINUTE);
    await ready;
    assert.equal(until(), START + RETRY);
  });

  it('a clock that is set forward ends the wait within a minute', async () => {
    const { quota, said } = watch(new Ledger(database));
    await quota.spent(2 * HOUR, Date.now());
    const ready = quota.ready();
    time.ahead = 3 * HOUR;
    await time.pass(MINUTE);
    await ready;
    assert.deepEqual(said.at(-1), 'released');
  });

  it('a stop ends the wait at once, with its reason', async () => {
    const stop = new AbortController();
    const { quota, said } = watch(new Ledger(database), { signal: stop.signal });
    await quota.spent(RETRY, Date.now());
    const ready = quota.ready();
    await time.pass(MINUTE);
    const reason = new Error('KILL was found');
    stop.abort(reason);
    await assert.rejects(ready, reason);
    await assert.rejects(quota.ready(), reason);
    assert.deepEqual(said, ['hold: the daily quota is used up', 'released']);
  });

  it('the run is asked to stop, once, where onQuota says so and there is a request left to send', async () => {
    const { quota, said } = watch(new Ledger(database), { onQuota: 'stop' });
    await quota.spent(RETRY, Date.now());
    await quota.spent(RETRY, Date.now() + 1);
    assert.deepEqual(said, []);
    await assert.rejects(quota.ready());
    await assert.rejects(quota.ready());
    assert.deepEqual(said, ['stop: the daily quota is used up; calls return from 2026-09-04 00:05 UTC']);
  });

  it('a 0 is believed only where a request is refused, or where the ledger knows of about as many calls', async () => {
    const limit = fc.integer({ min: 1, max: 30 });
    const statuses = fc.constantFrom(200, 204, 404, 429, 500, 503);
    await fc.assert(
      fc.asyncProperty(fc.option(limit), fc.nat({ max: 30 }), statuses, async (limit, used, status) => {
        await database.write((tx) => tx.run('DELETE FROM ledger'));
        const ledger = new Ledger(database);
        for (let call = 0; call < used; call += 1) await ledger.stamp('shops/7', Date.now() - call);
        const { quota } = watch(ledger);
        const agrees = status === 429 || (limit !== null && used >= limit * 0.9);
        assert.equal(await quota.believes(0, status, limit ?? undefined, Date.now()), agrees);
        assert.equal(await quota.believes(1, status, limit ?? undefined, Date.now()), true);
        assert.equal(await quota.believes(undefined, status, limit ?? undefined, Date.now()), false);
      }),
      { numRuns: 30 },
    );
  });

  it('the next process knows, unless Etsy has said since that calls are left', async () => {
    const ledger = new Ledger(database);
    const answer = async (remainingToday: number | undefined): Promise<string[]> => {
      ledger.settle(await ledger.stamp('shops/7', Date.now()), { status: 200, tookMs: 1, remainingToday });
      await ledger.flush();
      await time.pass(1);
      const { quota, said } = watch(new Ledger(database), { onQuota: 'stop' });
      await quota.restore(Date.now());
      await quota.ready().catch(() => undefined);
      return said;
    };
    assert.equal((await answer(undefined)).length, 0);
    assert.equal((await answer(0)).length, 1);
    assert.equal((await answer(undefined)).length, 1);
    assert.equal((await answer(3)).length, 0);
  });
});
