import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { ISellerTaxonomyNode } from 'etsy-ts';
import * as fc from 'fast-check';
import { taxonomyNode } from '../../lib/etsy/schemas.ts';
import type { TaxonomyNode } from '../../lib/etsy/schemas.ts';
import { Taxonomy } from '../../lib/dataset/taxonomy.ts';
import type { Category } from '../../lib/dataset/taxonomy.ts';
import { OptionMistakes } from '../../lib/task/option-mistakes.ts';
import { Database } from '../../lib/store/database.ts';
import { migrate } from '../../lib/dataset/migrations.ts';
import { replaceTaxonomy } from '../../lib/dataset/taxonomy-table.ts';
import { taxonomyUnits } from '../../tasks/rules/taxonomies.ts';
import { roots } from '../marketplace/taxonomy.ts';
import { Rig, withRig } from '../rig.ts';
import type { Ended } from '../rig.ts';

const TREE = /\/seller-taxonomy\/nodes$/;

function below(nodes: typeof roots): Category[] {
  return nodes.flatMap(({ id, parent_id, name, children }) => [
    { id, parentId: parent_id, name },
    ...below(children),
  ]);
}
const all = below(roots);
const known = new Taxonomy(all, 1_787_000_000);

describe('what a name means', () => {
  it('is the category that is called so, however it is written', () => {
    for (const text of ['Dining Chairs', 'dining chairs', '  DINING   Chairs ']) {
      assert.deepEqual(known.find(text), [975], text);
    }
    for (const text of [
      'Beds & Headboards',
      'beds and headboards',
      'Beds&Headboards',
      'BEDS  AND headboards',
    ]) {
      assert.deepEqual(known.find(text), [969], text);
    }
    for (const text of ['', ' ', '>', 'Dining', 'Dining Chair', '975'])
      assert.deepEqual(known.find(text), [], text);
  });

  it('is several where several are called so; a path tells them apart, with or without what lies between', () => {
    assert.deepEqual(known.find('Steps & Stools'), [971, 987]);
    assert.deepEqual(known.find('Bedroom Furniture > Steps & Stools'), [971]);
    assert.deepEqual(known.find("home and living>furniture>kids' furniture>steps and stools"), [987]);
    assert.deepEqual(known.find('Furniture > Steps & Stools'), [971, 987]);
    assert.deepEqual(known.find('Furniture > Benches'), [12369]);
    assert.deepEqual(known.find('Benches > Furniture'), []);
    assert.deepEqual(known.find('Benches > Benches'), []);
  });

  it('is for every category found again by its whole path, and by its shortest', () => {
    for (const { id } of all) {
      assert.deepEqual(known.find(known.pathOf(id)), [id]);
      assert.deepEqual(known.find(known.shortestOf(id)), [id]);
    }
  });

  it('is the one that a whole path leads to, though it fits one below as well', () => {
    const tree = new Taxonomy(
      [
        { id: 1, parentId: null, name: 'Home' },
        { id: 2, parentId: 1, name: 'Chairs' },
        { id: 3, parentId: 1, name: 'Garden' },
        { id: 4, parentId: 3, name: 'Chairs' },
        { id: 5, parentId: 4, name: 'Chairs' },
      ],
      0,
    );
    assert.deepEqual(tree.find('Chairs'), [2, 4, 5]);
    assert.deepEqual(tree.find('Home > Chairs'), [2]);
    assert.deepEqual(tree.find('Garden > Chairs'), [4, 5]);
    assert.deepEqual(
      [2, 4, 5].map((id) => tree.shortestOf(id)),
      ['Home > Chairs', 'Home > Garden > Chairs', 'Chairs > Chairs'],
    );
  });

  it('never is a category that no part of the text names', () => {
    const word = fc.constantFrom(...all.map(({ name }) => name), 'Sofas', '', ' ');
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), (words) => {
        for (const id of known.find(words.join(' > '))) assert.equal(known.nameOf(id), words.at(-1));
      }),
    );
  });

  it('is nobody’s before the tree was fetched; then ids of furniture are known all the same', () => {
    const empty = new Taxonomy([], undefined);
    assert.deepEqual(empty.find('Dining Chairs'), []);
    assert.deepEqual([empty.has(975), empty.has(9670)], [true, false]);
    assert.deepEqual([empty.nameOf(975), empty.nameOf(9670)], ['Dining Chairs', 'Taxonomy 9670']);
    assert.equal(new Taxonomy([{ id: 1, parentId: null, name: 'Art' }], 0).has(975), false);
    // The list at hand is the tree's.
    for (const { id, name, parentId } of all.filter((category) => category.id !== 891)) {
      assert.equal(empty.nameOf(id), name);
      assert.equal(empty.parentOf(id), id === 967 ? null : parentId);
    }
  });
});

