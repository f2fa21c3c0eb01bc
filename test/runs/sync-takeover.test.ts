import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { encode } from 'jpeg-js';
import { Database } from '../../lib/store/database.ts';
import type { Tx } from '../../lib/store/database.ts';
import { compareWithTruth } from '../dump.ts';
import type { Dump } from '../dump.ts';
import { EARLY_TABLES, addListing } from '../early.ts';
import type { Truth, TruthListing } from '../marketplace/index.ts';
import { Rig, START, withRig } from '../rig.ts';

const DAY = 86_400;
const NOW = START / 1000;
const FRESH = NOW - 2 * DAY;
const STALE = NOW - 20 * DAY;
const KNOWN = 60;
/** Entries of listings that Etsy does not know, and of what is no listing. */
const UNKNOWN = `"903111222": 71234567,
"903111223": "404",
"903111224": "error: 500 Server Error",
"903111226": {"image_id": 88123, "shop_id": null},
"4398001122": {"shop_id": 31222333, "when_made": "made_to_order", "images": [{"image_id": 5123456789, "hex": "a1b2c3", "suffix": "k9q2", "is_primary": true}], "price": 129.50, "background_removed": false},
"903111230": {"odd": 12345678901234567890, "deep": {"a": [1, null, "\\u00e9"]}},
"_comment": "not a listing"`;

interface Review {
  transaction_id: number;
  listing_id: number;
  shop_id: number;
  buyer_user_id?: number;
  rating: number;
  review: string;
  language: string;
  create_timestamp: number;
}

type Rows = Record<string, unknown>[];

interface Early {
  readonly rows: Record<
    'shops' | 'shops_dynamic' | 'listings' | 'listings_dynamic' | 'reviews' | 'sync_state',
    Rows
  >;
  readonly known: readonly TruthListing[];
  /** Offered listings whose entries have the early forms, by form. */
  readonly forms: Readonly<Record<Form, TruthListing>>;
  readonly good: Buffer;
}

const FORMS = [
  'whole',
  'nulls',
  'marker',
  'bare',
  'gone',
  'none',
  'error',
  'legacy',
  'list',
  'noted',
  'before',
] as const;
type Form = (typeof FORMS)[number];

