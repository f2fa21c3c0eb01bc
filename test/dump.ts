import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Database } from '../lib/store/database.ts';
import type { Truth, TruthListing } from './marketplace/index.ts';

type Row = Readonly<Record<string, unknown>>;
/** What is held under each key, in the order it came to be. */
type Table = Readonly<Record<string, readonly Row[]>>;

/**
 * What an installation holds, without all that may differ between two that hold the same: ids of rows, times of
 * snapshots, addresses of servers, counts of attempts.
 */
export interface Dump {
  readonly shops: Table;
  readonly shops_dynamic: Table;
  readonly listings: Table;
  readonly listings_dynamic: Table;
  /** By transaction id; of early rows without one by shop, listing and second. */
  readonly reviews: Table;
  /** The table, by listing id. */
  readonly meta_data: Table;
  /** The file, by key. */
  readonly json: Table;
  /** What is recorded of each listing's image. */
  readonly image_records: Table;
  /** The files in images/, by name: sha256, the comment the marketplace puts into it, what is wrong with it. */
  readonly images: Table;
  readonly open_findings: Table;
  /** Asked for, but not answered yet. */
  readonly wanted: Table;
  readonly review_passes_open: Table;
}

const QUERIES = {
  shops: 'SELECT shop_id AS "key", * FROM shops',
  shops_dynamic: 'SELECT shop_id AS "key", * FROM shops_dynamic ORDER BY snapshot_timestamp, id',
  listings: 'SELECT listing_id AS "key", * FROM listings',
  listings_dynamic: 'SELECT listing_id AS "key", * FROM listings_dynamic ORDER BY snapshot_timestamp, id',
  reviews: `SELECT coalesce(transaction_id, 'early ' || shop_id || ' ' || listing_id || ' ' || create_timestamp) AS "key", *
    FROM reviews ORDER BY create_timestamp, transaction_id`,
  image_records: 'SELECT listing_id AS "key", state, image_id, reason FROM images',
  open_findings: `SELECT kind || ' ' || subject AS "key", detail FROM findings
    WHERE repaired = 0 AND run_id = (SELECT max(id) FROM runs)`,
  wanted: 'SELECT listing_id AS "key" FROM wanted',
  review_passes_open: `SELECT s.shop_id AS "key" FROM shops AS s LEFT JOIN review_sync AS r USING (shop_id)
    WHERE r.completed_at IS NULL OR r.pass IS NOT NULL`,
} satisfies Partial<Record<keyof Dump, string>>;

const TIMES_AND_IDS: ReadonlySet<string> = new Set(['key', 'id', 'snapshot_timestamp']);

export async function dumpOf(folder: string): Promise<Dump> {
  const database = await Database.open(join(folder, 'etsy_data.db'), { readOnly: true });
  try {
    const read = async (name: keyof typeof QUERIES): Promise<Table> => {
      const rows = await database.read.all<Row>(QUERIES[name]);
      return tableOf(rows.map((row) => [String(row['key']), plain(row)]));
    };
    const entries = await database.read.all<{ id: number; value: string }>(
      'SELECT listing_id AS id, value FROM meta_data',
    );
    return {
      shops: await read('shops'),
      shops_dynamic: await read('shops_dynamic'),
      listings: await read('listings'),
      listings_dynamic: await read('listings_dynamic'),
      reviews: await read('reviews'),
      meta_data: tableOf(
        entries.map(({ id, value }) => [String(id), { entry: JSON.parse(value) as unknown }]),
      ),
      image_records: await read('image_records'),
      open_findings: await read('open_findings'),
      wanted: await read('wanted'),
      review_passes_open: await read('review_passes_open'),
      json: await jsonFile(join(folder, 'image_metadata.json')),
      images: await imageFiles(join(folder, 'images')),
    };
  } finally {
    await database.close();
  }
}

/** How two dumps differ, in words; nothing where they are equal. */
export function differences(one: Dump, other: Dump): string[] {
  return Object.keys(one).flatMap((name) => {
    const section = name as keyof Dump;
    const [left, right] = [one[section], other[section]];
    const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
    return [...keys].flatMap((key) =>
      isDeepStrictEqual(left[key], right[key])
        ? []
        : `${section} ${key}: ${JSON.stringify(left[key])} against ${JSON.stringify(right[key])}`,
    );
  });
}

/** What `now` has more of than `before`, by key: rows that were appended meanwhile. */
export function added(before: Table, now: Table): Record<string, number> {
  const grown = Object.entries(now).map(
    ([key, rows]) => [key, rows.length - (before[key]?.length ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, count]) => count !== 0));
}

