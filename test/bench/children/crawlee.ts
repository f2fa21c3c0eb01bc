import { createRequire } from 'node:module';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { open } from 'sqlite';
import type { Statement } from 'sqlite';
import sqlite3 from 'sqlite3';
import { imageParts } from '../../../lib/dataset/image-url.ts';
import type { Listing, ListingImage, Shop } from '../../../lib/etsy/schemas.ts';
import { classify } from '../../../lib/dataset/when-made.ts';
import { imageEntry, seenEntry, yearOfEntry } from '../../../lib/dataset/entries.ts';
import { listingRow, primaryImage, shopRow } from '../../../tasks/rules/rows.ts';

export interface CrawleeInput {
  readonly urls: readonly string[];
  readonly key: string;
  /** Requests under way at once; where nothing is said crawlee scales by itself, from one on. */
  readonly concurrency?: number | undefined;
  /** Where crawlee is installed. */
  readonly folder: string;
  /** A database with the tables in it. */
  readonly database: string;
  readonly madeSince: number;
}

/** What of crawlee is used here; it is no dependency of this project. */
interface Crawlee {
  HttpCrawler: new (options: {
    minConcurrency?: number;
    maxConcurrency?: number;
    requestHandler: (context: { json: unknown; request: { url: string } }) => Promise<void>;
  }) => {
    run(
      requests: { url: string; uniqueKey: string; headers: Record<string, string> }[],
    ): Promise<{ requestsFailed: number }>;
  };
  log: { setLevel(level: number): void };
}

interface Answered extends Listing {
  readonly images?: ListingImage[];
  readonly shop?: Shop;
}

const TABLES = {
  listings: Object.keys(listingRow({ listing_id: 1, shop_id: 1 }, 0)).filter(
    (name) => !['state', 'ending_timestamp', 'quantity', 'num_favorers', 'views'].includes(name),
  ),
  listings_dynamic: words(
    'listing_id snapshot_timestamp state ending_timestamp quantity num_favorers views price_amount price_divisor price_currency',
  ),
  shops: words(
    'shop_id snapshot_timestamp create_date url is_shop_us_based shipping_from_country_iso shop_location_country_iso',
  ),
  shops_dynamic: words(
    'shop_id snapshot_timestamp update_date listing_active_count accepts_custom_requests num_favorers transaction_sold_count review_average review_count',
  ),
  images: words('listing_id state image_id url'),
  meta_data: words('listing_id value earliest_year'),
};
type Table = keyof typeof TABLES;

/** The usual crawler on this job: pages as they come in, prepared statements, one transaction a page. */
export async function main(input: CrawleeInput): Promise<number> {
  const { HttpCrawler, log } = createRequire(join(input.folder, 'from.js'))('crawlee') as Crawlee;
  log.setLevel(1);
  const connection = await open({ filename: input.database, driver: sqlite3.Database });
  // As durable as the other one, and with as much memory.
  await connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000');
  const prepare = (verb: string, table: Table): Promise<Statement> => {
    const marks = TABLES[table].map(() => '?').join(', ');
    return connection.prepare(`${verb} INTO ${table} (${TABLES[table].join(', ')}) VALUES (${marks})`);
  };
  const statements = {} as { [Name in Table]: Statement };
  for (const table of Object.keys(TABLES) as Table[])
    statements[table] = await prepare('INSERT OR IGNORE', table);
  const replaceEntry = await prepare('REPLACE', 'meta_data');
  const put = async (table: Table, row: object, statement = statements[table]): Promise<boolean> => {
    const values = TABLES[table].map((column) => plain((row as { [name: string]: unknown })[column]));
    return ((await statement.run(values)).changes ?? 0) > 0;
  };
  const store = async (records: readonly Answered[]): Promise<void> => {
    const now = Math.floor(Date.now() / 1000);
    for (const record of records) {
      const { listing_id, images, shop } = record;
      const image = images && primaryImage(images);
      const fresh = seenEntry(undefined, record, input.madeSince) ?? {};
      const url = image?.url_570xN;
      const parts = url && { imageId: image.listing_image_id, ...imageParts(url) };
      const entry = (parts && imageEntry(fresh, parts, false)) ?? fresh;
      const entryRow = { listing_id, value: JSON.stringify(entry), earliest_year: yearOfEntry(entry) };
      // Only a batch tells the image, and the page with the listing may come after it.
      await put('meta_data', entryRow, images ? replaceEntry : undefined);
      if (classify(record.when_made, input.madeSince) !== 'since') continue;
      const row = listingRow(record, now);
      if (await put('listings', row)) await put('listings_dynamic', row);
      if (shop && (await put('shops', shopRow(shop, now)))) await put('shops_dynamic', shopRow(shop, now));
      const imageRow = {
        listing_id,
        state: url ? 'waiting' : 'none',
        image_id: image?.listing_image_id,
        url,
      };
      if (images) await put('images', imageRow);
    }
  };

  const one = pLimit(1);
  const crawler = new HttpCrawler({
    ...(input.concurrency && { minConcurrency: input.concurrency, maxConcurrency: input.concurrency }),
    requestHandler: async ({ json, request }) => {
      const { results } = json as { results?: Answered[] };
      if (!results) throw new Error(request.url);
      await one(async () => {
        await connection.run('BEGIN');
        await store(results);
        await connection.run('COMMIT');
      });
    },
  });
  const headers = { 'x-api-key': input.key };
  const requests = input.urls.map((url, index) => ({ url, uniqueKey: String(index), headers }));
  const { requestsFailed } = await crawler.run(requests);
  for (const statement of [...Object.values(statements), replaceEntry]) await statement.finalize();
  await connection.close();
  return requestsFailed === 0 ? 0 : 1;
}

function words(text: string): string[] {
  return text.split(' ');
}

function plain(value: unknown): string | number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : typeof value === 'string' ? value : JSON.stringify(value);
}
