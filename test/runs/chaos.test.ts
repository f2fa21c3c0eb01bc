import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { disturbances } from '../chaos/all.ts';
import { Harness } from '../chaos/harness.ts';

const SEED = 20260820;
const LANES = 2;

/** All of them, many times each, with all variants: npm run chaos. */
describe('one round of each disturbance', { concurrency: LANES }, () => {
  const harness = new Harness(SEED, LANES);
  after(() => harness.close());

  const kinds = new Set<string>();
  for (const disturbance of disturbances) {
    const { slow, name, kind = name } = disturbance;
    if (slow || kinds.has(kind)) continue;
    kinds.add(kind);
    const why = disturbance.impossible?.();
    if (why !== undefined) {
      console.log(`# not possible here: ${name}: ${why}`);
      continue;
    }
    it(name, async () => {
      const { fault } = await harness.play(disturbance, 0);
      assert.equal(fault, undefined, fault);
    });
  }
});
