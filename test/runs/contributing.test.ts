import assert from 'node:assert/strict';
import { appendFile, readFile, readdir, writeFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { CONTRIBUTING, exampleStage } from '../contributing.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';

const ROOT = new URL('../..', import.meta.url);
const BATCH = /\/listings\/batch$/;

describe('CONTRIBUTING.md', () => {
  let text: string;
  before(async () => {
    text = await readFile(CONTRIBUTING, 'utf8');
  });

  it('has a line for every folder', async () => {
    const folders: string[] = [];
    for (const top of ['tasks', 'lib', 'checkpoints', 'test']) {
      folders.push(top);
      for (const entry of await readdir(new URL(top, ROOT), { withFileTypes: true }))
        if (entry.isDirectory()) folders.push(`${top}/${entry.name}`);
    }
    assert.deepEqual(
      folders.filter((folder) => !text.includes(`| [${folder}/](${folder})`)),
      [],
    );
  });
});

describe('the example stage', () => {
  const market = {
    categories: { 12371: { listings: 90 }, 12372: { listings: 110 } },
    shops: 20,
    reviews: { perShop: 1 },
  };

  async function withExample(test: (rig: Rig) => Promise<void>): Promise<void> {
    const { module, yaml } = await exampleStage();
    await withRig({ market, withoutImages: true }, async (rig) => {
      await writeFile(rig.path('prices.ts'), module);
      await appendFile(rig.path('pipeline.yaml'), yaml.replace('batch: 50', 'batch: 10'));
      await test(rig);
    });
  }

  const noted = (rig: Rig): Promise<number> => rig.number('SELECT count(*) AS n FROM prices');

  it('is small', async () => {
    const { module } = await exampleStage();
    assert.ok(module.split('\n').length < 40);
  });

  it('runs in its turn, stops at KILL, goes on after what was committed, and notes each change once', () =>
    withExample(async (rig) => {
      assert.equal((await rig.run({ stage: 'crawl' })).code, 0);
      assert.equal((await rig.run({ stage: 'reconcile' })).code, 0);
      const listings = await rig.number('SELECT count(*) AS n FROM listings');
      assert.ok(listings > 150);
      await rig.market.resetRequests();
      await rig.market.setFaults({ api: { latency: { min: 80, max: 100 } } });

      const command = rig.start({ stage: 'prices' });
      await rig.arrived(command, 4, BATCH);
      await rig.touchKill();
      const { code, stdout } = await command.ended;
      assert.equal(code, 75);
      assert.match(stdout, new RegExp(`^ {2}Prices, All listings: \\d+ of ${listings}$`, 'm'));
      assert.match(stdout, /^Everything up to there is saved\. To resume: npx sync-data --stage prices$/m);
      const [unit] = await rig.rows<{ cursor: string }>("SELECT cursor FROM units WHERE stage = 'prices'");
      const { after, done } = JSON.parse(unit?.cursor ?? '') as { after: number; done: number };
      const first = await noted(rig);
      assert.ok(done >= 30 && done < listings);
      assert.equal(first, done);
      assert.equal(await rig.number('SELECT max(listing_id) AS n FROM prices'), after);

      assert.equal((await rig.run({ stage: 'prices' })).code, 0);
      assert.equal(await noted(rig), listings);
      assert.equal(
        (await rig.requests(BATCH)).length,
        Math.ceil(listings / 10),
        'no batch was asked for twice',
      );
      assert.equal(
        await rig.number(
          'SELECT count(*) AS n FROM prices JOIN listings USING (listing_id) WHERE price = 1.0 * price_amount / price_divisor AND currency = price_currency',
        ),
        listings,
      );

      await rig.market.setFaults({});
      assert.equal((await rig.run({ stage: 'prices' })).code, 0);
      assert.equal(await noted(rig), listings, 'nothing has changed');
      await rig.advance(5);
      const finished = await rig.run();
      assert.equal(finished.code, 0, rig.transcript);
      assert.match(finished.stdout, /^\S+ prices: finished/m);
      const changed = (await noted(rig)) - listings;
      assert.ok(changed > 0);
      const twice =
        'SELECT listing_id FROM prices GROUP BY listing_id HAVING count(*) > 1 AND min(price) < max(price)';
      assert.ok((await rig.number(`SELECT count(*) AS n FROM (${twice})`)) > 0);
    }));

  it('refuses options that are none, in their place', () =>
    withExample(async (rig) => {
      const yaml = await readFile(rig.path('pipeline.yaml'), 'utf8');
      await writeFile(rig.path('pipeline.yaml'), yaml.replace('batch: 10', 'batch: 1000, bach: 5'));
      const { code, stderr } = await rig.run();
      assert.equal(code, 2);
      assert.match(stderr, /stages\[4\]\.with\.batch: found 1000, expected a number of at most 100\n/);
      assert.match(
        stderr,
        /stages\[4\]\.with\.bach: unknown key \(did you mean batch\?\), expected one of: batch\n/,
      );
    }));
});
