import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { imagesOnRecord, recordStates, withoutEntry } from '../lib/store/checks.ts';
import { Database, StoreError } from '../lib/store/database.ts';
import type { Params, Sql } from '../lib/store/database.ts';
import {
  countImages,
  imagesDone,
  imagesFailed,
  imagesLost,
  nextImages,
  noteImages,
  recheckImages,
  withoutImageRecord,
} from '../lib/store/images.ts';
import { Ledger } from '../lib/store/ledger.ts';
import {
  addListings,
  addListingsDynamic,
  dueListings,
  fillProductionPartners,
  markRemoved,
} from '../lib/store/listings.ts';
import type { ListingRow } from '../lib/store/listings.ts';
import { acquireLock } from '../lib/store/lock.ts';
import { getEntries, markSeen, putEntries } from '../lib/store/meta-data.ts';
import { migrate } from '../lib/store/migrations.ts';
import { overdueEntries } from '../lib/store/overdue.ts';
import { completePass, savePass, shopsDue } from '../lib/store/review-sync.ts';
import { addReviews } from '../lib/store/reviews.ts';
import type { ReviewRow } from '../lib/store/reviews.ts';
import { addShops, dueShops } from '../lib/store/shops.ts';
import type { ShopRow } from '../lib/store/shops.ts';
import { advanceSlice, alreadySeen, noteSlice } from '../lib/store/slices.ts';
import { dropWanted, nextWanted, unwantedShops, want } from '../lib/store/wanted.ts';
import { listingRow, reviewRow, shopRow } from '../tasks/rules/rows.ts';

const NOW = 1_790_000_000;
const WEEK = 7 * 24 * 3600;
const STALE = NOW - WEEK;

let folder = '';
let path = '';
let database: Database;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
});
after(() => rm(folder, { recursive: true }));

async function openFresh(): Promise<void> {
  path = join(await mkdtemp(join(folder, 'own-')), 'etsy_data.db');
  database = await Database.open(path);
}
async function openMigrated(): Promise<void> {
  await openFresh();
  await migrate(database);
}
afterEach(() => database.close());

async function rows(sql: string, params?: Params): Promise<Record<string, unknown>[]> {
  const found = await database.read.all<Record<string, unknown>>(sql, params);
  return found.map((row) => ({ ...row }));
}

function listing(id: number, at = NOW, more: Partial<ListingRow> = {}): ListingRow {
  const record = { listing_id: id, shop_id: 7, state: 'active', quantity: 1, views: 3, tags: ['a', 'é😀'] };
  return { ...listingRow(record, at), ...more };
}

function shop(id: number, at = NOW): ShopRow {
  return shopRow({ shop_id: id, review_count: 5, is_shop_us_based: true }, at);
}

function review(transaction: number, more: Partial<ReviewRow> = {}): ReviewRow {
  const record = { shop_id: 7, listing_id: 70, transaction_id: transaction, create_timestamp: NOW - 500 };
  return { ...reviewRow({ ...record, buyer_user_id: 1, rating: 5, review: 'good' }, NOW), ...more };
}