export interface Allowed {
  /** An earlier dump of the same installation: its images are kept, whatever their listings show now. */
  readonly before?: Dump;
  readonly withoutImages?: boolean;
}

/** How a dump differs from what a perfect sync must hold, in words. */
export function compareWithTruth(
  dump: Dump,
  truth: Truth,
  { before, withoutImages = false }: Allowed = {},
): string[] {
  const active = new Map(truth.listings.map((listing) => [String(listing.listing_id), listing]));
  return [
    ...truth.listings.flatMap((listing) => [
      ...entryFaults(dump, listing, before),
      ...rowFaults(dump, listing),
    ]),
    ...(withoutImages ? [] : truth.listings).flatMap((listing) => imageFaults(dump, listing, before)),
    ...truth.shopFigures.flatMap((shop) => shopFaults(dump, shop)),
    ...Object.entries(truth.reviews).flatMap(([shop, reviews]) => reviewFaults(dump, shop, reviews)),
    ...strangers(dump, active),
    ...Object.keys(dump.wanted).map((id) => `listing ${id} is still to be asked for`),
    ...Object.keys(dump.review_passes_open).map((id) => `the reviews of shop ${id} are not complete`),
  ];
}

function entryFaults(
  { json, meta_data: table }: Dump,
  listing: TruthListing,
  before: Dump | undefined,
): string[] {
  const { listing_id: id, shop_id, when_made, since2000, image } = listing;
  const [entry] = json[id] ?? [];
  if (!entry) return [`listing ${id} has no entry in image_metadata.json`];
  if (!isDeepStrictEqual(entry, table[id]?.[0]?.['entry'])) {
    return [`the entry of listing ${id} is not the one of the table`];
  }
  const named = { image_id: image?.image_id ?? null, hex: image?.hex ?? null, suffix: image?.suffix ?? null };
  const right = since2000 ? { ...named, shop_id, when_made } : { shop_id, when_made };
  const kept = before?.json[id]?.[0];
  if (isDeepStrictEqual(entry, right) || (kept && isDeepStrictEqual(entry, kept))) return [];
  return [`the entry of listing ${id} is ${JSON.stringify(entry)}, not ${JSON.stringify(right)}`];
}

function rowFaults({ listings, listings_dynamic: dynamics }: Dump, listing: TruthListing): string[] {
  const { listing_id: id, since2000, price, views } = listing;
  const [row, ...more] = listings[id] ?? [];
  if (!since2000) return row ? [`listing ${id} was not made since 2000, but is in listings`] : [];
  if (!row || more.length > 0) return [`listing ${id} has ${more.length + (row ? 1 : 0)} rows in listings`];
  const latest = dynamics[id]?.at(-1);
  if (!latest) return [`listing ${id} has no row in listings_dynamic`];
  const money = {
    price_amount: price.amount,
    price_divisor: price.divisor,
    price_currency: price.currency_code,
  };
  const { shop_id, taxonomy_id, when_made, state, ending_timestamp, quantity, num_favorers } = listing;
  const figures = { state, ending_timestamp, quantity, num_favorers, views, ...money };
  const lasting = { shop_id, taxonomy_id, when_made };
  return [
    ...unlike(`listings ${id}`, row, dynamics[id]?.length === 1 ? { ...lasting, ...money } : lasting),
    ...unlike(`the newest of listings_dynamic ${id}`, latest, figures),
  ];
}

function imageFaults(dump: Dump, listing: TruthListing, before: Dump | undefined): string[] {
  const { listing_id: id, since2000, image } = listing;
  const name = `${id}.jpg`;
  const [file] = dump.images[name] ?? [];
  const [record] = dump.image_records[id] ?? [];
  if (!since2000) return file ? [`listing ${id} was not made since 2000, but has an image`] : [];
  if (file) {
    if (file['fault'] !== null)
      return [`the image of listing ${id} is damaged: ${JSON.stringify(file['fault'])}`];
    if (record?.['state'] !== 'done') return [`the image of listing ${id} is not on record as done`];
    const isKept = before && isDeepStrictEqual(before.images[name], dump.images[name]);
    if (isKept || file['shows'] === `image ${image?.image_id}`) return [];
    return [`the image of listing ${id} is ${JSON.stringify(file['shows'])}, not image ${image?.image_id}`];
  }
  if (image?.serves === 'jpeg')
    return [`listing ${id} has no image, which could be had: ${JSON.stringify(record)}`];
  const expected = image ? ['failed', 'missing'] : ['none'];
  if (!expected.includes(String(record?.['state'])) || !record?.['reason']) {
    return [
      `why listing ${id} has no image (${image?.serves ?? 'none'}) is not on record: ${JSON.stringify(record)}`,
    ];
  }
  return [];
}

