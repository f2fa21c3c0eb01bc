import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { dueBefore, rhythmOf } from '../lib/dataset/due.ts';
import { NOW, storePerTest } from './store-rig.ts';

const DAY = 24 * 3600;
const WEEK = 7 * DAY;

describe('what is due', () => {
  const store = storePerTest();

  it('weekly runs refresh a listing once each, whenever within a run they meet it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 * DAY }), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: -6 * 3600, max: 6 * 3600 }),
        (meetings, jitter) => {
          let last: number | undefined;
          for (const [week, offset] of meetings.entries()) {
            const runStartedAt = NOW + week * (WEEK + jitter);
            const rhythm = { refreshAfter: WEEK, cadence: week === 0 ? 0 : WEEK + jitter, runStartedAt };
            const met = runStartedAt + offset;
            assert.ok(last === undefined || last < dueBefore(met, rhythm), `left alone in week ${week}`);
            last = met;
            assert.ok(last >= dueBefore(met + 3 * DAY, rhythm), 'due again within the run');
          }
        },
      ),
    );
  });

  it('nothing that a run has read is due in it, whatever the cadence', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * DAY }),
        fc.integer({ min: 1, max: 30 * DAY }),
        fc.nat({ max: 30 * DAY }),
        (cadence, refreshAfter, later) => {
          const rhythm = { refreshAfter, cadence, runStartedAt: NOW };
          fc.pre(later < refreshAfter);
          assert.ok(dueBefore(NOW + later, rhythm) <= NOW);
          assert.ok(dueBefore(NOW + later, rhythm) >= NOW + later - refreshAfter, 'later than by age alone');
        },
      ),
    );
  });

  it('the cadence is `every`, else the time between runs of the same stages, else none', async () => {
    const { read } = store.database;
    const begin = (days: number, only: string | null) =>
      store.database.write((tx) =>
        tx.run('INSERT INTO runs (only_stage, started_at) VALUES (?, ?)', [only, (NOW + days * DAY) * 1000]),
      );
    const cadence = async (id: number | undefined, at: number, every?: number): Promise<number> =>
      (await rhythmOf(read, { refreshAfter: WEEK, every }, id, NOW + at * DAY)).cadence / DAY;
    assert.equal(await cadence(undefined, 0), 0);
    await begin(0, null);
    await begin(2, 'crawl');
    await begin(6, null);
    await begin(8, 'crawl');
    // The clock was set back.
    await begin(5, null);
    assert.deepEqual(
      [
        await cadence(1, 3),
        await cadence(2, 3),
        await cadence(3, 9),
        await cadence(4, 9),
        await cadence(5, 9),
      ],
      [0, 0, 6, 6, 0],
    );
    assert.equal(await cadence(undefined, 12), 7);
    assert.equal(await cadence(3, 9, WEEK), 7);
    assert.equal(
      (await rhythmOf(read, { refreshAfter: WEEK }, 3, NOW + 9 * DAY)).runStartedAt,
      NOW + 6 * DAY,
    );
  });
});