describe('the schema', () => {
  beforeEach(openFresh);

  const schema = (): Promise<Record<string, unknown>[]> =>
    rows('SELECT name, sql FROM sqlite_schema ORDER BY name');

  it('is made in an empty file, and not made twice', async () => {
    await migrate(database);
    const made = await schema();
    const tables = await rows("SELECT name FROM sqlite_schema WHERE type = 'table'");
    for (const name of ['shops', 'listings', 'reviews', 'meta_data', 'images', 'ledger', 'units', 'findings'])
      assert.ok(
        tables.some((table) => table['name'] === name),
        name,
      );
    await migrate(database);
    assert.deepEqual(await schema(), made);
  });

  it('of a newer version is refused, and left as it is', async () => {
    await database.write((tx) => tx.run('PRAGMA user_version = 99'));
    await assert.rejects(migrate(database), (error) => {
      assert.ok(error instanceof Error && 'hint' in error);
      assert.match(error.message, /etsy_data\.db: written by a newer sync-data \(schema 99/);
      return true;
    });
    assert.deepEqual(await schema(), []);
  });

  const EARLY = `
    CREATE TABLE shops (shop_id INTEGER PRIMARY KEY, @snapshot create_date INTEGER, url TEXT,
      is_shop_us_based INTEGER, shipping_from_country_iso TEXT, shop_location_country_iso TEXT);
    CREATE TABLE shops_dynamic (id INTEGER PRIMARY KEY AUTOINCREMENT, shop_id INTEGER NOT NULL,
      snapshot_timestamp INTEGER NOT NULL, update_date INTEGER, listing_active_count INTEGER,
      accepts_custom_requests INTEGER, num_favorers INTEGER, transaction_sold_count INTEGER,
      review_average REAL, review_count INTEGER);
    CREATE TABLE listings (listing_id INTEGER PRIMARY KEY, @snapshot shop_id INTEGER NOT NULL, title TEXT,
      creation_timestamp INTEGER, url TEXT, is_customizable INTEGER, is_personalizable INTEGER,
      listing_type TEXT, tags TEXT, materials TEXT, processing_min INTEGER, processing_max INTEGER,
      who_made TEXT, when_made TEXT, item_weight REAL, item_weight_unit TEXT, item_length REAL,
      item_width REAL, item_height REAL, item_dimensions_unit TEXT, should_auto_renew INTEGER,
      language TEXT, price_amount INTEGER, price_divisor INTEGER, price_currency TEXT,
      taxonomy_id INTEGER, production_partners TEXT);
    @description
    CREATE TABLE listings_dynamic (id INTEGER PRIMARY KEY AUTOINCREMENT, listing_id INTEGER NOT NULL,
      snapshot_timestamp INTEGER NOT NULL, state TEXT, ending_timestamp INTEGER, quantity INTEGER,
      num_favorers INTEGER, views INTEGER);
    CREATE TABLE reviews (id INTEGER PRIMARY KEY AUTOINCREMENT, @snapshot shop_id INTEGER NOT NULL,
      listing_id INTEGER NOT NULL, buyer_user_id INTEGER, rating INTEGER, review TEXT, language TEXT,
      create_timestamp INTEGER NOT NULL);
    CREATE TABLE sync_state (key TEXT PRIMARY KEY, value TEXT);
    CREATE UNIQUE INDEX idx_reviews_unique ON reviews (shop_id, listing_id, create_timestamp);
    CREATE INDEX idx_shops_dynamic_shop_id ON shops_dynamic (shop_id);
    CREATE INDEX idx_listings_dynamic_listing_id ON listings_dynamic (listing_id);
    INSERT INTO shops (shop_id, url) VALUES (7, 'https://www.etsy.com/shop/x');
    INSERT INTO shops_dynamic (shop_id, snapshot_timestamp, review_count) VALUES (7, 1769000000, 3);
    INSERT INTO listings (listing_id, shop_id, title, when_made) VALUES (70, 7, 'Oak &quot;table&quot;', '2007_2009');
    INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, views) VALUES (70, 1769000000, 9);
    INSERT INTO reviews (shop_id, listing_id, buyer_user_id, rating, review, create_timestamp)
      VALUES (7, 70, 1, 4, 'early', 1768000000);
    INSERT INTO sync_state VALUES ('last_review_timestamps', '{"7": 1768000000}');
  `;

  const makeEarly = async (snapshot: string, description: string): Promise<void> => {
    const script = EARLY.replaceAll('@snapshot', snapshot).replace('@description', description);
    await database.write(async (tx) => {
      for (const statement of script.split(';\n')) if (statement.trim()) await tx.run(statement);
    });
  };

  for (const [what, snapshot, description] of [
    [
      'with description as its last column',
      'snapshot_timestamp INTEGER,',
      'ALTER TABLE listings ADD COLUMN description TEXT;\n',
    ],
    ['without snapshot_timestamp and description', '', ''],
  ] as const) {
    it(`takes over an early file ${what}: every row stays, and new ones fit beside them`, async () => {
      await makeEarly(snapshot, description);
      const before = [
        await rows('SELECT shop_id, url FROM shops'),
        await rows('SELECT listing_id, shop_id, title, when_made FROM listings'),
        await rows('SELECT listing_id, snapshot_timestamp, views FROM listings_dynamic'),
        await rows('SELECT id, shop_id, listing_id, rating, review, create_timestamp FROM reviews'),
        await rows("SELECT value FROM sync_state WHERE key = 'last_review_timestamps'"),
      ];
      await migrate(database);
      await migrate(database);
      assert.deepEqual(
        [
          await rows('SELECT shop_id, url FROM shops'),
          await rows('SELECT listing_id, shop_id, title, when_made FROM listings'),
          await rows('SELECT listing_id, snapshot_timestamp, views FROM listings_dynamic'),
          await rows('SELECT id, shop_id, listing_id, rating, review, create_timestamp FROM reviews'),
          await rows("SELECT value FROM sync_state WHERE key = 'last_review_timestamps'"),
        ],
        before,
      );
      await database.write(async (tx) => {
        const more = { description: 'long', price_amount: 500, price_divisor: 100, price_currency: 'USD' };
        await addListings(tx, [listing(70), listing(71, NOW, more)]);
        await addListingsDynamic(tx, [listing(71, NOW, more)], STALE);
        await addShops(tx, [shop(7), shop(8)], STALE);
        await addReviews(tx, 7, [review(1), review(2)]);
      });
      assert.deepEqual(
        await rows('SELECT listing_id, snapshot_timestamp, description, tags, price_amount FROM listings'),
        [
          {
            listing_id: 70,
            snapshot_timestamp: null,
            description: null,
            tags: null,
            price_amount: null,
          },
          {
            listing_id: 71,
            snapshot_timestamp: NOW,
            description: 'long',
            tags: '["a","é😀"]',
            price_amount: 500,
          },
        ],
      );
      assert.deepEqual(
        await rows('SELECT price_amount, price_currency FROM listings_dynamic WHERE listing_id = 71'),
        [{ price_amount: 500, price_currency: 'USD' }],
      );
      assert.equal((await rows('SELECT id FROM reviews')).length, 3, 'two share shop, listing and second');
    });
  }
});

describe('rows of listings', () => {
  beforeEach(openMigrated);

  const dynamic = (id: number): Promise<Record<string, unknown>[]> =>
    rows('SELECT snapshot_timestamp AS at, state FROM listings_dynamic WHERE listing_id = ? ORDER BY id', [
      id,
    ]);

  it('are added once, and stay as they were first read', async () => {
    const first = await database.write((tx) => addListings(tx, [listing(70), listing(71)]));
    const second = await database.write((tx) =>
      addListings(tx, [listing(70, NOW + 1, { title: 'new' }), listing(72)]),
    );
    assert.deepEqual([first.toSorted((a, b) => a - b), second], [[70, 71], [72]]);
    assert.deepEqual(
      await rows('SELECT title, snapshot_timestamp AS at FROM listings WHERE listing_id = 70'),
      [{ title: null, at: NOW }],
    );
  });

  it('keep numbers beyond 2^31, fractions, flags, lists and text of any kind', async () => {
    const strange = 'é😀 "quoted" \\ \n &quot; \u2028';
    await database.write((tx) =>
      addListings(tx, [
        listing(4_300_000_000_123, NOW, {
          shop_id: 9_007_199_254_740_991,
          title: strange,
          item_weight: 12.5,
          item_length: 80,
          is_customizable: true,
          is_personalizable: false,
          materials: [],
          production_partners: [{ id: 5 }],
        }),
      ]),
    );
    const [row] = await rows('SELECT *, typeof(shop_id) AS kind FROM listings');
    assert.equal(row?.['listing_id'], 4_300_000_000_123);
    assert.deepEqual([row['shop_id'], row['kind']], [9_007_199_254_740_991, 'integer']);
    assert.equal(row['title'], strange);
    assert.deepEqual([row['item_weight'], row['item_length']], [12.5, 80]);
    assert.deepEqual([row['is_customizable'], row['is_personalizable']], [1, 0]);
    assert.deepEqual([row['materials'], row['production_partners']], ['[]', '[{"id":5}]']);
  });

  it('that move are appended where the newest is older, and only there', async () => {
    const add = (at: number, staleBefore: number): Promise<number[]> =>
      database.write((tx) => addListingsDynamic(tx, [listing(70, at)], staleBefore));
    assert.deepEqual(await add(NOW, STALE), [70]);
    assert.deepEqual(await add(NOW + 5, STALE), []);
    assert.deepEqual(await add(NOW + WEEK, NOW), [], 'exactly as old as the limit');
    assert.deepEqual(await add(NOW + WEEK + 1, NOW + 1), [70]);
    assert.deepEqual(await database.write((tx) => dueListings(tx, [70, 71], NOW + 1)), [71]);
    assert.deepEqual(
      (await dynamic(70)).map((row) => row['at']),
      [NOW, NOW + WEEK + 1],
    );
  });

  it('that move are appended at once where the listing is back after it was gone', async () => {
    await database.write(async (tx) => {
      await addListingsDynamic(tx, [listing(70, NOW)], STALE);
      assert.deepEqual(await markRemoved(tx, [70], NOW + 1, STALE), [70]);
      assert.deepEqual(await markRemoved(tx, [70], NOW + 2, STALE), [], 'it says so already');
      assert.deepEqual(await dueListings(tx, [70], STALE), [70]);
      assert.deepEqual(await addListingsDynamic(tx, [listing(70, NOW + 3)], STALE), [70]);
      assert.deepEqual(await addListingsDynamic(tx, [listing(70, NOW + 4)], STALE), []);
    });
    assert.deepEqual(await dynamic(70), [
      { at: NOW, state: 'active' },
      { at: NOW + 1, state: 'removed' },
      { at: NOW + 3, state: 'active' },
    ]);
  });

  it('say that a listing is gone a second time, where it was back in between', async () => {
    await database.write(async (tx) => {
      await markRemoved(tx, [70], NOW, STALE);
      await addListingsDynamic(tx, [listing(70, NOW + 1)], STALE);
      assert.deepEqual(await markRemoved(tx, [70], NOW + 2, STALE), [70]);
    });
    assert.equal((await dynamic(70)).at(-1)?.['state'], 'removed');
  });

  it('say again that a listing is gone once the last word is too old', async () => {
    await database.write(async (tx) => {
      await markRemoved(tx, [70], STALE - 1, STALE - WEEK);
      assert.deepEqual(await markRemoved(tx, [70], NOW, STALE), [70]);
    });
  });

  it('take production partners from the batch where the page lacked them', async () => {
    await database.write(async (tx) => {
      await addListings(tx, [listing(70), listing(71, NOW, { production_partners: [] })]);
      await fillProductionPartners(tx, [
        listing(70, NOW, { production_partners: [{ id: 5 }] }),
        listing(71, NOW, { production_partners: [{ id: 6 }] }),
      ]);
    });
    assert.deepEqual(await rows('SELECT listing_id AS id, production_partners AS p FROM listings'), [
      { id: 70, p: '[{"id":5}]' },
      { id: 71, p: '[]' },
    ]);
  });
});

describe('rows of shops', () => {
  beforeEach(openMigrated);

  it('are added once, and their figures where the newest are older', async () => {
    const add = (at: number, staleBefore: number): Promise<void> =>
      database.write((tx) => addShops(tx, [shop(7, at), shop(8, at)], staleBefore));
    await add(NOW, STALE);
    await add(NOW + 5, STALE);
    await add(NOW + WEEK, NOW);
    await add(NOW + WEEK + 1, NOW + 1);
    assert.deepEqual(await rows('SELECT shop_id AS id, snapshot_timestamp AS at FROM shops'), [
      { id: 7, at: NOW },
      { id: 8, at: NOW },
    ]);
    assert.deepEqual(await rows('SELECT snapshot_timestamp AS at FROM shops_dynamic WHERE shop_id = 8'), [
      { at: NOW },
      { at: NOW + WEEK + 1 },
    ]);
  });

  it('are due where either is missing', async () => {
    await database.write(async (tx) => {
      await addShops(tx, [shop(7), shop(8), shop(9)], STALE);
      await tx.run('DELETE FROM shops WHERE shop_id = 8');
      await tx.run('DELETE FROM shops_dynamic WHERE shop_id = 9');
    });
    assert.deepEqual(await dueShops(database.read, [7, 8, 9, 10], STALE), [8, 9, 10]);
    assert.deepEqual(await dueShops(database.read, [7], NOW + 1), [7]);
  });

  it('are due for reviews: under way first, then with news, then the longest ago', async () => {
    await database.write(async (tx) => {
      await addShops(
        tx,
        [1, 2, 3, 4, 5].map((id) => shop(id)),
        STALE,
      );
      await completePass(tx, 1, STALE - 50, STALE - 40);
      await completePass(tx, 2, STALE - 90, STALE - 80);
      await completePass(tx, 3, STALE - 10, STALE - 5);
      await addShops(tx, [{ ...shop(3, NOW + 1), review_count: 6 }], NOW + 1);
      await completePass(tx, 4, NOW - 20, NOW - 10);
      await savePass(tx, 5, { startedAt: NOW, minCreated: 0, offset: 100 });
    });
    const due = await shopsDue(database.read, 1, STALE);
    assert.deepEqual(
      due.map((one) => one.shop_id),
      [5, 3, 2, 1],
    );
    await database.write((tx) => completePass(tx, 5, NOW, NOW + 1));
    assert.deepEqual(
      (await shopsDue(database.read, 1, STALE)).map((one) => one.pass),
      [null, null, null],
    );
  });
});

describe('rows of reviews', () => {
  beforeEach(openMigrated);

  const stored = (): Promise<Record<string, unknown>[]> =>
    rows('SELECT transaction_id AS t, buyer_user_id AS buyer, rating, review FROM reviews ORDER BY id');
  const early = (more: Partial<ReviewRow>): Promise<unknown> =>
    database.write((tx) => {
      const row = review(0, more);
      return tx.run(
        `INSERT INTO reviews (shop_id, listing_id, buyer_user_id, rating, review, create_timestamp)
         VALUES (?, ?, ?, ?, ?, ?)`,
        [row.shop_id, row.listing_id, row.buyer_user_id, row.rating, row.review, row.create_timestamp],
      );
    });
  const add = (...reviews: readonly ReviewRow[]): Promise<void> =>
    database.write((tx) => addReviews(tx, 7, reviews));

  it('are each kept, though shop, listing, buyer and second are the same', async () => {
    await add(review(1), review(2), review(3));
    await add(review(2), review(3), review(4), review(4));
    assert.deepEqual(
      (await stored()).map((row) => row['t']),
      [1, 2, 3, 4],
    );
  });

  it('are brought up to date where the buyer has changed them', async () => {
    await add(review(1), review(2));
    await add(review(2, { rating: 1, review: 'broke', snapshot_timestamp: NOW + 9 }));
    assert.deepEqual(await stored(), [
      { t: 1, buyer: 1, rating: 5, review: 'good' },
      { t: 2, buyer: 1, rating: 1, review: 'broke' },
    ]);
  });

  it('of the early system are claimed once, by the one most like them', async () => {
    await early({ review: 'mine' });
    await add(review(1, { review: 'another' }), review(2, { review: 'mine' }));
    await add(review(1, { review: 'another' }), review(2, { review: 'mine' }));
    assert.deepEqual(await stored(), [
      { t: 2, buyer: 1, rating: 5, review: 'mine' },
      { t: 1, buyer: 1, rating: 5, review: 'another' },
    ]);
  });

  it('of the early system are claimed though the text has been changed since', async () => {
    await early({ review: 'first thoughts', rating: 5 });
    await add(review(1, { review: 'second thoughts', rating: 2 }));
    assert.deepEqual(await stored(), [{ t: 1, buyer: 1, rating: 2, review: 'second thoughts' }]);
  });

  it('of the early system are not claimed for another buyer, listing, second or shop', async () => {
    await early({});
    await add(
      review(1, { buyer_user_id: 2 }),
      review(2, { listing_id: 71 }),
      review(3, { create_timestamp: NOW - 501 }),
    );
    await database.write((tx) => addReviews(tx, 8, [review(4, { shop_id: 8 })]));
    await add(review(5));
    assert.deepEqual(
      (await stored()).map((row) => [row['t'], row['buyer']]),
      [
        [5, 1],
        [1, 2],
        [2, 1],
        [3, 1],
        [4, 1],
      ],
    );
  });

  it('of the early system are claimed where either does not name the buyer', async () => {
    await early({ buyer_user_id: null });
    await add(review(1));
    assert.equal((await stored()).length, 1);
    await early({ create_timestamp: NOW - 900 });
    await add(review(2, { buyer_user_id: null, create_timestamp: NOW - 900 }));
    assert.equal((await stored()).length, 2);
  });
});

describe('the list of the wanted', () => {
  beforeEach(openMigrated);

  it('gives the lowest ids first, without those on their way, each once', async () => {
    await database.write(async (tx) => {
      await want(
        tx,
        [5, 3, 9, 3, 7].map((listingId) => ({ listingId, shopId: listingId * 10 })),
      );
      await want(tx, []);
    });
    assert.deepEqual(await nextWanted(database.read, 2, new Set()), [3, 5]);
    assert.deepEqual(await nextWanted(database.read, 2, new Set([3, 7])), [5, 9]);
    assert.deepEqual(await unwantedShops(database.read, [30, 40]), [40]);
    await database.write((tx) => dropWanted(tx, [3, 5]));
    assert.deepEqual(await nextWanted(database.read, 9, new Set()), [7, 9]);
  });
});

describe('the images on record', () => {
  beforeEach(openMigrated);
  const ref = (listingId: number, imageId: number): { listingId: number; imageId: number; url: string } => ({
    listingId,
    imageId,
    url: `https://i.etsystatic.com/${imageId}.jpg`,
  });
  const states = (): Promise<Record<string, unknown>[]> =>
    rows('SELECT listing_id AS id, state, image_id AS image FROM images ORDER BY listing_id');

  it('are waiting until they are done or have failed; what failed is tried again in the next run', async () => {
    await database.write(async (tx) => {
      await noteImages(tx, [ref(1, 10), ref(2, 20), ref(3, 30)], [{ id: 4, reason: 'none' }]);
      await imagesDone(tx, [{ listingId: 1, bytes: 5000, modifiedMs: 1_790_000_000_123, sha256: 'x' }]);
      const failed = { reason: 'HTTP 500', attempts: 3 };
      await imagesFailed(tx, [{ ...failed, listingId: 2, state: 'failed' }], 1);
    });
    const jobs = async (run: number): Promise<number[]> =>
      (await nextImages(database.read, run, 10)).map((job) => job.listing_id);
    assert.deepEqual([await jobs(1), await jobs(2)], [[3], [2, 3]]);
    assert.deepEqual(await countImages(database.read), {
      unknown: 0,
      waiting: 1,
      done: 1,
      failed: 1,
      missing: 0,
      none: 1,
    });
    assert.deepEqual(
      await imagesOnRecord(database.read, 0, 10).then((all) => all.map((one) => ({ ...one }))),
      [{ listing_id: 1, bytes: 5000, modified_ms: 1_790_000_000_123, sha256: 'x' }],
    );
  });

  it('that the CDN has no more stay given up until the listing shows another', async () => {
    await database.write(async (tx) => {
      await noteImages(tx, [ref(1, 10)], []);
      await imagesFailed(tx, [{ listingId: 1, state: 'missing', reason: 'HTTP 404', attempts: 1 }], 1);
      await noteImages(tx, [ref(1, 10)], []);
    });
    assert.deepEqual(await states(), [{ id: 1, state: 'missing', image: 10 }]);
    await database.write((tx) => noteImages(tx, [ref(1, 11)], []));
    assert.deepEqual(await states(), [{ id: 1, state: 'waiting', image: 11 }]);
  });

  it('that lie on disk stay, whatever the listing shows; once lost they are asked for again', async () => {
    await database.write(async (tx) => {
      await noteImages(tx, [ref(1, 10)], []);
      await imagesDone(tx, [{ listingId: 1, bytes: 5000, modifiedMs: 5, sha256: null }]);
      await noteImages(tx, [ref(1, 11)], []);
      await noteImages(tx, [], [{ id: 1, reason: 'gone' }]);
    });
    assert.deepEqual(await states(), [{ id: 1, state: 'done', image: 10 }]);
    await database.write((tx) =>
      imagesLost(tx, [
        { listingId: 1, reason: 'missing' },
        { listingId: 2, reason: 'never recorded' },
      ]),
    );
    assert.deepEqual(await states(), [
      { id: 1, state: 'waiting', image: 10 },
      { id: 2, state: 'unknown', image: null },
    ]);
    assert.deepEqual(await recheckImages(database.read, [1, 2, 3]), [2]);
    assert.deepEqual(await withoutImageRecord(database.read, [1, 2, 3]), [3]);
  });
});

describe('the ledger', () => {
  beforeEach(openMigrated);
  const NOW_MS = NOW * 1000 + 123;
  const stampAll = async (ledger: Ledger, ages: readonly number[]): Promise<number[]> => {
    const ids = [];
    for (const age of ages) ids.push(await ledger.stamp('listings/active', NOW_MS - age));
    return ids;
  };

  it('tells the newest attempts, oldest first; a stamp from the future counts as of now', async () => {
    const ledger = new Ledger(database);
    await stampAll(ledger, [5000, 1500, 900, 10, -3_600_000]);
    assert.deepEqual(await ledger.recent(NOW_MS, 2000), [NOW_MS - 1500, NOW_MS - 900, NOW_MS - 10, NOW_MS]);
    await stampAll(
      ledger,
      Array.from({ length: 20 }, (_, index) => index),
    );
    assert.equal((await ledger.recent(NOW_MS, 2000)).length, 10);
  });

  it('knows the last 24 hours, and what Etsy last said is left', async () => {
    const day = 24 * 3600 * 1000;
    const ledger = new Ledger(database);
    assert.deepEqual(await ledger.day(NOW_MS), { used: 0, oldestMs: undefined });
    assert.equal(await ledger.remaining(NOW_MS), undefined);
    const [, second, third, fourth] = await stampAll(ledger, [day + 1, day - 1, 500, 100]);
    const answer = { status: 200, tookMs: 80.6 };
    ledger.settle(third ?? 0, { ...answer, remainingToday: 41 });
    ledger.settle(second ?? 0, { ...answer, remainingToday: 90 });
    ledger.settle(fourth ?? 0, { status: null, tookMs: 30_000, remainingToday: undefined });
    await ledger.flush();
    assert.deepEqual(await ledger.day(NOW_MS), { used: 3, oldestMs: NOW_MS - day + 1 });
    assert.equal((await ledger.remaining(NOW_MS))?.calls, 41);
    assert.equal(await ledger.countSince(NOW_MS - 300), 1);
    assert.deepEqual(await rows('SELECT status, took_ms FROM ledger WHERE id >= ?', [third ?? 0]), [
      { status: 200, took_ms: 81 },
      { status: null, took_ms: 30_000 },
    ]);
    await ledger.prune(NOW_MS + day + 1);
    assert.equal((await rows('SELECT id FROM ledger')).length, 3);
  });

  it('gives the worst second and the mean of a run as anyone would count them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4000 }), { maxLength: 30 }), async (times) => {
        await database.write((tx) => tx.run('DELETE FROM ledger'));
        const ledger = new Ledger(database);
        ledger.runId = 1;
        await database.write(async (tx) => {
          await tx.run(
            `INSERT INTO ledger (at_ms, run_id, endpoint) SELECT value, 1, 'x' FROM json_each(?)
             UNION ALL SELECT value, 2, 'x' FROM json_each(?)`,
            [JSON.stringify(times.map((time) => NOW_MS + time)), JSON.stringify(times.map(() => NOW_MS))],
          );
        });
        const worst = Math.max(
          0,
          ...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length),
        );
        const span = Math.max(...times) - Math.min(...times);
        assert.deepEqual(await ledger.pace(1), {
          requests: times.length,
          // None of them has an answer.
          faults: times.length,
          worstSecond: worst,
          perSecond: times.length > 0 && span > 0 ? ((times.length - 1) * 1000) / span : 0,
          lastMs: times.length > 0 ? NOW_MS + Math.max(...times) : undefined,
        });
        const half = await ledger.pace(1, NOW_MS + 1000, NOW_MS + 3000);
        assert.equal(half.requests, times.filter((at) => at >= 1000 && at < 3000).length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the database', () => {
  beforeEach(openMigrated);

  it('keeps nothing of a write that threw, and goes on', async () => {
    await assert.rejects(
      database.write(async (tx) => {
        await addShops(tx, [shop(7)], STALE);
        throw new Error('half way');
      }),
      /half way/,
    );
    await assert.rejects(
      database.write((tx) => tx.run('INSERT INTO nowhere VALUES (1)')),
      StoreError,
    );
    assert.deepEqual(await rows('SELECT shop_id FROM shops'), []);
    await database.write((tx) => addShops(tx, [shop(7)], STALE));
    assert.equal((await rows('SELECT shop_id FROM shops')).length, 1);
  });

  it('does one write at a time, and reads only what is committed', async () => {
    let inside = 0;
    const write = (id: number): Promise<void> =>
      database.write(async (tx) => {
        inside += 1;
        assert.equal(inside, 1);
        const before = (await rows('SELECT shop_id FROM shops')).length;
        await addShops(tx, [shop(id)], STALE);
        assert.equal((await rows('SELECT shop_id FROM shops')).length, before);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 10 }, (_, index) => write(index + 1)));
    assert.equal((await rows('SELECT shop_id FROM shops')).length, 10);
  });

  it('says what is wrong with a file that is none, and what to do', async () => {
    const other = join(folder, 'other.db');
    await assert.rejects(Database.open(other, { readOnly: true }), { code: 'SQLITE_CANTOPEN' });
    await writeFile(other, 'no database, but a text of more than one hundred bytes. '.repeat(3));
    const before = await readFile(other);
    await assert.rejects(Database.open(other), (error) => {
      assert.ok(error instanceof StoreError);
      assert.deepEqual([error.code, error.message.startsWith(other)], ['SQLITE_NOTADB', true]);
      assert.match(error.hint, /pipeline\.yaml/);
      return true;
    });
    assert.deepEqual(await readFile(other), before);
  });
});

type Holding = ChildProcessByStdio<null, Readable, null>;

/** Another process that takes the lock, tells what it got, and keeps it until it is killed. */
function holdElsewhere(databasePath: string): Holding {
  const lock = new URL('../lib/store/lock.ts', import.meta.url).href;
  const code = `
    const { acquireLock } = await import(${JSON.stringify(lock)});
    const got = await acquireLock(${JSON.stringify(databasePath)}, { pid: process.pid, since: 5 });
    console.log('pid' in got ? 'refused' : 'held');
    setInterval(() => got, 1000);`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  });
}