describe('an existing installation', () => {
  let rig: Rig;
  let early: Early;
  let truth: Truth;
  let dump: Dump;
  let downloads: Set<string>;

  before(async () => {
    rig = await Rig.open({ market: { badImages: {}, reviews: { perShop: 40 }, shops: 15 } });
    early = await settle(rig);
    truth = await rig.truth();
    await rig.market.resetRequests();
    const { code } = await rig.run();
    assert.equal(code, 0, rig.transcript);
    dump = await rig.dump();
    downloads = new Set((await rig.requests(/./, 'cdn')).map(({ path }) => path));
  });
  after(() => rig.close());

  it('keeps every row it had, value for value', async () => {
    for (const [table, rows] of Object.entries(early.rows)) {
      const [first] = rows;
      if (!first) continue;
      const columns = Object.keys(first);
      const [key = ''] = columns;
      const now = await rig.rows<Record<string, unknown>>(`SELECT ${columns.join(', ')} FROM ${table}`);
      const byKey = new Map(now.map((row) => [row[key], row]));
      for (const row of rows) assert.deepEqual(byKey.get(row[key]), row, table);
    }
  });

  it('gets a new row for what was stale, none for what was fresh, and all it lacked', () => {
    for (const [index, { listing_id: id }] of early.known.entries()) {
      assert.equal(dump.listings[id]?.length, 1);
      assert.equal(dump.listings_dynamic[id]?.length, index % 2 === 0 ? 1 : 2, `listing ${id}`);
    }
    const known = new Set(
      early.known.flatMap((listing) => [listing.listing_id, listing.shop_id]).map(String),
    );
    const odd = new Set(Object.values(early.forms).map((listing) => String(listing.listing_id)));
    const faults = compareWithTruth(dump, truth).filter((fault) => {
      const [id = ''] = /\d{7,}/.exec(fault) ?? [];
      return !known.has(id) && !odd.has(id);
    });
    assert.deepEqual(faults, []);
  });

  it('has every review once: none doubled, and those back that its old key had lost', async () => {
    const right = ascending(Object.values(truth.reviews).flat());
    assert.deepEqual(ascending(Object.keys(dump.reviews).map(Number)), right);
    assert.equal(await rig.number('SELECT count(*) AS n FROM reviews WHERE transaction_id IS NULL'), 0);
    assert.equal(await rig.number('SELECT count(*) AS n FROM reviews'), right.length);
    const shops = new Set(early.known.map((listing) => listing.shop_id));
    const theirs = Object.entries(truth.reviews).filter(([shop]) => shops.has(Number(shop)));
    const lost = theirs.flatMap(([, ids]) => ids).length - early.rows.reviews.length;
    assert.ok(lost > 0, 'the world has no reviews that the old key would lose');
  });

  it('keeps good images, and has the empty, placeholder and missing ones repaired', async () => {
    const file = (form: Form): Promise<Buffer> =>
      readFile(rig.path('images', `${early.forms[form].listing_id}.jpg`));
    const asked = (form: Form): boolean =>
      downloads.has(new URL(early.forms[form].image?.url ?? '').pathname);
    for (const form of ['whole', 'bare', 'legacy', 'noted'] as const) {
      assert.deepEqual(await file(form), early.good, form);
      assert.equal(asked(form), false, form);
    }
    for (const form of ['nulls', 'marker', 'gone', 'none', 'error'] as const) {
      const { listing_id, image } = early.forms[form];
      assert.equal(dump.images[`${listing_id}.jpg`]?.[0]?.['fault'], null, form);
      assert.equal(dump.images[`${listing_id}.jpg`]?.[0]?.['shows'], `image ${image?.image_id}`, form);
    }
    const { listing_id, image } = early.forms.list;
    assert.deepEqual(await readFile(rig.path('images', `${listing_id}_${image?.image_id}.jpg`)), early.good);
    assert.deepEqual(await readFile(rig.path('images', '777.jpg')), early.good);
    assert.ok(dump.open_findings['image-without-entry 777.jpg']);
  });

  it('keeps unknown entries value for value and completes those of listings still offered', async () => {
    const text = await readFile(rig.path('image_metadata.json'), 'utf8');
    for (const line of UNKNOWN.split(',\n')) assert.ok(text.includes(line), line);
    const json = await rig.json();
    for (const form of ['nulls', 'marker', 'gone', 'none', 'error', 'bare'] as const) {
      const { listing_id, image, shop_id, when_made } = early.forms[form];
      const { image_id, hex, suffix } = image ?? { image_id: null, hex: null, suffix: null };
      const whole = { image_id, shop_id, hex, suffix, when_made };
      // Of an image kept for its id alone the rest need not be known.
      if (form === 'bare') assert.equal((json[listing_id] as Record<string, unknown>)['image_id'], image_id);
      else assert.deepEqual(json[listing_id], whole, form);
    }
    const entry = (form: Form): Record<string, unknown> =>
      json[early.forms[form].listing_id] as Record<string, unknown>;
    assert.deepEqual(entry('whole'), entryOf(early.forms.whole));
    assert.deepEqual(entry('noted'), { ...entryOf(early.forms.noted), note: 'mine' });
    assert.deepEqual(entry('before'), {
      shop_id: early.forms.before.shop_id,
      when_made: early.forms.before.when_made,
    });
    assert.equal(entry('legacy')['image_id'], early.forms.legacy.image?.image_id);
    for (const [key, value] of Object.entries(listForm(early.forms.list)))
      assert.deepEqual(entry('list')[key], value);
  });

  it('has nothing more to be done by a second run', async () => {
    const text = await readFile(rig.path('image_metadata.json'), 'utf8');
    await rig.market.resetRequests();
    assert.equal((await rig.run()).code, 0);
    assert.deepEqual(Object.keys(await rig.market.counts()), ['/v3/application/listings/active']);
    assert.equal(await readFile(rig.path('image_metadata.json'), 'utf8'), text);
  });
});

