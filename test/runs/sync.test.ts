import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { added, compareWithTruth, differences } from '../dump.ts';
import type { Allowed, Dump } from '../dump.ts';
import type { ImageService, MarketplaceOptions } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';
import type { Rig, RigOptions } from '../rig.ts';

const SEARCH = /\/listings\/active$/;
const REVIEWS = /\/shops\/\d+\/reviews$/;

const plain = { badImages: {}, reviews: { perShop: 15 } } satisfies MarketplaceOptions;

async function finish(rig: Rig): Promise<Dump> {
  const { code, stdout, stderr } = await rig.run();
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^Finished in /m);
  return rig.dump();
}

async function isInStep(rig: Rig, dump: Dump, allowed: Allowed = {}): Promise<void> {
  assert.deepEqual(compareWithTruth(dump, await rig.truth(), allowed).slice(0, 20), []);
}

describe('a whole run', () => {
  const worlds: Record<string, RigOptions> = {
    'with images': { market: { ...plain, seed: 11 } },
    'without views on the pages': {
      market: { ...plain, seed: 12, viewsOnPages: false },
      withoutImages: true,
    },
    'where the batch shows active listings only': {
      market: { ...plain, seed: 13, batchReturnsInactive: false },
      withoutImages: true,
    },
    'where sorting needs keywords, the end is an empty page, and answers are gzipped': {
      market: { ...plain, seed: 14, sortNeedsKeywords: true, pastTheEnd: 'empty', compress: true },
      withoutImages: true,
    },
    'of a category that includes others': {
      market: { ...plain, seed: 15 },
      taxonomies: [989],
      withoutImages: true,
    },
  };
  for (const [name, options] of Object.entries(worlds)) {
    it(`${name} equals the truth`, async () => {
      await withRig(options, async (rig) => {
        const dump = await finish(rig);
        await isInStep(rig, dump, options);
        const truth = await rig.truth();
        const since = truth.listings.filter((listing) => listing.since2000);
        // And nothing else than the truth.
        assert.equal(Object.keys(dump.json).length, truth.listings.length);
        assert.equal(Object.keys(dump.listings).length, since.length);
        assert.equal(Object.keys(dump.shops).length, truth.shops.length);
        assert.equal(Object.keys(dump.reviews).length, Object.values(truth.reviews).flat().length);
        for (const table of [dump.listings_dynamic, dump.shops_dynamic, dump.reviews]) {
          assert.deepEqual(
            Object.values(table).filter((rows) => rows.length !== 1),
            [],
          );
        }
        assert.deepEqual(Object.keys(dump.open_findings), []);
      });
    });
  }

  it('keeps every field as Etsy shows it', async () => {
    const market = { ...plain, categories: { 12371: { listings: 250 }, 12372: { listings: 350 } } };
    await withRig({ market, withoutImages: true }, async (rig) => {
      const dump = await finish(rig);
      const ids = Object.keys(dump.listings);
      let odd = 0;
      for (let at = 0; at < ids.length; at += 100) {
        for (const shown of await ask(rig, ids.slice(at, at + 100))) {
          const [row] = dump.listings[String(shown['listing_id'])] ?? [];
          for (const [column, value] of Object.entries(row ?? {})) {
            if (column.startsWith('price_')) continue;
            assert.deepEqual(
              value,
              stored(shown[column]),
              `${column} of listing ${String(shown['listing_id'])}`,
            );
          }
          const shop = shown['shop'] as Record<string, unknown>;
          for (const [column, value] of Object.entries(dump.shops[String(shop['shop_id'])]?.[0] ?? {})) {
            assert.deepEqual(value, stored(shop[column]), `${column} of shop ${String(shop['shop_id'])}`);
          }
          if (
            /&\w+;|\p{Emoji_Presentation}|\uFFFC/u.test(
              `${String(shown['title'])}${String(shown['description'])}`,
            )
          )
            odd += 1;
        }
      }
      assert.ok(odd > 0, 'the world has no awkward texts');
      const divisors = new Set(Object.values(dump.listings).map(([row]) => row?.['price_divisor']));
      assert.deepEqual(divisors, new Set([100, 1]));
    });
  });
});

it('a second run at once asks for the search pages and nothing else', async () => {
  await withRig({ market: { ...plain, viewsOnPages: false } }, async (rig) => {
    const first = await finish(rig);
    const pages = (await rig.requests(SEARCH)).length;
    const written = await stat(rig.path('images', Object.keys(first.images)[0] ?? ''));
    await rig.market.resetRequests();

    const second = await finish(rig);
    assert.deepEqual(await rig.market.counts(), { '/v3/application/listings/active': pages });
    assert.deepEqual(differences(first, second), []);
    assert.equal(
      (await stat(rig.path('images', Object.keys(first.images)[0] ?? ''))).mtimeMs,
      written.mtimeMs,
    );
  });
});