async function firstLine(child: Holding): Promise<string> {
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error('the other process said nothing');
}

async function killHard(child: Holding): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('the lock', () => {
  beforeEach(openMigrated);

  it('is refused with the pid of its holder, and free at once after that was killed', async () => {
    const child = holdElsewhere(path);
    try {
      assert.equal(await firstLine(child), 'held');
      assert.deepEqual({ ...(await acquireLock(path, { pid: 1, since: 6 })) }, { pid: child.pid, since: 5 });
      assert.deepEqual({ ...(await acquireLock(path, { pid: 1, since: 7 })) }, { pid: child.pid, since: 5 });
    } finally {
      await killHard(child);
    }
    const mine = await acquireLock(path, { pid: process.pid, since: 8 });
    assert.ok('release' in mine);
    const other = await acquireLock(path, { pid: 2, since: 9 });
    assert.ok('pid' in other);
    assert.equal(other.pid, process.pid);
    await mine.release(true);
    const again = await acquireLock(path, { pid: process.pid, since: 10 });
    assert.ok('release' in again);
    await again.release(true);
  });

  it('tells whether the last holder ended well', async () => {
    const leftWell = async (release: boolean): Promise<boolean> => {
      const lock = await acquireLock(path, { pid: process.pid, since: 1 });
      assert.ok('release' in lock);
      await lock.release(release);
      return lock.leftWell;
    };
    assert.equal(await leftWell(true), true);
    assert.equal(await leftWell(false), true);
    assert.equal(await leftWell(true), false);
    assert.equal(await leftWell(true), true);
    const child = holdElsewhere(path);
    assert.equal(await firstLine(child), 'held');
    await killHard(child);
    assert.equal(await leftWell(true), false);
  });

  it('goes to one of several that start at the same moment', async () => {
    const children = [path, path, path].map(holdElsewhere);
    try {
      const said = await Promise.all(children.map(firstLine));
      assert.deepEqual(said.toSorted(), ['held', 'refused', 'refused']);
    } finally {
      await Promise.all(children.map(killHard));
    }
  });
});