it('a malformed image_metadata.json is refused with its line and column, and left as it is', async () => {
  const broken: Record<string, [text: string, at: string]> = {
    'a value that is missing': ['{\n"1": {"image_id": 5},\n"2": {"image_id": }\n}\n', '3:'],
    'a comma too many': ['{\n"1": 5,\n}\n', '3:1'],
    'an end too early': ['{\n"1": {"image_id": 5', '2:'],
    'a list': ['[1, 2]\n', '1:1'],
    'an empty file': ['', '1:1'],
  };
  await withRig({}, async (rig) => {
    for (const [what, [text, at]] of Object.entries(broken)) {
      await writeFile(rig.path('image_metadata.json'), text);
      const { mtimeMs } = await stat(rig.path('image_metadata.json'));
      const { code, stdout, stderr } = await rig.run();
      assert.equal(code, 2, what);
      assert.equal(stdout, '');
      assert.ok(stderr.startsWith(`image_metadata.json:${at}`), `${what}: ${stderr}`);
      assert.match(stderr, /^image_metadata\.json:\d+:\d+: .+\nThe file was left unchanged\./);
      assert.equal(await readFile(rig.path('image_metadata.json'), 'utf8'), text);
      assert.equal((await stat(rig.path('image_metadata.json'))).mtimeMs, mtimeMs);
      assert.equal(existsSync(rig.path('image_metadata.json.tmp')), false);
    }
    assert.deepEqual(await rig.market.counts(), {});
  });
});

/** Puts the early system's files in place: a part of what the marketplace offers, as it was some days ago. */
async function settle(rig: Rig): Promise<Early> {
  const { listings, shopFigures } = await rig.truth();
  const since = listings.filter((listing) => listing.since2000 && listing.image);
  const known = since.slice(0, KNOWN);
  const odd = since.slice(KNOWN, KNOWN + FORMS.length - 1);
  const old = listings.find((listing) => !listing.since2000);
  const forms = Object.fromEntries(FORMS.map((form, index) => [form, odd[index] ?? old])) as Early['forms'];

  const database = await Database.openRollback(rig.path('etsy_data.db'));
  for (const statement of EARLY_TABLES.split(';\n')) await database.run(statement);
  for (const [index, listing] of known.entries())
    await addListing(database, listing, index % 2 === 0 ? FRESH : STALE);
  const shops = [...new Set(known.map((listing) => listing.shop_id))];
  for (const shop of shops) {
    await database.run('INSERT INTO shops VALUES (?, 1400000000, ?, 1, NULL, ?)', [
      shop,
      `https://early/${shop}`,
      'XX',
    ]);
    const sold = shopFigures.find(({ shop_id }) => shop_id === shop)?.transaction_sold_count ?? 0;
    await database.run(
      'INSERT INTO shops_dynamic (shop_id, snapshot_timestamp, transaction_sold_count) VALUES (?, ?, ?)',
      [shop, STALE, sold],
    );
    for (const review of await reviewsOf(rig, shop)) await addReview(database, review);
  }
  const last = Object.fromEntries(shops.map((shop) => [shop, STALE]));
  await database.run("INSERT INTO sync_state VALUES ('last_review_timestamps', ?)", [JSON.stringify(last)]);
  const rows = {} as Early['rows'];
  for (const table of [
    'shops',
    'shops_dynamic',
    'listings',
    'listings_dynamic',
    'reviews',
    'sync_state',
  ] as const) {
    rows[table] = await database.all(`SELECT * FROM ${table}`);
  }
  await database.close();

  const good = await download(since.at(-1)?.image?.url ?? '');
  await mkdir(rig.path('images'));
  const put = (name: string, bytes: Buffer): Promise<void> => writeFile(rig.path('images', name), bytes);
  for (const form of ['whole', 'bare', 'legacy', 'noted'] as const)
    await put(`${forms[form].listing_id}.jpg`, good);
  for (const { listing_id } of known) await put(`${listing_id}.jpg`, good);
  await put(`${forms.nulls.listing_id}.jpg`, Buffer.alloc(0));
  await put(`${forms.marker.listing_id}.jpg`, whitePixel());
  await put(`${forms.list.listing_id}_${forms.list.image?.image_id}.jpg`, good);
  await put('777.jpg', good);

  const entries: [number, unknown][] = [
    ...known.map((listing): [number, unknown] => [listing.listing_id, entryOf(listing)]),
    ...FORMS.map((form): [number, unknown] => [forms[form].listing_id, inForm(form, forms[form])]),
  ];
  const lines = entries.map(([id, value]) => `"${id}": ${JSON.stringify(value)}`);
  await writeFile(rig.path('image_metadata.json'), `{${[...lines, UNKNOWN].join(',\n')}}`);
  return { rows, known, forms, good };
}