it('bad images are recorded with a reason; a second run tries again those that the CDN may have', async () => {
  const faults: Record<string, RegExp> = {
    missing: /^HTTP 404$/,
    tiny: /^labelled JPEG but is not one$/,
    html: /^not a JPEG but text\/html$/,
    truncated: /./,
    huge: /larger than the 20 MB|more than the 20 MB/,
    elsewhere:
      /^https:\/\/pictures\.example\.invalid is not among the hosts of pipeline\.yaml \(127\.0\.0\.1\)$/,
  };
  await withRig({ market: plain }, async (rig) => {
    const pictured = (await rig.truth()).listings.filter((listing) => listing.since2000 && listing.image);
    const chosen = Object.keys(faults).map((fault, index) => ({
      fault,
      id: pictured[index]?.listing_id ?? 0,
    }));
    for (const { fault, id } of chosen) await rig.market.setImage(id, fault as ImageService);
    const first = await finish(rig);
    await isInStep(rig, first);
    for (const { fault, id } of chosen) {
      const record = first.image_records[id]?.[0];
      assert.equal(record?.['state'], fault === 'missing' ? 'missing' : 'failed', fault);
      assert.match(String(record['reason']), faults[fault] ?? /^$/, fault);
    }
    assert.equal((await rig.requests(/example/, 'cdn')).length, 0);

    const mendable = chosen.filter(({ fault }) => !['missing', 'elsewhere'].includes(fault));
    for (const { id } of mendable) await rig.market.setImage(id, 'jpeg');
    await rig.market.resetRequests();
    const second = await finish(rig);
    assert.equal((await rig.requests(/./, 'cdn')).length, mendable.length);
    assert.equal((await rig.requests()).length, (await rig.requests(SEARCH)).length);
    assert.equal(Object.keys(second.images).length, Object.keys(first.images).length + mendable.length);
    await isInStep(rig, second);
  });
});

describe('eight days later', () => {
  it('each listing and shop still offered gets one new row, twice in a row', async () => {
    await withRig({ market: { ...plain, seed: 21 } }, async (rig) => {
      let before = await finish(rig);
      for (const _round of [1, 2]) {
        await rig.advance(8);
        await rig.market.resetRequests();
        const now = await finish(rig);
        await isInStep(rig, now, { before });
        await oneNewRowEach(rig, before, now);
        await onlyNewReviews(rig, before);
        for (const [name, files] of Object.entries(before.images)) assert.deepEqual(now.images[name], files);
        before = now;
      }
    });
  });

  it('what is gone is marked once in seven days', async () => {
    await withRig({ market: plain, withoutImages: true }, async (rig) => {
      const first = await finish(rig);
      const ids = Object.keys(first.listings).map(Number);
      const [removed = 0, soldOut = 0, back = 0] = ids;
      await rig.market.removeListing(removed);
      await rig.market.removeListing(back);
      await rig.market.setState(soldOut, 'sold_out');
      await rig.advance(7.5);
      const second = await finish(rig);
      assert.equal(second.listings_dynamic[removed]?.at(-1)?.['state'], 'removed');
      assert.equal(second.listings_dynamic[soldOut]?.at(-1)?.['state'], 'sold_out');

      const third = await finish(rig);
      assert.deepEqual(differences(second, third), []);
      await rig.market.setState(back, 'active');
      const fourth = await finish(rig);
      assert.deepEqual(
        fourth.listings_dynamic[back]?.map((row) => row['state']),
        ['active', 'removed', 'active'],
      );
    });
  });
});

async function oneNewRowEach(rig: Rig, before: Dump, now: Dump): Promise<void> {
  const truth = await rig.truth();
  const offered = new Map(truth.listings.map((listing) => [String(listing.listing_id), listing]));
  const rows = added(before.listings_dynamic, now.listings_dynamic);
  const fresh = Object.keys(now.listings).filter((id) => !before.listings[id]);
  assert.ok(fresh.length > 0, 'no listing is new');
  // Known or new, offered or gone: each has been looked at once.
  assert.deepEqual(new Set(Object.values(rows)), new Set([1]));
  const gone = Object.keys(before.listings).filter((id) => !offered.has(id));
  assert.ok(gone.length > 0, 'no listing is gone');
  for (const id of [...offered.keys()].filter((id) => offered.get(id)?.since2000))
    assert.equal(rows[id], 1, id);
  for (const id of gone) {
    const is = (await rig.market.listing(Number(id)))?.state;
    assert.equal(now.listings_dynamic[id]?.at(-1)?.['state'], is, `state of listing ${id}`);
    assert.ok(rows[id] === 1 || before.listings_dynamic[id]?.at(-1)?.['state'] === 'removed', id);
  }
  const shops = added(before.shops_dynamic, now.shops_dynamic);
  for (const id of truth.shops) assert.equal(shops[id], 1, `rows of shop ${id}`);
  assert.deepEqual(new Set(Object.values(shops)), new Set([1]));
  assert.ok(Object.values(added(before.shops, now.shops)).every((count) => count === 1));
}

/** One page for a shop that has news, newest first, and nothing for the others. */
async function onlyNewReviews(rig: Rig, before: Dump): Promise<void> {
  const asked = await rig.requests(REVIEWS);
  assert.ok(asked.length > 0);
  for (const { query } of asked) {
    const params = new URLSearchParams(query);
    assert.deepEqual([params.get('min_created'), params.get('offset')], [null, '0']);
  }
  assert.equal(new Set(asked.map(({ path }) => path)).size, asked.length);
  assert.ok(asked.length < Object.keys(before.shops).length, 'shops without news were asked for');
}

async function ask(rig: Rig, ids: readonly string[]): Promise<Record<string, unknown>[]> {
  const url = `${rig.market.apiUrl}/listings/batch?listing_ids=${ids.join(',')}&includes=Shop`;
  const answer = await fetch(url, { headers: { 'x-api-key': rig.market.key } });
  return ((await answer.json()) as { results: Record<string, unknown>[] }).results;
}

/** As SQLite has it. */
function stored(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value ?? null);
}
