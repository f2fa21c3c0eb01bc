import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { callsBackAt } from '../lib/etsy/quota.ts';
import { Ledger } from '../lib/store/ledger.ts';
import { aroundEach, database, DAY, HOUR, MINUTE, START, time, watch } from './quota-rig.ts';

// Each rule of waiting by itself.

aroundEach();

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
