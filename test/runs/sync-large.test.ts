import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareWithTruth } from '../dump.ts';
import type { MarketplaceOptions, Truth } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';
import type { Rig, RigOptions } from '../rig.ts';

const LISTINGS = 14_000;
const AT_ONE_PRICE = 12_500;
/** Of one price, 12,100 can be reached from either end. */
const REACH = 12_100;

const large: RigOptions = {
  taxonomies: [12371],
  withoutImages: true,
  market: {
    categories: {
      12371: { listings: LISTINGS, cluster: { cents: 19_900, listings: AT_ONE_PRICE } },
    },
    shops: 120,
    reviews: { perShop: 3 },
  },
};

async function finish(rig: Rig): Promise<Truth> {
  const { code, stderr } = await rig.run();
  assert.equal(stderr, '');
  assert.equal(code, 0);
  return rig.truth();
}

/** Pages of a hundred, and batches of a hundred of what was made since: no listing can be had with fewer. */
async function fewRequests(rig: Rig, { listings }: Truth): Promise<void> {
  const since = listings.filter((listing) => listing.since2000).length;
  const least = Math.ceil(listings.length / 100) + Math.ceil(since / 100);
  const made = (await rig.requests(/\/listings\//)).length;
  assert.ok(made <= least * 1.03, `${made} requests, where ${least} are the least`);
}

it('a category of 14,000 listings, 12,500 of them at one price, is covered completely', async () => {
  await withRig(large, async (rig) => {
    const truth = await finish(rig);
    const dump = await rig.dump();
    assert.deepEqual(compareWithTruth(dump, truth, { withoutImages: true }).slice(0, 20), []);
    assert.deepEqual(dump.open_findings, {});
    await fewRequests(rig, truth);
  });
});

it('where the search cannot be turned round, verify names the price and how many are out of reach', async () => {
  const market: MarketplaceOptions = { ...large.market, sortNeedsKeywords: true };
  await withRig({ ...large, market }, async (rig) => {
    const truth = await finish(rig);
    const dump = await rig.dump();
    const atOnePrice = await countAt(rig, 199);
    assert.ok(atOnePrice >= AT_ONE_PRICE);
    assert.deepEqual(dump.open_findings, {
      'unseen-listings taxonomy 12371 (Coffee Tables), at 199.00': [
        { detail: `Etsy counted ${atOnePrice}, seen ${REACH}: ${atOnePrice - REACH} missing` },
      ],
    });
    assert.equal(Object.keys(dump.json).length, LISTINGS - (atOnePrice - REACH));
    // What could be reached is as it should be.
    const reached = { ...truth, listings: truth.listings.filter((listing) => dump.json[listing.listing_id]) };
    assert.deepEqual(compareWithTruth(dump, reached, { withoutImages: true }).slice(0, 20), []);
    await fewRequests(rig, truth);
  });
});

it('every review of a shop with more than the offsets reach is there once', async () => {
  const market: MarketplaceOptions = { reviews: { perShop: 8, big: { shop: 3, count: 13_200 } } };
  await withRig({ market, withoutImages: true }, async (rig) => {
    const truth = await finish(rig);
    const shop = await rig.market.shopId(3);
    assert.ok((truth.reviews[shop]?.length ?? 0) >= 13_200);
    assert.deepEqual(compareWithTruth(await rig.dump(), truth, { withoutImages: true }).slice(0, 20), []);
    const least = Math.ceil((truth.reviews[shop]?.length ?? 0) / 100);
    const pages = (await rig.requests(new RegExp(`/shops/${shop}/reviews$`))).length;
    assert.ok(pages <= least + 1, `${pages} pages, where ${least} are the least`);
  });
});

async function countAt(rig: Rig, price: number): Promise<number> {
  const query = `taxonomy_id=12371&limit=1&min_price=${price}&max_price=${price}`;
  const answer = await fetch(`${rig.market.apiUrl}/listings/active?${query}`, {
    headers: { 'x-api-key': rig.market.key },
  });
  const { count } = (await answer.json()) as { count: number };
  return count;
}
