import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { between } from '../lib/etsy/clocks.ts';
import { Holds } from '../lib/etsy/holds.ts';
import { decide, troubled } from '../lib/etsy/retry.ts';
import type { Attempt, Failure, Trouble } from '../lib/etsy/retry.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const weather = fc.constantFrom('network' as const, 'timeout' as const, 'server' as const, 'body' as const);
const refusal = fc.constantFrom('client' as const, 'key' as const);
const anything = fc.record({
  kind: fc.oneof(weather, refusal, fc.constant('rate' as const)),
  failures: fc.nat({ max: 500 }),
  refusals: fc.nat({ max: 3 }),
  retryAfterMs: fc.option(fc.oneof(fc.nat({ max: 5000 }), fc.nat({ max: 10 * DAY })), { nil: undefined }),
  leftMs: fc.oneof(fc.integer({ min: -HOUR, max: HOUR }), fc.integer({ min: 0, max: 10_000 })),
  firstBackoffMs: fc.integer({ min: 1, max: 3000 }),
  random: fc.double({ min: 0, max: 1, noNaN: true }),
});

const FAILURE: Failure = {
  kind: 'server',
  failures: 1,
  refusals: 0,
  retryAfterMs: undefined,
  leftMs: 30 * MINUTE,
  firstBackoffMs: 500,
  random: 0,
};
const pauseOf = (more: Partial<Failure>): number | 'given up' => {
  const decision = decide({ ...FAILURE, ...more });
  return decision.act === 'retry' ? decision.afterMs : 'given up';
};

describe('after a failed request', () => {
  it('no pause outlasts what giveUpAfter leaves, and none is negative', () => {
    fc.assert(
      fc.property(anything, (failure) => {
        const pause = pauseOf(failure);
        if (pause !== 'given up')
          assert.ok(pause >= 0 && pause <= Math.max(0, failure.leftMs), String(pause));
      }),
    );
  });

  it('whatever the server asks for, its next try comes within what giveUpAfter leaves, and the last one ends it', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1000, max: 10 * MINUTE }), (failure, giveUpAfter) => {
        if (failure.kind === 'client' || failure.kind === 'key') return;
        let [observed, tries] = [0, 0];
        for (; tries < 2000; tries += 1) {
          const pause = pauseOf({ ...failure, failures: tries + 1, leftMs: giveUpAfter - observed });
          if (pause === 'given up') break;
          // A request takes a moment.
          observed += pause + 20;
        }
        assert.ok(
          observed >= giveUpAfter && observed <= giveUpAfter + 20,
          `after ${observed} of ${giveUpAfter}`,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('the pause is the one asked for, or one that doubles, and never longer than a minute of its own accord', () => {
    for (const [more, pause] of [
      [{}, 500],
      [{ random: 1 }, 1000],
      [{ failures: 4 }, 4000],
      [{ failures: 40 }, MINUTE],
      [{ retryAfterMs: 7000 }, 7000],
      [{ retryAfterMs: 20 }, 500],
      [{ retryAfterMs: 20 * MINUTE }, 20 * MINUTE],
      [{ retryAfterMs: DAY }, 15 * MINUTE],
      [{ retryAfterMs: DAY, leftMs: 5000 }, 2500],
      [{ retryAfterMs: DAY, leftMs: 300 }, 300],
      [{ leftMs: 0 }, 'given up'],
      [{ kind: 'rate', failures: 0 }, 500],
      [{ kind: 'rate', failures: 30, retryAfterMs: 3000 }, 3000],
      [{ kind: 'rate', leftMs: -1 }, 'given up'],
      [{ kind: 'quota', leftMs: -1, retryAfterMs: DAY }, 0],
      [{ kind: 'hopeless' }, 'given up'],
    ] as const) {
      assert.equal(pauseOf(more), pause, JSON.stringify(more));
    }
  });

  it('a refusal is asked about once more, and then believed', () => {
    fc.assert(
      fc.property(anything, refusal, fc.nat({ max: 10 }), (failure, kind, refusals) => {
        const { act } = decide({ ...failure, kind, refusals: refusals + 1 });
        assert.equal(act, refusals === 0 ? 'retry' : 'give up');
      }),
    );
  });
});

describe('a time without a good answer', () => {
  const attempt = (began: number, took = 0, stoodStillMs = 0): Attempt => {
    return { began, failed: began + took, stoodStillMs, turnMs: 200 };
  };
  const planned = (trouble: Trouble, plannedMs: number): Trouble => ({ ...trouble, plannedMs });

  it('is the sum of attempts and pauses, where each came when it was planned', () => {
    const step = fc.record({ pause: fc.nat({ max: MINUTE }), took: fc.nat({ max: 30_000 }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let trouble = troubled(undefined, attempt(0));
        let [now, sum] = [0, 0];
        for (const { pause, took } of steps) {
          trouble = troubled(
            planned(trouble, Math.max(trouble.plannedMs, pause)),
            attempt(now + pause, took),
          );
          now += pause + took;
          sum += pause + took;
        }
        assert.equal(trouble.observedMs, sum);
      }),
    );
  });

  it('starts anew after any gap that is much longer than the planned pause', () => {
    const gap = fc.integer({ min: 1, max: DAY });
    fc.assert(
      fc.property(fc.nat({ max: MINUTE }), gap, fc.boolean(), (pause, longer, stood) => {
        const before = { ...planned(troubled(undefined, attempt(0)), pause), observedMs: 10 * MINUTE };
        const much = 2 * (pause + 200) + 2000 + longer;
        const after = troubled(before, stood ? attempt(pause, 0, much) : attempt(much));
        assert.equal(after.observedMs, 0);
      }),
    );
  });

  it('of many requests at once counts each moment once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1500 }), { minLength: 1 }), (ends) => {
        let trouble: Trouble | undefined;
        for (const end of ends) trouble = troubled(trouble, { ...attempt(0), failed: end });
        const observed = Math.max(...ends) - (ends[0] ?? 0);
        assert.equal(trouble?.observedMs, observed);
      }),
    );
  });
});

describe('the two clocks', () => {
  it('tell a process that stood still from a clock that was set', () => {
    const at = { steady: 1000, wall: 5_000_000 };
    for (const [passed, wall, stoodStillMs, jumpMs] of [
      [500, 500, 0, 0],
      [1400, 1400, 0, 0],
      [6500, 6500, 6000, 0],
      // A computer that slept: by one clock no time has passed.
      [500, 8 * HOUR + 500, 0, 8 * HOUR],
      [500, 500 - HOUR, 0, -HOUR],
      [500, 700, 0, 0],
      [6500, 6500 + DAY, 6000, DAY],
    ] as const) {
      const now = { steady: at.steady + passed, wall: at.wall + wall };
      assert.deepEqual(between(at, now), { stoodStillMs, jumpMs });
    }
  });
});

describe('of several waits', () => {
  it('the one that ends last is told, and the end of all', () => {
    const said: string[] = [];
    const holds = new Holds((hold) => said.push(hold ? `${hold.reason} ${hold.until}` : 'none'));
    const short = holds.begin('short', 10);
    const long = holds.begin('long', 20);
    const late = holds.begin('late', 15);
    short();
    long();
    late();
    late();
    assert.deepEqual(said, ['short 10', 'long 20', 'late 15', 'none']);
  });
});
