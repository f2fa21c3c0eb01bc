import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../lib/errors.ts';
import { asked } from '../lib/search/asked.ts';
import { fuse } from '../lib/search/fuse.ts';
import { printed } from '../lib/search/print.ts';
import { shaped } from '../lib/search/shape.ts';
import { hitsIn, termsOf } from '../lib/search/words.ts';
import { SearchRig } from './search-rig.ts';

const EAST = [9, 1, 0, 0, 0, 0, 0, 1];
const NORTH = [0, 0, 9, 1, 1, 0, 0, 0];
const NORTH_EAST = [6, 1, 6, 1, 1, 0, 0, 1];

const PIECES = [
  { id: 3000000001, title: 'Oak side table', looks: EAST, price: 12_000, shop: 7 },
  { id: 3000000002, title: 'Walnut desk', looks: NORTH, taxonomy: 1001, price: 90_000, shop: 8 },
  { id: 3000000003, title: 'Side tables of oak &amp; pine', looks: NORTH_EAST, price: 4000, made: '1990s' },
  { id: 3000000004, title: 'Chair', materials: ['oak'], state: 'removed', picture: 'a'.repeat(64) },
  { id: 3000000005, title: 'Chair again', picture: 'a'.repeat(64), shop: 9, url: 'javascript:alert(1)' },
];

describe('a search', () => {
  let rig: SearchRig;
  before(async () => (rig = await SearchRig.open(PIECES)));
  after(() => rig.close());
  const like = (...listings: number[]) => ({ words: '', listings, pictures: [] });

  it('finds words in title and materials, those with all of them first, singular or plural', async () => {
    assert.deepEqual((await rig.ids('oak side tables')).slice(0, 2).toSorted(), [3000000001, 3000000003]);
    assert.deepEqual(new Set(await rig.ids('oak')), new Set([3000000001, 3000000003, 3000000004]));
    assert.deepEqual(await rig.ids('sofa'), []);
  });

  it('finds what looks alike, nearest first, without what was asked with', async () => {
    assert.deepEqual(await rig.ids(like(3000000001)), [3000000003, 3000000002]);
    assert.deepEqual(
      await rig.ids({ ...like(3000000003), lessLike: [3000000001] }),
      [3000000002, 3000000001],
    );
  });

  it('fuses words and looks, and says why each was found', async () => {
    const { results, spaces } = await rig.engine.ask({ ...like(3000000001), words: 'desk' });
    assert.deepEqual(spaces, ['words', 'baseline']);
    assert.equal(results[0]?.listing.listing_id, 3000000002);
    assert.match(results[0].why.join('; '), /^words: desk; looks 0\.\d{3} \(baseline\)$/);
  });

  it('keeps to filters: category with what is below, price, state, made, shop’s country', async () => {
    const filtered = (filters: object) => rig.ids({ words: '', listings: [], pictures: [], filters });
    assert.deepEqual(await filtered({ category: 973 }), [3000000005, 3000000004, 3000000003, 3000000001]);
    assert.deepEqual(
      await filtered({ category: 967, from: 100, to: 200 }),
      [3000000005, 3000000004, 3000000001],
    );
    assert.deepEqual(await filtered({ onSale: false }), [3000000004]);
    assert.deepEqual(await filtered({ made: '1990s' }), [3000000003]);
    assert.deepEqual(await filtered({ country: 'US', currency: 'EUR' }), []);
    assert.deepEqual(await rig.ids({ ...like(3000000001), filters: { category: 1001 } }), [3000000002]);
    assert.deepEqual(
      await rig.ids({ words: 'oak', listings: [], pictures: [], filters: { to: 50 } }),
      [3000000003],
    );
  });

  it('orders by price and by what is newest where that is asked', async () => {
    const all = { words: 'oak desk chair', listings: [], pictures: [] };
    assert.equal((await rig.ids({ ...all, sort: 'cheap' }))[0], 3000000003);
    assert.equal((await rig.ids({ ...all, sort: 'dear' }))[0], 3000000002);
    assert.equal((await rig.ids({ ...all, sort: 'new' }))[0], 3000000005);
  });

  it('knows the same picture elsewhere', async () => {
    const { results } = await rig.engine.ask({ words: 'again', listings: [], pictures: [] });
    const found = results[0] ? await rig.engine.samePicture(results[0].listing) : [];
    assert.deepEqual(
      found.map((one) => one.listing.listing_id),
      [3000000004],
    );
  });

  it('says what it could not use, and answers with the rest', async () => {
    const { results, notes } = await rig.engine.ask({ ...like(9999999999), words: 'oak' });
    assert.ok(results.length > 0);
    assert.deepEqual(notes, ['listing 9999999999 has no picture here']);
  });

  it('takes no word for the language of the full-text search', async () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        '"',
        'title:oak',
        'oak NEAR table',
        '* OR *',
        'a" OR "b',
        '-oak',
        '{oak}',
        '^oak',
        "'; DROP TABLE x",
      ),
    );
    await fc.assert(
      fc.asyncProperty(nasty, async (words) => {
        await rig.ids(words);
      }),
      { numRuns: 60 },
    );
  });

  it('prints a table that fits, with links in a terminal and addresses in a pipe', async () => {
    const answer = await rig.engine.ask({ words: 'oak chair', listings: [], pictures: [] });
    for (const width of [60, 80, 140]) {
      const piped = printed(answer, { width, isTerminal: false });
      assert.match(piped, /^\d+ of \d+ found$/m);
      assert.match(piped, /https:\/\/www\.etsy\.com\/listing\/3000000001/);
      assert.doesNotMatch(piped, /javascript|\u001b/);
      assert.match(printed(answer, { width, isTerminal: true }), /\u001b\]8;;https:\/\/www\.etsy\.com/);
    }
  });

  it('has the shape for programs that is promised', async () => {
    const answer = await rig.engine.ask({ words: 'side', listings: [], pictures: [] });
    const folder = rig.folder;
    const { query, spaces, results } = shaped(answer, {
      cwd: folder,
      images: join(folder, 'images'),
      cutouts: join(folder, 'cutouts'),
    });
    assert.deepEqual(query, { words: 'side', listings: [], pictures: [] });
    assert.deepEqual(spaces, ['words']);
    assert.deepEqual(Object.keys(results[0] ?? {}), [
      'rank',
      'listing_id',
      'score',
      'why',
      'title',
      'price',
      'currency',
      'shop_id',
      'state',
      'url',
      'image',
      'cutout',
    ]);
    const pine = results.find(({ listing_id }) => listing_id === 3000000003);
    assert.deepEqual(
      [pine?.title, pine?.price, pine?.image],
      ['Side tables of oak & pine', 40, 'images/3000000003.jpg'],
    );
  });
});