it('what means nothing is told with what is near: in a path, by a part of the name, with the path where names are shared', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'taxonomy-'));
  const database = await Database.open(join(folder, 'test.db'));
  t.after(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  await migrate(database);
  await database.write((tx) => replaceTaxonomy(tx, all, 1_787_000_000));
  const suggestion = async (text: string): Promise<string | undefined> => {
    const error: unknown = await taxonomyUnits([text], database.read).catch((reason: unknown) => reason);
    assert.ok(error instanceof OptionMistakes);
    assert.deepEqual(
      error.mistakes.map(({ path }) => path),
      [['taxonomies', 0]],
    );
    return /^Etsy has no category ".+?"(?: \(did you mean (.+)\?\))?, expected the id or the name of one$/.exec(
      error.message,
    )?.[1];
  };
  assert.equal(await suggestion('Furniture > Bnches'), '"Benches" (12369)');
  assert.equal(
    await suggestion('Steps & Stolls'),
    '"Bedroom Furniture > Steps & Stools" (971) or "Kids\' Furniture > Steps & Stools" (987)',
  );
  assert.equal(await suggestion('Poufs'), '"Ottomans & Poufs" (12468)');
  assert.equal(await suggestion('Living Room Furniture > Dining Chairs'), '"Dining Chairs" (975)');
  assert.match(
    (await suggestion('Table')) ?? '',
    /^"End Tables" \(12372\) or "Coffee Tables" \(12371\) or "Vanity Tables" \(12470\) or /,
  );
  assert.equal(await suggestion('Sofas'), undefined);
  assert.equal(await suggestion('Furniture >'), '"Furniture" (967)');
});

it('a node of the tree has the fields that Etsy says, and is refused without id or name', () => {
  const node: Required<Pick<ISellerTaxonomyNode, keyof TaxonomyNode>> = { id: 1, name: 'Art', children: [] };
  assert.deepEqual(taxonomyNode.parse({ ...node, level: 1, parent_id: null }), node);
  assert.equal(taxonomyNode.safeParse({ ...node, children: [{ id: 2 }] }).success, false);
  assert.equal(taxonomyNode.safeParse({ ...node, id: '1' }).success, false);
});

const MARKET = {
  categories: { 12371: { listings: 60 }, 12372: { listings: 130 }, 971: { listings: 10 } },
  shops: 20,
  reviews: { perShop: 5 },
};

/** Writes `taxonomies: [...]` as a person would. */
async function write(rig: Rig, taxonomies: string): Promise<void> {
  const text = await readFile(rig.path('pipeline.yaml'), 'utf8');
  await writeFile(
    rig.path('pipeline.yaml'),
    text.replace(/taxonomies: \[.*\]/, `taxonomies: [${taxonomies}]`),
  );
}

