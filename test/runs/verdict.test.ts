import assert from 'node:assert/strict';
import { appendFile, readdir, rename, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import { judge } from '../chaos/verdict.ts';
import type { Verdict } from '../chaos/verdict.ts';
import type { Dump } from '../dump.ts';
import { Rig, withRig } from '../rig.ts';

describe('the verdict on a disturbed installation', () => {
  const market = { categories: { 12371: { listings: 8 }, 12372: { listings: 8 } }, shops: 4, badImages: {} };
  let undisturbed: Rig;
  let expected: Dump;

  before(async () => {
    undisturbed = await Rig.open({ market });
    assert.equal((await undisturbed.run()).code, 0);
    expected = await undisturbed.dump();
  });
  after(() => undisturbed.close());

  const sql =
    (text: string) =>
    async (rig: Rig): Promise<void> => {
      const database = await Database.open(rig.path('etsy_data.db'));
      const { changes } = await database.write((tx) => tx.run(text));
      await database.close();
      assert.equal(changes, 1);
    };
  const image = async (rig: Rig): Promise<string> =>
    rig.path('images', (await readdir(rig.path('images')))[0] ?? '');

  const none = { lost: 0, doubled: 0, found: /^$/ };
  const cases: Record<string, { tamper: (rig: Rig) => Promise<void> } & typeof none> = {
    'nothing where nothing was done': { ...none, tamper: () => Promise.resolve() },
    'a row that is lost': {
      lost: 1,
      doubled: 0,
      found: /^reviews \d+: undefined against/,
      tamper: sql('DELETE FROM reviews WHERE id = (SELECT max(id) FROM reviews)'),
    },
    'a row that is doubled': {
      lost: 0,
      doubled: 1,
      found: /^listings_dynamic \d+: /,
      tamper: sql(
        `INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state, quantity)
         SELECT listing_id, snapshot_timestamp, state, quantity FROM listings_dynamic LIMIT 1`,
      ),
    },
    'a row that is another': {
      ...none,
      found: /^shops \d+: /,
      tamper: sql("UPDATE shops SET url = 'x' WHERE shop_id = (SELECT max(shop_id) FROM shops)"),
    },
    'an image that is another': {
      ...none,
      found: /^images \d+\.jpg: /,
      tamper: async (rig) => appendFile(await image(rig), 'x'),
    },
    'an image that is lost': {
      lost: 1,
      doubled: 0,
      found: /^images \d+\.jpg: undefined against/,
      tamper: async (rig) => rename(await image(rig), rig.path('elsewhere')),
    },
    'an entry of meta_data that is lost': {
      lost: 16,
      doubled: 0,
      found: /^json \d+: undefined against/,
      tamper: (rig) => writeFile(rig.path('image_metadata.json'), '{}'),
    },
  };

  for (const [what, { tamper, lost, doubled, found }] of Object.entries(cases)) {
    it(`finds ${what}`, () =>
      withRig({ beside: undisturbed, copyOf: undisturbed.folder }, async (rig) => {
        await tamper(rig);
        const verdict: Verdict = judge(await rig.dump(), expected);
        assert.deepEqual([verdict.lost, verdict.doubled], [lost, doubled], verdict.differences.join('\n'));
        assert.match(verdict.differences[0] ?? '', found);
      }));
  }
});
