import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Database } from '../lib/store/database.ts';
import { CRAWL, run } from './messages/provoke.ts';
import type { Answer } from './messages/provoke.ts';

/** Half a surrogate pair at either end and in the middle, a NUL, and what is whole. */
const AWKWARD = '\ud83e bench\0 \udc00🪑 end \ud800';
const AT = Math.floor(Date.now() / 1000) - 5000;

const listing = (id: number, more: object = {}): object => ({
  listing_id: id,
  shop_id: 9,
  state: 'active',
  title: `${AWKWARD} ${id}`,
  description: AWKWARD,
  url: `https://www.etsy.com/listing/${id}/${AWKWARD}`,
  tags: [AWKWARD, 'oak'],
  materials: [AWKWARD],
  style: [AWKWARD],
  listing_type: AWKWARD,
  who_made: AWKWARD,
  language: AWKWARD,
  item_weight_unit: AWKWARD,
  item_dimensions_unit: AWKWARD,
  production_partners: [{ production_partner_id: 3, partner_name: AWKWARD, location: AWKWARD }],
  when_made: 'made_to_order',
  taxonomy_id: 12371,
  created_timestamp: AT,
  price: { amount: 100, divisor: 100, currency_code: AWKWARD },
  ...more,
});
const SHOP = {
  shop_id: 9,
  shop_name: AWKWARD,
  title: AWKWARD,
  url: AWKWARD,
  review_count: 2,
  currency_code: AWKWARD,
  shipping_from_country_iso: AWKWARD,
  shop_location_country_iso: AWKWARD,
};
const REVIEW = {
  shop_id: 9,
  listing_id: 1,
  transaction_id: 5,
  rating: 5,
  create_timestamp: AT,
  review: AWKWARD,
  language: AWKWARD,
};

/** JSON.stringify writes half surrogates and NUL as escapes, as Etsy does. */
function answer(url: string): Answer | undefined {
  const results = (...all: unknown[]): Answer => ({
    body: JSON.stringify({ count: all.length, results: all }),
  });
  if (url.includes('listings/active'))
    return results(listing(1), listing(2), listing(3), { listing_id: AWKWARD, title: AWKWARD });
  if (url.includes('listings/batch'))
    return results(
      listing(1, { shop: SHOP, images: [] }),
      listing(2, { shop: SHOP, images: [{ listing_image_id: 1, hex_code: AWKWARD, url_570xN: AWKWARD }] }),
      listing(3, { shop: SHOP, images: [], shop_id: AWKWARD }),
    );
  if (url.includes('/reviews'))
    return results(
      REVIEW,
      { ...REVIEW, transaction_id: 6, language: AWKWARD },
      { review: AWKWARD, rating: AWKWARD },
    );
  return { status: 404, body: JSON.stringify({ error: AWKWARD }) };
}

describe('every text in the database', () => {
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'strict-text-'))));
  after(() => rm(folder, { recursive: true }));

  it('is UTF-8 without NUL to a strict reader, whatever Etsy sends', async () => {
    const write = async (files: Readonly<Record<string, string | Buffer>>): Promise<void> => {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), content);
      }
    };
    const stages = `${CRAWL}  - { id: reconcile, task: ./tasks/reconcile.ts, needs: [crawl] }
  - { id: reviews, task: ./tasks/reviews.ts, needs: [reconcile] }\n`;
    // Records that cannot be used are set aside: however the run ends, what is stored is looked at.
    await run({ path: folder, write }, { answer, stages, firstBackoffMs: 1, api: { giveUpAfter: '1s' } });
    const database = await Database.open(join(folder, 'etsy_data.db'), { readOnly: true });
    try {
      const seen = await readStrictly(database);
      for (const column of [...(await textsOfEtsy(database)), 'images.url', 'set_aside.raw'])
        assert.ok(seen.has(column), `nothing awkward came into ${column}`);
    } finally {
      await database.close();
    }
  });
});

/** Of the five tables of the data, the columns with text as Etsy sends it: all but the words that decide what is kept. */
async function textsOfEtsy({ read }: Database): Promise<string[]> {
  const rows = await read.all<{ name: string }>(
    `SELECT t.name || '.' || c.name AS name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
     WHERE t.name IN ('listings', 'listings_dynamic', 'shops', 'shops_dynamic', 'reviews') AND c.type = 'TEXT'`,
  );
  const names = rows.map(({ name }) => name);
  assert.ok(names.length > 15, names.join(', '));
  return names.filter((name) => !['listings.when_made', 'listings_dynamic.state'].includes(name));
}

/** @returns the columns in which something was replaced: "table.column" */
async function readStrictly({ read }: Database): Promise<Set<string>> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const replaced = new Set<string>();
  const columns = await read.all<{ tab: string; col: string }>(
    `SELECT t.name AS tab, c.name AS col FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'`,
  );
  for (const { tab, col } of columns) {
    const rows = await read.all<{ bytes: Buffer }>(
      `SELECT CAST("${col}" AS BLOB) AS bytes FROM "${tab}" WHERE typeof("${col}") = 'text'`,
    );
    for (const { bytes } of rows) {
      const text = decoder.decode(bytes);
      assert.ok(!text.includes('\0'), `${tab}.${col}: a NUL`);
      if (text.includes('\ufffd')) replaced.add(`${tab}.${col}`);
    }
  }
  return replaced;
}