describe('what is asked', () => {
  it('is a listing’s id, a picture’s file, or words', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'asked-'));
    try {
      await writeFile(join(folder, 'my chair.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
      await writeFile(join(folder, 'no.png'), 'text');
      const found = await asked(['oak', 'table 120', '1234567890', 'my chair.jpg'], folder);
      assert.deepEqual(
        [found.words, found.listings, found.pictures.map(({ name }) => name)],
        ['oak table 120', [1234567890], ['my chair.jpg']],
      );
      for (const [name, why] of [
        ['gone.jpg', /^gone\.jpg: no such file$/],
        ['no.png', /^no\.png: not a JPEG, PNG or WebP picture$/],
      ] as const)
        await assert.rejects(
          asked([name], folder),
          (error) => error instanceof UserError && why.test(error.message),
        );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is cut into terms that begin words, each once', () => {
    assert.deepEqual(termsOf('Oak tables, OAK glass "x" — Möbel'), ['oak', 'table', 'glass', 'x', 'möbel']);
    assert.deepEqual(hitsIn(['oak', 'tab', 'sofa'], 'A Table of OAK'), ['oak', 'tab']);
  });
});

it('ranks are fused whatever their scales: high in several lists is first, and each id is there once', () => {
  assert.deepEqual(fuse([]), []);
  const list = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), (lists) => {
      const found = fuse(lists.map((hits) => ({ hits })));
      assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(lists.flat()));
      assert.equal(new Set(found.map(({ id }) => id)).size, found.length);
      assert.ok(
        found.every(
          ({ score }, at) => score > 0 && score <= 1 + 1e-9 && score <= (found[at - 1]?.score ?? 2),
        ),
      );
      const first = lists[0]?.[0];
      if (first !== undefined && lists.every(([one]) => one === first)) assert.equal(found[0]?.id, first);
    }),
  );
});