describe('names in pipeline.yaml', () => {
  let market: Rig;
  let rig: Rig;
  before(async () => {
    market = await Rig.open({ market: MARKET });
  });
  beforeEach(async () => {
    await rig?.close();
    await market.market.setFaults({});
    await market.market.resetRequests();
    rig = await Rig.open({ beside: market, withoutImages: true });
  });
  after(async () => {
    await rig?.close();
    await market.close();
  });

  /** Starts with these taxonomies. */
  async function start(taxonomies: string, stage?: string): Promise<Ended> {
    await write(rig, taxonomies);
    return rig.run(stage === undefined ? {} : { stage });
  }

  async function units(): Promise<string[]> {
    const rows = await rig.rows<{ unit: string }>("SELECT DISTINCT unit FROM units WHERE stage = 'crawl'");
    return rows.map(({ unit }) => unit);
  }

  const treesAsked = async (): Promise<number> => (await rig.requests(TREE)).length;

  it('are looked up with one request a month, in the ledger of the run', async () => {
    const { code, stdout } = await start('coffee tables, Living Room Furniture > End Tables, 971');
    assert.equal(code, 0, rig.transcript);
    assert.match(stdout, /^\S+ crawl 12371 Coffee Tables: finished, 60 listings$/m);
    assert.match(stdout, /^\S+ crawl 971 Steps & Stools: finished, 10 listings$/m);
    assert.deepEqual((await units()).toSorted(), ['12371', '12372', '971']);
    assert.equal(
      await rig.number(
        "SELECT count(*) AS n FROM ledger WHERE endpoint = 'seller-taxonomy/nodes' AND run_id = 1 AND status = 200",
      ),
      1,
    );
    assert.equal(await rig.number('SELECT count(*) AS n FROM taxonomy'), all.length);
    const [row] = await rig.rows('SELECT * FROM taxonomy WHERE taxonomy_id = 12371');
    assert.deepEqual(
      { ...(row as object), fetched_at: 0 },
      { taxonomy_id: 12371, parent_id: 993, name: 'Coffee Tables', fetched_at: 0 },
    );

    for (const trees of [1, 2]) {
      await rig.advance(20);
      assert.equal((await rig.run()).code, 0);
      assert.equal(await treesAsked(), trees);
    }
  });

  it('mean the ids they stand for: a checkpoint of the one goes on under the other', async () => {
    await rig.market.setFaults({
      script: [{ path: 'listings/active.*taxonomy_id=12372', fault: 'stall' }],
      api: { stallMs: 600 },
    });
    await write(rig, '12371, 12372');
    const command = rig.start();
    await rig.arrived(command, 1, /listings\/active/);
    await command.shows(/crawl 12372 End Tables: started/);
    await rig.touchKill();
    assert.equal((await command.ended).code, 75);
    const read = (await rig.requests(/listings\/active$/)).length;

    await rig.market.setFaults({});
    const { code, stdout } = await start('End Tables, Coffee Tables');
    assert.equal(code, 0, rig.transcript);
    assert.match(stdout, /^Finished in .+ \(resumed\)\.$/m);
    assert.doesNotMatch(stdout, /crawl 12371 Coffee Tables: started/);
    assert.deepEqual((await units()).toSorted(), ['12371', '12372']);
    const again = (await rig.requests(/listings\/active$/)).slice(read).map(({ query }) => query);
    assert.deepEqual(
      again.filter((query) => query.includes('taxonomy_id=12371')),
      [],
    );
  });

  it('that mean nothing, several, or what is named already are told in their place, all at once', async () => {
    const { code, stdout, stderr } = await start(
      '12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas',
    );
    assert.equal(code, 2);
    assert.equal(
      stderr,
      [
        'pipeline.yaml:11:33 stages[0].with.taxonomies[1]: Coffee Tables (12371) is named twice, expected each category once',
        '        with: { taxonomies: [12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas] }',
        '                                    ~~~~~~~~~~~~~~',
        '  the first is at pipeline.yaml:11:26',
        '        with: { taxonomies: [12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas] }',
        '                             ~~~~~',
        '',
        'pipeline.yaml:11:49 stages[0].with.taxonomies[2]: Etsy has no category "Dinning Chairs" (did you mean "Dining Chairs" (975)?), expected the id or the name of one',
        '        with: { taxonomies: [12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas] }',
        '                                                    ~~~~~~~~~~~~~~',
        '',
        'pipeline.yaml:11:65 stages[0].with.taxonomies[3]: 2 categories are called "Steps & Stools": Home & Living > Furniture > Bedroom Furniture > Steps & Stools (971), Home & Living > Furniture > Kids\' Furniture > Steps & Stools (987), expected an id, or a path such as Bedroom Furniture > Steps & Stools',
        '        with: { taxonomies: [12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas] }',
        '                                                                    ~~~~~~~~~~~~~~',
        '',
        'pipeline.yaml:11:81 stages[0].with.taxonomies[4]: Etsy has no category 9670, expected the id or the name of one',
        '        with: { taxonomies: [12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas] }',
        '                                                                                    ~~~~',
        '',
        'pipeline.yaml:11:87 stages[0].with.taxonomies[5]: Etsy has no category "Sofas", expected the id or the name of one',
        '        with: { taxonomies: [12371, coffee  tables, Dinning Chairs, Steps & Stools, 9670, Sofas] }',
        '                                                                                          ~~~~~',
        'No stage has been started. Correct pipeline.yaml and start again.',
        '',
      ].join('\n'),
    );
    assert.doesNotMatch(stdout, /crawl/);
    assert.equal((await rig.requests()).length, 1, 'the tree, and nothing else');
    assert.equal(await rig.number('SELECT count(*) AS n FROM ledger WHERE status = 200'), 1);
  });

  it('that the tree does not have are asked for again once it is a day old', async () => {
    assert.equal((await start('Sofas')).code, 2);
    assert.equal((await start('Sofas')).code, 2);
    assert.equal(await treesAsked(), 1);
    await rig.advance(2);
    assert.equal((await start('Sofas')).code, 2);
    assert.equal(await treesAsked(), 2);
    assert.equal((await start('Coffee Tables')).code, 0);
    assert.equal(await treesAsked(), 2);
  });

  it('cost another stage nothing, though they mean nothing', async () => {
    for (const stage of ['reviews', 'reconcile']) {
      assert.equal((await start('Sofas', stage)).code, 0, rig.transcript);
    }
    assert.equal((await rig.requests()).length, 0);
    // Nor inside a run that is under way, of which crawl is a part.
    await rig.configure({});
    await rig.market.setFaults({ api: { latency: { min: 100, max: 100 } } });
    const command = rig.start();
    // The names of the categories are asked for once a search was answered.
    await rig.arrived(command, 1, TREE);
    await rig.touchKill();
    assert.equal((await command.ended).code, 75);
    await rig.market.resetRequests();
    for (const stage of ['reconcile', 'reviews']) {
      assert.equal((await start('Sofas', stage)).code, 0, rig.transcript);
    }
    assert.equal((await start('Sofas', 'crawl')).code, 2);
    assert.equal(await treesAsked(), 0, 'the tree is not a day old');
  });

  it('twice in the same words, or a number in quotes, are told before anything is asked', async () => {
    const { code, stderr } = await start('Sofas, "975", Sofas, 7, 7');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /taxonomies\[1\]: found "975", expected the id or the name of a category, such as 975 or Dining Chairs\n/,
    );
    assert.equal(
      (await start('Sofas, Sofas, 7, 7')).stderr.match(/taxonomies\[[13]\]: (Sofas|7) is named twice/g)
        ?.length,
      2,
    );
    assert.equal((await rig.requests()).length, 0);
  });

  it('wait for a tree that comes whole', async () => {
    await rig.market.setFaults({ script: [{ path: 'seller-taxonomy', fault: 'wrongShape', times: 3 }] });
    assert.equal((await start('Coffee Tables')).code, 0, rig.transcript);
    assert.equal(await treesAsked(), 4);
  });

  it('fail the stage where the tree cannot be had; it is asked for again at the next start', async () => {
    await rig.market.setFaults({ script: [{ path: 'seller-taxonomy', fault: 'missing', times: 9 }] });
    const { code, stdout, stderr } = await start('Coffee Tables');
    assert.equal(code, 1);
    assert.equal(stderr, '');
    assert.match(stdout, /^Stage crawl failed:\n {2}seller-taxonomy\/nodes: HTTP 404: Resource not found$/m);
    assert.equal((await rig.requests()).length, await treesAsked());
    await rig.market.setFaults({});
    assert.equal((await start('Coffee Tables')).code, 0);
  });

  it('can be stopped at while the tree is waited for', async () => {
    await rig.market.setFaults({ script: [{ path: 'seller-taxonomy', fault: 'error503', times: 100 }] });
    await write(rig, 'Coffee Tables');
    const command = rig.start();
    await rig.arrived(command, 2, TREE);
    await rig.touchKill();
    const { code, stdout } = await command.ended;
    assert.equal(code, 75);
    assert.match(stdout, /^Stopped after .+: the KILL file was found\.$/m);
    await rig.market.setFaults({});
    assert.equal((await rig.run()).code, 0);
  });
});

