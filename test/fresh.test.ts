import assert from 'node:assert/strict';
import { it } from 'node:test';
import { simulate } from './bench/fresh/simulate.ts';
import { HEAVY, QUIET, makeWorld } from './bench/fresh/world.ts';

/** Of the real job: small, so the figures are looser than those of `npm run bench -- --only fresh`. */
const SCALE = 0.01;

it('at 5,000 requests per day the order brings reviews nearly as soon as one that knows of each', () => {
  const shops = makeWorld(7, SCALE);
  const of = (noise: typeof QUIET, oracle: boolean) =>
    simulate(shops, { scale: SCALE, quota: 5000, noise, oracle });
  const [product, heavy, oracle] = [of(QUIET, false), of(HEAVY, false), of(QUIET, true)];
  assert.ok(product.soon >= 0.97 * oracle.soon, `in within 14 days: ${product.soon} of ${oracle.soon}`);
  assert.ok(product.meanAge <= 1.25 * oracle.meanAge, `mean age ${product.meanAge}, ${oracle.meanAge}`);
  assert.ok(product.requests <= 1.5 * oracle.requests, `${product.requests}, ${oracle.requests} requests`);
  assert.ok(product.vain <= 0.37, `${product.vain} in vain`);
  assert.ok((product.ofYear.get(7) ?? 0) >= 0.4 && (product.ofYear.get(14) ?? 0) >= 0.75);
  assert.ok(heavy.soon >= 0.9 * oracle.soon && heavy.meanAge <= 1.8 * oracle.meanAge);
});