function shopFaults(dump: Dump, shop: Truth['shopFigures'][number]): string[] {
  const { shop_id: id, updated_timestamp: _, accepts_custom_requests: accepts, ...figures } = shop;
  const rows = dump.shops[id] ?? [];
  if (rows.length !== 1) return [`shop ${id} has ${rows.length} rows in shops`];
  const latest = dump.shops_dynamic[id]?.at(-1);
  if (!latest) return [`shop ${id} has no row in shops_dynamic`];
  return unlike(`the newest of shops_dynamic ${id}`, latest, {
    ...figures,
    accepts_custom_requests: Number(accepts),
  });
}

function reviewFaults({ reviews }: Dump, shop: string, ids: readonly number[]): string[] {
  const missing = ids.filter((id) => !reviews[id]);
  const wrong = ids.filter((id) =>
    reviews[id]?.some((row, index) => index > 0 || String(row['shop_id']) !== shop),
  );
  const right = new Set(ids.map(String));
  const foreign = Object.entries(reviews).filter(
    ([id, rows]) => String(rows[0]?.['shop_id']) === shop && !right.has(id),
  );
  return [
    ...missing.map((id) => `review ${id} of shop ${shop} is missing`),
    ...wrong.map((id) => `review ${id} of shop ${shop} is there twice, or of another shop`),
    ...foreign.map(([id]) => `review ${id} of shop ${shop} is not one of its reviews`),
  ];
}

/** Rows of what is not offered any more: it once was, and its newest row tells that it no longer is. */
function strangers(dump: Dump, active: ReadonlyMap<string, TruthListing>): string[] {
  const offered = Object.keys(dump.listings).filter((id) => {
    return !active.has(id) && dump.listings_dynamic[id]?.at(-1)?.['state'] === 'active';
  });
  const sellers = new Set(Object.values(dump.listings).map(([row]) => String(row?.['shop_id'])));
  const shops = Object.keys(dump.shops).filter((id) => !sellers.has(id));
  const sellersWithout = [...sellers].filter((id) => !dump.shops[id]);
  const unlisted = Object.keys(dump.listings).filter((id) => !dump.json[id]);
  return [
    ...offered.map((id) => `listing ${id} is no longer offered, which its newest row does not tell`),
    ...shops.map((id) => `shop ${id} has no listing`),
    ...sellersWithout.map((id) => `shop ${id} has listings, but no row in shops`),
    ...unlisted.map((id) => `listing ${id} is in listings, but not in image_metadata.json`),
  ];
}

function unlike(what: string, row: Row, expected: Row): string[] {
  return Object.entries(expected).flatMap(([column, value]) =>
    isDeepStrictEqual(row[column], value)
      ? []
      : `${what}: ${column} is ${JSON.stringify(row[column])}, not ${JSON.stringify(value)}`,
  );
}

function plain(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !TIMES_AND_IDS.has(column)));
}

function tableOf(entries: readonly (readonly [key: string, row: Row])[]): Table {
  const table: Record<string, Row[]> = {};
  for (const [key, row] of entries) (table[key] ??= []).push(row);
  return table;
}

export async function jsonFile(path: string): Promise<Table> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  return tableOf(Object.entries(JSON.parse(text) as Record<string, Row>));
}

export async function imageFiles(folder: string): Promise<Table> {
  const names = await readdir(folder).catch(() => []);
  // What was moved aside before another image took its place is not part of the data.
  const own = names.filter((name) => !name.endsWith('.kept'));
  const entries = own.map(async (name) => {
    const bytes = await readFile(join(folder, name));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return [name, { sha256, ...lookAt(bytes) }] as const;
  });
  return tableOf(await Promise.all(entries));
}

/** Walks a JPEG's segments to its picture, and looks whether the picture has an end. */
function lookAt(bytes: Buffer): { shows: string | null; fault: string | null } {
  let shows: string | null = null;
  if (bytes.length < 1024) return { shows, fault: `${bytes.length} bytes` };
  if (bytes.readUInt16BE(0) !== 0xffd8) return { shows, fault: 'no JPEG' };
  for (let at = 2; at + 4 <= bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes.readUInt16BE(at);
    if (marker >> 8 !== 0xff) return { shows, fault: `no segment at ${at}` };
    if (marker === 0xfffe) shows = bytes.toString('latin1', at + 4, at + 2 + bytes.readUInt16BE(at + 2));
    if (marker === 0xffda)
      return { shows, fault: bytes.readUInt16BE(bytes.length - 2) === 0xffd9 ? null : 'no end' };
  }
  return { shows, fault: 'no picture in it' };
}
