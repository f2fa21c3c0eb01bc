import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Ledger } from '../lib/store/ledger.ts';
import { NOW, storePerTest } from './store-rig.ts';

describe('the ledger', () => {
  const store = storePerTest();
  const NOW_MS = NOW * 1000 + 123;
  const stampAll = async (ledger: Ledger, ages: readonly number[]): Promise<number[]> => {
    const ids = [];
    for (const age of ages) ids.push(await ledger.stamp('listings/active', NOW_MS - age));
    return ids;
  };

  it('tells the newest attempts, oldest first; a stamp from the future counts as of now', async () => {
    const ledger = new Ledger(store.database);
    await stampAll(ledger, [5000, 1500, 900, 10, -3_600_000]);
    assert.deepEqual(await ledger.recent(NOW_MS, 2000), [NOW_MS - 1500, NOW_MS - 900, NOW_MS - 10, NOW_MS]);
    await stampAll(
      ledger,
      Array.from({ length: 20 }, (_, index) => index),
    );
    assert.equal((await ledger.recent(NOW_MS, 2000)).length, 10);
  });

  it('knows the last 24 hours, and what Etsy last said is left', async () => {
    const day = 24 * 3600 * 1000;
    const ledger = new Ledger(store.database);
    assert.deepEqual(await ledger.day(NOW_MS), { used: 0, oldestMs: undefined });
    assert.equal(await ledger.remaining(NOW_MS), undefined);
    const [, second, third, fourth] = await stampAll(ledger, [day + 1, day - 1, 500, 100]);
    const answer = { status: 200, tookMs: 80.6 };
    ledger.settle(third ?? 0, { ...answer, remainingToday: 41 });
    ledger.settle(second ?? 0, { ...answer, remainingToday: 90 });
    ledger.settle(fourth ?? 0, { status: null, tookMs: 30_000, remainingToday: undefined });
    await ledger.flush();
    assert.deepEqual(await ledger.day(NOW_MS), { used: 3, oldestMs: NOW_MS - day + 1 });
    assert.equal((await ledger.remaining(NOW_MS))?.calls, 41);
    assert.equal(await ledger.countSince(NOW_MS - 300, NOW_MS), 1);
    assert.deepEqual(await store.rows('SELECT status, took_ms FROM ledger WHERE id >= ?', [third ?? 0]), [
      { status: 200, took_ms: 81 },
      { status: null, took_ms: 30_000 },
    ]);
    await ledger.prune(NOW_MS + day + 1);
    assert.equal((await store.rows('SELECT id FROM ledger')).length, 3);
  });

  it('counts a stamp of a clock that was wrong for no quota, and for the throttle only while it is the newest', async () => {
    const hour = 3600 * 1000;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 2, max: 1000 }), { maxLength: 15 }),
        fc.array(fc.nat({ max: 23 * hour }), { minLength: 1, maxLength: 15 }),
        async (hoursAhead, ages) => {
          await store.database.write((tx) => tx.run('DELETE FROM ledger'));
          const ledger = new Ledger(store.database);
          const settle = (id: number, remainingToday: number): void =>
            ledger.settle(id, { status: 200, tookMs: 1, remainingToday });
          for (const id of await stampAll(
            ledger,
            hoursAhead.map((hours) => -hours * hour),
          ))
            settle(id, 0);
          await ledger.flush();
          assert.deepEqual(await ledger.day(NOW_MS), { used: 0, oldestMs: undefined });
          assert.equal(await ledger.remaining(NOW_MS), undefined);
          assert.equal(await ledger.countSince(NOW_MS - hour, NOW_MS), 0);
          // Whether they were sent a moment ago is not known: the throttle is careful, until others have been sent.
          const before = Array.from({ length: Math.min(10, hoursAhead.length) }, () => NOW_MS);
          assert.deepEqual(await ledger.recent(NOW_MS, 2000), before);
          const ids = await stampAll(ledger, ages);
          settle(ids[0] ?? 0, 41);
          await ledger.flush();
          assert.deepEqual(await ledger.day(NOW_MS), {
            used: ages.length,
            oldestMs: NOW_MS - Math.max(...ages),
          });
          assert.equal((await ledger.remaining(NOW_MS))?.calls, 41);
          if (ages.length >= 10) {
            const recent = ages.slice(-10).filter((age) => age < 2000);
            assert.equal((await ledger.recent(NOW_MS, 2000)).length, recent.length);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('counts for a quota what was sent with its own key, and what nobody knows the key of', async () => {
    const [mine, other, earlier] = ['a', 'b', undefined].map((key) => new Ledger(store.database, key));
    assert.ok(mine && other && earlier);
    await store.database.write((tx) => tx.run('DELETE FROM ledger'));
    const sent = async (ledger: Ledger, age: number, remainingToday: number): Promise<void> => {
      ledger.settle(await ledger.stamp('x', NOW_MS - age), { status: 200, tookMs: 1, remainingToday });
      await ledger.flush();
    };
    await sent(mine, 500, 7);
    await sent(other, 400, 0);
    await sent(other, 300, 0);
    assert.equal((await mine.remaining(NOW_MS))?.calls, 7);
    assert.deepEqual(await mine.day(NOW_MS), { used: 1, oldestMs: NOW_MS - 500 });
    assert.equal(await mine.countSince(NOW_MS - 450, NOW_MS), 0);
    await sent(earlier, 200, 3);
    assert.equal((await mine.remaining(NOW_MS))?.calls, 3);
    assert.equal((await mine.day(NOW_MS)).used, 2);
    assert.equal((await other.day(NOW_MS)).used, 3);
    // The throttle is for all keys together, and so is what is told of a run.
    assert.equal((await mine.recent(NOW_MS, 2000)).length, 4);
    await sent(other, 100, 9);
    assert.equal((await (await Ledger.ofLastKey(store.database)).remaining(NOW_MS))?.calls, 9);
  });

  it('gives the worst second and the mean of a run as anyone would count them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4000 }), { maxLength: 30 }), async (times) => {
        await store.database.write((tx) => tx.run('DELETE FROM ledger'));
        const ledger = new Ledger(store.database);
        ledger.runId = 1;
        await store.database.write(async (tx) => {
          await tx.run(
            `INSERT INTO ledger (at_ms, run_id, endpoint) SELECT value, 1, 'x' FROM json_each(?)
             UNION ALL SELECT value, 2, 'x' FROM json_each(?)`,
            [JSON.stringify(times.map((time) => NOW_MS + time)), JSON.stringify(times.map(() => NOW_MS))],
          );
        });
        const worst = Math.max(
          0,
          ...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length),
        );
        const span = Math.max(...times) - Math.min(...times);
        assert.deepEqual(await ledger.pace(1), {
          requests: times.length,
          // None of them has an answer.
          faults: times.length,
          worstSecond: worst,
          perSecond: times.length > 0 && span > 0 ? ((times.length - 1) * 1000) / span : 0,
          lastMs: times.length > 0 ? NOW_MS + Math.max(...times) : undefined,
        });
        const half = await ledger.pace(1, NOW_MS + 1000, NOW_MS + 3000);
        assert.equal(half.requests, times.filter((at) => at >= 1000 && at < 3000).length);
      }),
      { numRuns: 30 },
    );
  });
});
