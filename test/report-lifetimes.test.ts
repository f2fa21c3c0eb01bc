import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { survival } from '../lib/report/subjects/lifetimes.ts';

const followed = fc.array(
  fc.record({
    weeks: fc.nat(12),
    gone: fc.constantFrom(0 as const, 1 as const),
    n: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 1, maxLength: 30 },
);

describe('how long listings stay', () => {
  it('is the plain share where all were followed to their end', () => {
    const all = [
      { weeks: 0, gone: 1 as const, n: 10 },
      { weeks: 1, gone: 1 as const, n: 30 },
      { weeks: 3, gone: 1 as const, n: 60 },
    ];
    assert.deepEqual(
      survival(all).map(({ left }) => Number(left.toFixed(9))),
      [0.9, 0.6, 0.6, 0],
    );
  });

  it('counts those that are still there only for as long as they were followed', () => {
    // Half of them were first read in the last week: they tell nothing of the second.
    const weeks = survival([
      { weeks: 0, gone: 0, n: 100 },
      { weeks: 1, gone: 1, n: 50 },
      { weeks: 1, gone: 0, n: 50 },
    ]);
    assert.equal(weeks[0]?.left, 1);
    assert.ok(Math.abs((weeks[1]?.left ?? 0) - (1 - 50 / 75)) < 1e-9);
  });

  it('never rises, and says nothing is lost where nothing was', () => {
    fc.assert(
      fc.property(followed, (all) => {
        const weeks = survival(all);
        let before = 1;
        for (const { left, atRisk, gone } of weeks) {
          assert.ok(left <= before && left >= 0 && gone <= atRisk);
          before = left;
        }
        if (all.every(({ gone }) => gone === 0)) assert.equal(weeks.at(-1)?.left, 1);
      }),
    );
  });
});