describe('ids in pipeline.yaml', () => {
  it('fetch the names once a month; others are looked up, and refused where Etsy has none', () =>
    withRig({ market: MARKET, withoutImages: true }, async (rig) => {
      await write(rig, '12371');
      assert.equal((await rig.run()).code, 0);
      assert.equal((await rig.requests(TREE)).length, 1);
      assert.equal(await rig.number('SELECT count(*) AS n FROM taxonomy'), all.length);
      await write(rig, '12371, 891');
      assert.equal((await rig.run()).code, 0);
      assert.equal((await rig.requests(TREE)).length, 1);
      await rig.market.resetRequests();
      await write(rig, '12371, 9670');
      const { code, stderr } = await rig.run();
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^pipeline\.yaml:11:33 stages\[0\]\.with\.taxonomies\[1\]: Etsy has no category 9670,/,
      );
      assert.equal((await rig.requests()).length, 0, 'the tree is not a day old');
    }));

  it('need no names: where they cannot be had the run finishes, and they are asked for in the next one', () =>
    withRig({ market: MARKET, withoutImages: true }, async (rig) => {
      await write(rig, '12371');
      await rig.market.setFaults({ script: [{ path: 'seller-taxonomy', fault: 'error503', times: 1000 }] });
      assert.equal((await rig.run()).code, 0, rig.transcript);
      assert.match(rig.transcript, /Odd in this run:[^]*the names of categories could not be had/);
      assert.equal(await rig.number('SELECT count(*) AS n FROM set_aside'), 0, 'the names are no record');
      await rig.market.setFaults({});
      assert.equal((await rig.run({ stage: 'crawl' })).code, 0, rig.transcript);
      assert.equal(await rig.number('SELECT count(*) AS n FROM taxonomy'), all.length);
    }));
});