function inForm(form: Form, listing: TruthListing): unknown {
  const { shop_id, when_made, image } = listing;
  switch (form) {
    case 'whole':
      return entryOf(listing);
    case 'noted':
      return { ...entryOf(listing), note: 'mine' };
    case 'nulls':
      return { ...entryOf(listing), image_id: null, hex: null, suffix: null };
    case 'marker':
      return { ...entryOf(listing), image_id: 9_999_999_999, hex: null, suffix: null };
    case 'bare':
      return image?.image_id;
    case 'gone':
      return '404';
    case 'none':
      return 'no_images';
    case 'error':
      return 'cdn_error';
    case 'legacy':
      return { image_id: image?.image_id, shop_id };
    case 'list':
      return listForm(listing);
    case 'before':
      return { shop_id, when_made };
  }
}

function entryOf({ image, shop_id, when_made }: TruthListing): Record<string, unknown> {
  return { image_id: image?.image_id, shop_id, hex: image?.hex, suffix: image?.suffix, when_made };
}

function listForm({ image, shop_id, when_made }: TruthListing): Record<string, unknown> {
  const { image_id, hex, suffix } = image ?? {};
  const images = [{ image_id, hex, suffix, is_primary: true }];
  return { shop_id, when_made, images, price: 129.5, background_removed: false };
}

async function addReview(to: Tx, review: Review): Promise<void> {
  const { shop_id, listing_id, buyer_user_id, rating, language, create_timestamp } = review;
  const values = [
    shop_id,
    listing_id,
    buyer_user_id ?? null,
    rating,
    review.review,
    language,
    create_timestamp,
  ];
  await to.run(
    `INSERT OR IGNORE INTO reviews (shop_id, listing_id, buyer_user_id, rating, review, language, create_timestamp)
     SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5, r.value ->> 6
     FROM json_each(?) AS r`,
    [JSON.stringify([values])],
  );
}

/** What the early system had read until it was last run. */
async function reviewsOf(rig: Rig, shop: number): Promise<Review[]> {
  const found: Review[] = [];
  for (let offset = 0; ; offset += 100) {
    const url = `${rig.market.apiUrl}/shops/${shop}/reviews?limit=100&offset=${offset}&max_created=${STALE}`;
    const answer = await fetch(url, { headers: { 'x-api-key': rig.market.key } });
    const { count, results } = (await answer.json()) as { count: number; results: Review[] };
    found.push(...results);
    if (offset + 100 >= count) return found;
  }
}

function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

async function download(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

/** The early system's mark of a failed download. */
function whitePixel(): Buffer {
  return encode({ width: 1, height: 1, data: Buffer.alloc(4, 0xff) }, 50).data;
}