/** Asks SQLite how it would go about each statement before it is run. */
class Watched implements Sql {
  readonly scans: string[] = [];
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async run(sql: string, params?: Params): Promise<{ changes: number }> {
    await this.#explain(sql, params);
    return this.#sql.run(sql, params);
  }

  async get<Row>(sql: string, params?: Params): Promise<Row | undefined> {
    await this.#explain(sql, params);
    return this.#sql.get<Row>(sql, params);
  }

  async all<Row>(sql: string, params?: Params): Promise<Row[]> {
    await this.#explain(sql, params);
    return this.#sql.all<Row>(sql, params);
  }

  async #explain(sql: string, params?: Params): Promise<void> {
    const plan = await database.read.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, params);
    for (const { detail } of plan) {
      // Rows handed over as JSON are a table of their own; the wanted are read in order, up to a limit.
      const harmless = /VIRTUAL TABLE|CONSTANT ROW|^SCAN (wanted|ids|\(|\d)/.test(detail);
      if (detail.startsWith('SCAN') && !harmless) this.scans.push(`${detail}: ${sql}`);
    }
  }
}

describe('no statement of a page or a batch reads a whole table', () => {
  beforeEach(openMigrated);

  const ids = [70, 71, 4_300_000_000];
  const entries = ids.map((listingId) => ({ listingId, value: '{}', earliestYear: 2010 }));
  const listings = ids.map((id) => listing(id, NOW, { production_partners: [] }));

  for (const analyzed of [false, true]) {
    it(analyzed ? 'nor with statistics' : 'in a new file', async () => {
      if (analyzed) {
        await database.write(async (tx) => {
          const many = Array.from({ length: 500 }, (_, index) => index + 1);
          await addListings(
            tx,
            many.map((id) => listing(id)),
          );
          await addListingsDynamic(
            tx,
            many.map((id) => listing(id)),
            STALE,
          );
          await addShops(
            tx,
            many.map((id) => shop(id)),
            STALE,
          );
          await putEntries(
            tx,
            many.map((id) => ({ listingId: id, value: '{}', earliestYear: 2010 })),
          );
          await imagesLost(
            tx,
            many.map((id) => ({ listingId: id, reason: '' })),
          );
          await addReviews(
            tx,
            7,
            many.map((id) => review(id)),
          );
          await tx.run('ANALYZE');
        });
      }
      await database.write(async (raw) => {
        const tx = new Watched(raw);
        const slice = await noteSlice(tx, 1, 967, { low: 0, high: -1 }, 5);
        await getEntries(tx, ids);
        await putEntries(tx, entries);
        await markSeen(tx, ids, slice);
        await alreadySeen(tx, 1, 967, { low: 0, high: -1 }, ids);
        await advanceSlice(tx, slice, 3, false);
        await addListings(tx, listings);
        await addListingsDynamic(tx, listings, STALE);
        await dueListings(tx, ids, STALE);
        await fillProductionPartners(tx, listings);
        await markRemoved(tx, ids, NOW, STALE);
        await addShops(tx, [shop(7), shop(8)], STALE);
        await dueShops(tx, [7, 8], STALE);
        await want(tx, [{ listingId: 70, shopId: 7 }]);
        await unwantedShops(tx, [7, 8]);
        await nextWanted(tx, 100, new Set());
        await dropWanted(tx, ids);
        await withoutImageRecord(tx, ids);
        await noteImages(tx, [{ listingId: 70, imageId: 5, url: 'x' }], [{ id: 71, reason: 'none' }]);
        await imagesDone(tx, [{ listingId: 70, bytes: 5, modifiedMs: 5, sha256: null }]);
        await imagesFailed(tx, [{ listingId: 71, state: 'failed', reason: 'x', attempts: 1 }], 1);
        await imagesLost(tx, [{ listingId: 70, reason: 'x' }]);
        await recheckImages(tx, ids);
        await tx.run('INSERT INTO reviews (shop_id, listing_id, create_timestamp) VALUES (7, 70, ?)', [
          NOW - 500,
        ]);
        await addReviews(tx, 7, [review(1001), review(1002)]);
        await savePass(tx, 7, {});
        await completePass(tx, 7, NOW, NOW);
        await overdueEntries(tx, {
          after: 70,
          limit: 100,
          madeSince: 2000,
          staleBefore: STALE,
          unseenSince: 1,
        });
        await recordStates(tx, 70, 2000, 1000);
        await imagesOnRecord(tx, 70, 1000);
        await withoutEntry(tx, ids);
        assert.deepEqual(tx.scans, []);
      });
    });
  }
});
