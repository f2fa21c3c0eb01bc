import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import type { FreshSpan } from '../lib/dataset/due.ts';
import { Database } from '../lib/store/database.ts';
import type { Params } from '../lib/store/database.ts';
import type { ListingRow } from '../lib/dataset/listings.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import type { ReviewRow } from '../lib/dataset/reviews.ts';
import type { ShopRow } from '../lib/dataset/shops.ts';
import { listingRow, reviewRow, shopRow } from '../tasks/rules/rows.ts';

export const NOW = 1_790_000_000;
export const WEEK = 7 * 24 * 3600;
/** Rows of the last week. */
export const FRESH: FreshSpan = freshSince(NOW - WEEK);

/** @param since epoch seconds */
export function freshSince(since: number): FreshSpan {
  return { since, until: NOW + 8 * WEEK };
}

/** A database file in a folder of its own. */
class Store {
  folder = '';
  #database: Database | undefined;

  get path(): string {
    return join(this.folder, 'etsy_data.db');
  }

  get database(): Database {
    if (!this.#database) throw new Error('There is a database only while a test runs.');
    return this.#database;
  }

  async open(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'store-'));
    this.#database = await Database.open(this.path);
  }

  async close(): Promise<void> {
    await this.#database?.close();
    this.#database = undefined;
    await rm(this.folder, { recursive: true });
  }

  /** Committed rows. */
  async rows(sql: string, params?: Params): Promise<Record<string, unknown>[]> {
    const found = await this.database.read.all<Record<string, unknown>>(sql, params);
    return found.map((row) => ({ ...row }));
  }
}

/** A store that begins anew with each test of the suite this is called in. */
export function storePerTest(schema: 'migrated' | 'empty' = 'migrated'): Store {
  const store = new Store();
  beforeEach(async () => {
    await store.open();
    if (schema === 'migrated') await migrate(store.database);
  });
  afterEach(() => store.close());
  return store;
}

export function listing(id: number, at = NOW, more: Partial<ListingRow> = {}): ListingRow {
  const record = { listing_id: id, shop_id: 7, state: 'active', quantity: 1, views: 3, tags: ['a', 'é😀'] };
  return { ...listingRow(record, at), ...more };
}

export function shop(id: number, at = NOW): ShopRow {
  return shopRow({ shop_id: id, review_count: 5, is_shop_us_based: true }, at);
}

export function review(transaction: number, more: Partial<ReviewRow> = {}): ReviewRow {
  const record = { shop_id: 7, listing_id: 70, transaction_id: transaction, create_timestamp: NOW - 500 };
  return { ...reviewRow({ ...record, buyer_user_id: 1, rating: 5, review: 'good' }, NOW), ...more };
}
