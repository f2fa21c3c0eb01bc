import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Taxonomy } from '../../lib/dataset/taxonomy.ts';
import { unfilteredFinding } from '../../tasks/rules/verdicts.ts';
import type { MarketplaceOptions } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';

const DEAF: MarketplaceOptions = {
  categories: {
    12371: { listings: 60 },
    12372: { listings: 130 },
    971: { listings: 10 },
    12370: { listings: 20 },
  },
  deafTaxonomies: [12370],
  shops: 20,
  reviews: { perShop: 5 },
};

describe('a category that search does not filter by', () => {
  it('is left out with a finding that names the one above; the others are read', () =>
    withRig({ market: DEAF, taxonomies: [12370, 971], withoutImages: true }, async (rig) => {
      const { code, stdout } = await rig.run();
      assert.equal(code, 0, rig.transcript);
      assert.match(
        stdout,
        /^ {2}unfiltered-category: taxonomy 12370 \(Trunks\): Etsy search does not filter by it: of 100 listings returned, \d belong to this category\. It was skipped; name Benches & Trunks \(990\) in pipeline\.yaml instead$/m,
      );
      assert.deepEqual(await rig.rows('SELECT DISTINCT taxonomy_id AS id FROM listings'), [{ id: 971 }]);
      assert.equal(await rig.number('SELECT count(*) AS n FROM slices WHERE taxonomy_id = 12370'), 0);
      assert.equal((await rig.requests(/listings\/active/)).length, 2);
    }));

  it('is one only where hardly any of many listings are of it or below', () => {
    const kinds = (within: number, others: number): number[] => [
      ...Array.from({ length: within }, () => 12369),
      ...Array.from({ length: others }, () => 975),
    ];
    const isLeftOut = (id: number, found: number[]): boolean =>
      unfilteredFinding(id, found, new Taxonomy([], undefined)) !== undefined;
    assert.equal(isLeftOut(990, kinds(9, 91)), true);
    assert.equal(isLeftOut(990, kinds(10, 90)), false);
    assert.equal(isLeftOut(989, kinds(100, 0)), false);
    assert.equal(isLeftOut(12370, kinds(100, 0)), true);
    assert.equal(isLeftOut(990, kinds(0, 9)), false, 'too few to tell');
  });
});
