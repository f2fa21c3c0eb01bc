import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EtsyApi } from '../lib/etsy/api.ts';
import type { Client } from '../lib/etsy/client.ts';
import { Database } from '../lib/store/database.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import {
  countSetAside,
  listingsToRetry,
  setAside,
  settleEndpoint,
  settleListings,
  settleShops,
  settleUnmet,
} from '../lib/dataset/set-aside.ts';

/** An API that gives this answer to everything. */
function apiThatSays(body: unknown): EtsyApi {
  const client: Pick<Client, 'get'> = {
    get: (_path, _query, accept) => Promise.resolve().then(() => accept(() => body)),
  };
  return new EtsyApi(client as Client);
}

const PRICE = { amount: 100, divisor: 100, currency_code: 'USD' };

describe('of an answer', () => {
  it('a listing that cannot be used is told with its id, where that can be read', async () => {
    const results = [
      { listing_id: 1, shop_id: 2, state: 'active', price: PRICE },
      { listing_id: 3, shop_id: null },
      { listing_id: 'four', shop_id: 2 },
      { listing_id: 5, shop_id: 2, state: 'active' },
      { listing_id: 6, shop_id: 2, state: 'sold_out' },
      null,
    ];
    const { good, rejected } = await apiThatSays({ count: 6, results }).batch([1, 2, 3, 4, 5, 6]);
    assert.deepEqual(
      good.map((listing) => listing.listing_id),
      [1, 6],
    );
    assert.deepEqual(
      rejected.map(({ listingId, reason }) => [listingId, reason.replace(/:.*/, '')]),
      [
        [3, 'shop_id'],
        [undefined, 'listing_id'],
        [5, 'price'],
        [undefined, 'record'],
      ],
    );
  });

  it('a shop or an image that cannot be used leaves the listing good, and names it', async () => {
    const shop = { shop_id: null, review_count: 5 };
    const images = [
      { listing_image_id: 7, rank: 1 },
      { listing_image_id: null, rank: 2 },
    ];
    const results = [{ listing_id: 1, shop_id: 2, shop, images }];
    const { good, rejected } = await apiThatSays({ count: 1, results }).batch([1]);
    assert.equal(good[0]?.shopRecord, undefined);
    assert.deepEqual(
      good[0]?.imageList?.map((image) => image.listing_image_id),
      [7],
    );
    assert.deepEqual(
      rejected.map(({ listingId }) => listingId),
      [1, 1],
    );
  });

  it('the images say nothing where the first may be the one that cannot be used', async () => {
    for (const [id, rank] of [
      [null, 1],
      [null, 0],
      [null, null],
      [null, 'first'],
      [8, 'first'],
    ]) {
      const images = [
        { listing_image_id: id, rank },
        { listing_image_id: 7, rank: 1 },
      ];
      const results = [{ listing_id: 1, shop_id: 2, images }];
      const { good } = await apiThatSays({ count: 1, results }).batch([1]);
      assert.equal(good[0]?.imageList, undefined, String(rank));
    }
  });

  it('a shop by itself is read as far as it can be; what is no shop, or another, is asked for once more', async () => {
    const odd = { shop_id: 2, review_average: 'good', review_count: '7' };
    assert.deepEqual(await apiThatSays(odd).shop(2), {
      good: [{ shop_id: 2, review_average: undefined, review_count: 7 }],
      rejected: [],
      misfits: [
        { field: 'review_average', example: '"good"', isRead: false },
        { field: 'review_count', example: '"7"', isRead: true },
      ],
    });
    for (const body of [[], null, { ok: true }, { shop_id: 3 }]) {
      await assert.rejects(apiThatSays(body).shop(2), { kind: 'body' });
    }
  });
});

describe('what was set aside', () => {
  const [FIRST, SECOND] = [1, 2];
  let folder: string;
  let database: Database;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sync-data-aside-'));
    database = await Database.open(join(folder, 'data.db'));
    await migrate(database);
    await database.write((tx) =>
      setAside(tx, FIRST, 100, [
        { endpoint: 'listings/active', reason: 'price: is missing', raw: { listing_id: 5 }, listingId: 5 },
        { endpoint: 'listings/batch', reason: 'shop_id: is null', raw: { listing_id: 6 }, listingId: 6 },
        { endpoint: 'shops/7', reason: 'HTTP 404', raw: 7, shopId: 7 },
        { endpoint: 'shops/7/reviews', reason: 'rating: is odd', raw: {}, shopId: 7 },
        { endpoint: 'listings/active', reason: 'given up: HTTP 500', raw: null },
      ]),
    );
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (): Promise<string[]> => {
    const rows = await database.read.all<{ name: string }>(
      "SELECT endpoint || ' ' || coalesce(listing_id, '') AS name FROM set_aside WHERE settled_at IS NULL ORDER BY id",
    );
    return rows.map((row) => row.name.trim());
  };

  it('is asked for in the next run, not again in the same', async () => {
    assert.deepEqual(await listingsToRetry(database.read, FIRST), []);
    assert.deepEqual(await listingsToRetry(database.read, SECOND), [5, 6]);
  });

  it('is settled by what came in good, and by nothing else', async () => {
    await database.write((tx) => settleListings(tx, [5, 6, 8], 200, 'listings/active'));
    assert.deepEqual(await listingsToRetry(database.read, SECOND), [6]);
    await database.write((tx) => settleListings(tx, [5, 6], 200));
    await database.write((tx) => settleShops(tx, [6, 7], 200));
    assert.deepEqual(await open(), ['shops/7/reviews', 'listings/active']);
    await database.write((tx) => settleEndpoint(tx, 'shops/7/reviews', 200));
    assert.deepEqual(await open(), ['listings/active']);
    await database.write((tx) => settleUnmet(tx, FIRST, 200));
    assert.deepEqual(await countSetAside(database.read, FIRST), { met: 5, open: 1 });
    await database.write((tx) => settleUnmet(tx, SECOND, 200));
    assert.deepEqual(await countSetAside(database.read, SECOND), { met: 0, open: 0 });
  });

  it('is open again when it comes again, with its tries', async () => {
    const letter = {
      endpoint: 'listings/batch',
      reason: 'shop_id: is null',
      raw: { listing_id: 6 },
      listingId: 6,
    };
    await database.write((tx) => settleListings(tx, [6], 200));
    await database.write((tx) => setAside(tx, SECOND, 300, [letter]));
    assert.deepEqual(await listingsToRetry(database.read, SECOND), [5]);
    assert.deepEqual(await listingsToRetry(database.read, SECOND + 1), [5, 6]);
    const row = await database.read.get('SELECT tries, at, run_id FROM set_aside WHERE listing_id = 6');
    assert.deepEqual(row, { tries: 2, at: 300, run_id: SECOND });
  });
});
