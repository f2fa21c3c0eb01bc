import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addListings, addListingsDynamic } from '../lib/dataset/listings.ts';
import { migrate, refuseForeign } from '../lib/dataset/migrations.ts';
import { addReviews } from '../lib/dataset/reviews.ts';
import { addShops } from '../lib/dataset/shops.ts';
import { NOW, FRESH, listing, review, shop, storePerTest } from './store-rig.ts';

describe('the schema', () => {
  const store = storePerTest('empty');

  const schema = (): Promise<Record<string, unknown>[]> =>
    store.rows('SELECT name, sql FROM sqlite_schema ORDER BY name');

  it('is made in an empty file, and not made twice', async () => {
    await migrate(store.database);
    const made = await schema();
    const tables = await store.rows("SELECT name FROM sqlite_schema WHERE type = 'table'");
    for (const name of ['shops', 'listings', 'reviews', 'meta_data', 'images', 'ledger', 'units', 'findings'])
      assert.ok(
        tables.some((table) => table['name'] === name),
        name,
      );
    await migrate(store.database);
    assert.deepEqual(await schema(), made);
  });

  it('of a newer version is refused, and left as it is', async () => {
    await store.database.write((tx) => tx.run('PRAGMA user_version = 99'));
    await assert.rejects(migrate(store.database), (error) => {
      assert.ok(error instanceof Error && 'hint' in error);
      assert.match(error.message, /etsy_data\.db: written by a newer sync-data \(schema 99/);
      return true;
    });
    assert.deepEqual(await schema(), []);
  });

  const files: Record<string, { sql: string; isOwn: boolean }> = {
    'no tables': { sql: '', isOwn: true },
    'tables of a browser': {
      sql: 'CREATE TABLE moz_places (id, url); CREATE TABLE moz_hosts (id); PRAGMA user_version = 75',
      isOwn: false,
    },
    'a table of the same name': { sql: 'CREATE TABLE listings (id, address, rent)', isOwn: false },
    'tables that are only counted': {
      sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)',
      isOwn: false,
    },
    'tables of the early system': {
      sql: 'CREATE TABLE shops (shop_id INTEGER PRIMARY KEY, url)',
      isOwn: true,
    },
    'ours beside those of others': {
      sql: 'CREATE TABLE a (b); CREATE TABLE listings (listing_id, title); CREATE VIEW v AS SELECT 1',
      isOwn: true,
    },
  };
  for (const [name, { sql, isOwn }] of Object.entries(files)) {
    it(`is made in a dataset, and in no other program's database: ${name}`, async () => {
      await store.database.write((tx) => tx.script(sql));
      const before = await schema();
      if (isOwn) await refuseForeign(store.database.path);
      else await assert.rejects(refuseForeign(store.database.path), { exitCode: 2 });
      assert.deepEqual(await schema(), before);
    });
  }

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
    await store.database.write(async (tx) => {
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
        await store.rows('SELECT shop_id, url FROM shops'),
        await store.rows('SELECT listing_id, shop_id, title, when_made FROM listings'),
        await store.rows('SELECT listing_id, snapshot_timestamp, views FROM listings_dynamic'),
        await store.rows('SELECT id, shop_id, listing_id, rating, review, create_timestamp FROM reviews'),
        await store.rows("SELECT value FROM sync_state WHERE key = 'last_review_timestamps'"),
      ];
      await migrate(store.database);
      await migrate(store.database);
      assert.deepEqual(
        [
          await store.rows('SELECT shop_id, url FROM shops'),
          await store.rows('SELECT listing_id, shop_id, title, when_made FROM listings'),
          await store.rows('SELECT listing_id, snapshot_timestamp, views FROM listings_dynamic'),
          await store.rows('SELECT id, shop_id, listing_id, rating, review, create_timestamp FROM reviews'),
          await store.rows("SELECT value FROM sync_state WHERE key = 'last_review_timestamps'"),
        ],
        before,
      );
      await store.database.write(async (tx) => {
        const more = { description: 'long', price_amount: 500, price_divisor: 100, price_currency: 'USD' };
        await addListings(tx, [listing(70), listing(71, NOW, more)]);
        await addListingsDynamic(tx, [listing(71, NOW, more)], FRESH);
        await addShops(tx, [shop(7), shop(8)], FRESH);
        await addReviews(tx, 7, [review(1), review(2)], 1);
      });
      assert.deepEqual(
        await store.rows(
          'SELECT listing_id, snapshot_timestamp, description, tags, price_amount FROM listings',
        ),
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
        await store.rows('SELECT price_amount, price_currency FROM listings_dynamic WHERE listing_id = 71'),
        [{ price_amount: 500, price_currency: 'USD' }],
      );
      assert.equal(
        (await store.rows('SELECT id FROM reviews')).length,
        3,
        'two share shop, listing and second',
      );
    });
  }
});
