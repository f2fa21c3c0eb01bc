import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { plainText } from '../../lib/report/html.ts';
import { change } from '../report-rig.ts';
import { storePerTest } from '../store-rig.ts';
import { restoreClock, tenWeeks } from '../ten-weeks.ts';
import type { TenWeeks } from '../ten-weeks.ts';

type Row = Record<string, string | number | null>;
type Group = { readonly id: number; readonly rows: Row[] };

/** What the views are to hold, worked out from the tables in plain code. */
class Tables {
  readonly tables: Readonly<Record<string, Row[]>>;

  constructor(tables: Readonly<Record<string, Row[]>>) {
    this.tables = tables;
  }

  of(name: string): Row[] {
    return this.tables[name] ?? [];
  }

  /** Rows by an id, each group in the order of their time. */
  by(name: string, key: string, time: string): Group[] {
    const groups = new Map<number, Row[]>();
    for (const row of this.of(name)) {
      const id = Number(row[key]);
      groups.set(id, [...(groups.get(id) ?? []), row]);
    }
    return Array.from(groups, ([id, rows]) => ({
      id,
      rows: rows.toSorted((a, b) => Number(a[time]) - Number(b[time]) || Number(a['id']) - Number(b['id'])),
    }));
  }

  readings(listing: unknown): Row[] {
    return this.#readings.get(Number(listing)) ?? [];
  }

  get #readings(): Map<number, Row[]> {
    this.#kept ??= new Map(
      this.by('listings_dynamic', 'listing_id', 'snapshot_timestamp').map(({ id, rows }) => [id, rows]),
    );
    return this.#kept;
  }
  #kept: Map<number, Row[]> | undefined;
}

const NAMES = [
  'listings',
  'listings_dynamic',
  'shops',
  'shops_dynamic',
  'reviews',
  'review_sync',
  'taxonomy',
  'images',
];

const time = (seconds: unknown): string | null =>
  typeof seconds === 'number' ? new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ') : null;
const date = (seconds: unknown): string | null => time(seconds)?.slice(0, 10) ?? null;
const monday = (seconds: unknown): string | null => {
  const day = Math.floor(Number(seconds) / 86_400);
  return date((day - ((day + 3) % 7)) * 86_400);
};
const price = (row: Row = {}): number | null =>
  typeof row['price_amount'] === 'number' ? row['price_amount'] / Number(row['price_divisor']) : null;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const last = (rows: readonly Row[], has: string): Row | undefined =>
  rows.findLast((row) => row[has] !== null);

function shopName(shop: Row | undefined): string | null {
  return /\/shop\/([^?]*)/.exec(String(shop?.['url']))?.[1] ?? null;
}

const expected: Readonly<Record<string, (all: Tables) => Row[]>> = {
  categories: (all) => {
    const line = (id: unknown): Row[] => {
      const one = all.of('taxonomy').find(({ taxonomy_id }) => taxonomy_id === id);
      return one ? [...line(one['parent_id']), one] : [];
    };
    return all.of('taxonomy').map(({ taxonomy_id, parent_id, name }) => ({
      id: taxonomy_id ?? null,
      parent: parent_id ?? null,
      name: name ?? null,
      path: line(taxonomy_id)
        .map((one) => one['name'])
        .join(' > '),
      depth: line(taxonomy_id).length - 1,
    }));
  },
  current_listings: (all) =>
    all.of('listings').map((l) => {
      const readings = all.readings(l['listing_id']);
      const newest = readings.at(-1);
      const priced = last(readings, 'price_amount') ?? l;
      const image = all
        .of('images')
        .find(({ listing_id, state }) => listing_id === l['listing_id'] && state === 'done');
      return {
        listing_id: l['listing_id'] ?? null,
        title: l['title'] === null ? null : plainText(String(l['title'])),
        category:
          all.of('taxonomy').find(({ taxonomy_id }) => taxonomy_id === l['taxonomy_id'])?.['name'] ?? null,
        shop_id: l['shop_id'] ?? null,
        shop: shopName(all.of('shops').find(({ shop_id }) => shop_id === l['shop_id'])),
        price: price(priced),
        currency: priced['price_currency'] ?? null,
        state: newest?.['state'] ?? null,
        gone: newest?.['state'] === 'removed' ? 1 : 0,
        quantity: last(readings, 'quantity')?.['quantity'] ?? null,
        favorites: last(readings, 'num_favorers')?.['num_favorers'] ?? null,
        views: last(readings, 'views')?.['views'] ?? null,
        when_made: l['when_made'] ?? null,
        who_made: l['who_made'] ?? null,
        listed_on: date(l['creation_timestamp']),
        first_seen: time(l['snapshot_timestamp']),
        last_read: time(newest?.['snapshot_timestamp']),
        url: l['url'] ?? null,
        image: image ? `${l['listing_id']}.jpg` : null,
        category_id: l['taxonomy_id'] ?? null,
      };
    }),
  listing_history: (all) =>
    all.of('listings_dynamic').map((d) => ({
      listing_id: d['listing_id'] ?? null,
      read_at: time(d['snapshot_timestamp']),
      week: monday(d['snapshot_timestamp']),
      price: price(d),
      currency: d['price_currency'] ?? null,
      state: d['state'] ?? null,
      quantity: d['quantity'] ?? null,
      favorites: d['num_favorers'] ?? null,
      views: d['views'] ?? null,
    })),
  price_changes: (all) =>
    all.by('listings_dynamic', 'listing_id', 'snapshot_timestamp').flatMap(({ id, rows }) => {
      const priced = rows.filter((row) => row['price_amount'] !== null);
      return priced.slice(1).flatMap((row, index) => {
        const [was, is] = [price(priced[index]) ?? 0, price(row) ?? 0];
        if (was === is || priced[index]?.['price_currency'] !== row['price_currency']) return [];
        return {
          listing_id: id,
          read_at: time(row['snapshot_timestamp']),
          before: was,
          price: is,
          currency: row['price_currency'] ?? null,
          percent: rounded((100 * is) / was - 100, 1),
        };
      });
    }),
  favorites_growth: (all) =>
    all.of('listings').map(({ listing_id = null }) => {
      const liked = all.readings(listing_id).filter((row) => row['num_favorers'] !== null);
      const [from, to] = [liked[0] ?? {}, liked.at(-1) ?? {}];
      const seconds = Number(to['snapshot_timestamp']) - Number(from['snapshot_timestamp']);
      const gained = Number(to['num_favorers']) - Number(from['num_favorers']);
      return {
        listing_id,
        favorites: to['num_favorers'] ?? null,
        gained,
        days: rounded(seconds / 86_400, 1),
        per_week: seconds < 86_400 ? null : rounded((gained * 604_800) / seconds, 2),
      };
    }),
  current_shops: (all) =>
    all.of('shops').map((shop) => {
      const d =
        all
          .by('shops_dynamic', 'shop_id', 'snapshot_timestamp')
          .find(({ id }) => id === shop['shop_id'])
          ?.rows.at(-1) ?? {};
      return {
        shop_id: shop['shop_id'] ?? null,
        shop: shopName(shop),
        country:
          shop['shop_location_country_iso'] ??
          shop['shipping_from_country_iso'] ??
          (shop['is_shop_us_based'] === 1 ? 'US' : null),
        opened_on: date(shop['create_date']),
        active_listings: d['listing_active_count'] ?? null,
        sold: d['transaction_sold_count'] ?? null,
        favorites: d['num_favorers'] ?? null,
        rating_past_year: d['review_average'] ?? null,
        reviews_past_year: d['review_count'] ?? null,
        last_read: time(d['snapshot_timestamp']),
      };
    }),
  weekly_flow: (all) => {
    const weeks = new Map<string | null, { new: number; gone: number }>();
    const add = (seconds: unknown, what: 'new' | 'gone'): void => {
      const week = monday(seconds);
      const flow = weeks.get(week) ?? { new: 0, gone: 0 };
      flow[what]++;
      weeks.set(week, flow);
    };
    for (const { snapshot_timestamp } of all.of('listings')) add(snapshot_timestamp, 'new');
    for (const { rows } of all.by('listings_dynamic', 'listing_id', 'snapshot_timestamp'))
      rows.forEach((row, index) => {
        const before = rows[index - 1];
        if (row['state'] === 'removed' && before && before['state'] !== 'removed')
          add(row['snapshot_timestamp'], 'gone');
      });
    return Array.from(weeks, ([week, flow]) => ({ week, ...flow }));
  },
  shop_reviews: (all) =>
    all.by('reviews', 'shop_id', 'create_timestamp').map(({ id, rows }) => {
      const synced = all.of('review_sync').find(({ shop_id }) => shop_id === id)?.['started_at'];
      const newest = Math.max(...all.of('reviews').map((one) => Number(one['create_timestamp'])));
      const at = rows.map((one) => Number(one['create_timestamp']));
      return {
        shop_id: id,
        shop: shopName(all.of('shops').find(({ shop_id }) => shop_id === id)),
        reviews: rows.length,
        rating: rounded(rows.reduce((sum, one) => sum + Number(one['rating']), 0) / rows.length, 2),
        past_year: at.filter((one) => one > Number(synced ?? newest) - 365 * 86_400).length,
        first_on: date(Math.min(...at)),
        newest_on: date(Math.max(...at)),
      };
    }),
  listing_tags: (all) =>
    all.of('listings').flatMap(({ listing_id = null, tags }) =>
      (JSON.parse(String(tags ?? '[]')) as string[]).map((tag) => ({
        listing_id,
        tag: tag.replaceAll('&amp;', '&'),
      })),
    ),
};

function sorted(rows: readonly Row[]): Row[] {
  const key = (row: Row): string => JSON.stringify(Object.values(row));
  return rows.map((row) => ({ ...row })).toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

describe('the views of ten weeks', () => {
  let world: TenWeeks;
  let all: Tables;
  before(async () => {
    world = await tenWeeks();
    await change(world.rig, async (tx) => {
      await tx.run("UPDATE images SET state = 'done' WHERE listing_id % 2 = 0");
      await tx.run('UPDATE shops SET shop_location_country_iso = NULL WHERE shop_id % 2 = 0');
      await tx.run('UPDATE shops SET shipping_from_country_iso = NULL WHERE shop_id % 3 > 0');
      // A shop whose reviews were never read to the end.
      await tx.run('DELETE FROM review_sync WHERE shop_id = (SELECT min(shop_id) FROM reviews)');
    });
    const tables: Record<string, Row[]> = {};
    for (const name of NAMES) tables[name] = await world.rig.rows<Row>(`SELECT * FROM ${name}`);
    all = new Tables(tables);
  });
  after(async () => {
    restoreClock();
    await world.rig.close();
  });

  for (const [name, rowsOf] of Object.entries(expected)) {
    it(`${name} has the rows that the tables give`, async () => {
      const rows = await world.rig.rows<Row>(`SELECT * FROM ${name}`);
      assert.ok(rows.length > 1, 'nothing to compare');
      assert.deepEqual(sorted(rows), sorted(rowsOf(all)));
    });
  }

  it('are all compared', async () => {
    const views = await world.rig.rows<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'view'",
    );
    assert.deepEqual(views.map(({ name }) => name).toSorted(), Object.keys(expected).toSorted());
  });

  const current = async (id: number): Promise<Row> =>
    (await world.rig.rows<Row>('SELECT * FROM current_listings WHERE listing_id = ?', [id]))[0] ?? {};

  it('keep what was last known of a listing that is gone', async () => {
    const one = await current(world.removed);
    assert.deepEqual([one['state'], one['gone']], ['removed', 1]);
    assert.ok(Number(one['price']) > 0 && one['currency'] !== null && one['favorites'] !== null);
  });

  it('count one that came back as there, gone once and new once', async () => {
    assert.equal((await current(world.returned))['gone'], 0);
    const readings = all.readings(world.returned);
    assert.ok(readings.some(({ state }) => state === 'removed'));
    const flow = await world.rig.rows<{ new: number }>('SELECT sum(new) AS new FROM weekly_flow');
    assert.equal(flow[0]?.new, all.of('listings').length);
  });

  it('take another currency for no change of the price', async () => {
    assert.equal((await current(world.converted))['currency'], 'EUR');
    const changes = await world.rig.rows<Row>('SELECT * FROM price_changes WHERE listing_id = ?', [
      world.converted,
    ]);
    const readings = all.readings(world.converted).filter((one) => one['price_amount'] !== null);
    const at = readings.findIndex((one) => one['price_currency'] === 'EUR');
    assert.ok(at > 0);
    assert.ok(!changes.some(({ read_at }) => read_at === time(readings[at]?.['snapshot_timestamp'])));
  });

  it('go without a price where a reading has none', async () => {
    const history = await world.rig.rows<Row>(
      'SELECT price FROM listing_history WHERE listing_id = ? ORDER BY read_at',
      [world.unpriced],
    );
    assert.deepEqual(
      history.slice(0, 3).map((one) => one['price'] === null),
      [true, true, false],
    );
    assert.ok(Number((await current(world.unpriced))['price']) > 0);
  });
});

describe('titles in the views', () => {
  const store = storePerTest();
  const piece = fc.oneof(
    fc.constantFrom('&quot;', '&#39;', '&amp;', '&lt;', '&gt;', '&apos;', '&', ';', '#', '&#', '&amp;quot;'),
    fc.constantFrom(
      '&#0;',
      '&#55296;',
      '&#1114112;',
      '&#x27;',
      '&nbsp;',
      '&#128512;',
      '&;',
      '&&amp;;',
      '36"',
    ),
    fc.nat(1_200_000).map((code) => `&#${code};`),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  );

  it('are as their sellers wrote them, whatever is in them', async () => {
    const titles = fc.sample(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('').replaceAll('\0', '')),
      { numRuns: 400, seed: 7 },
    );
    await store.database.write((tx) =>
      tx.run(`INSERT INTO listings (listing_id, shop_id, title) SELECT key + 1, 1, value FROM json_each(?)`, [
        JSON.stringify(titles),
      ]),
    );
    const rows = await store.rows('SELECT title FROM current_listings ORDER BY listing_id');
    assert.deepEqual(
      rows.map(({ title }) => title),
      titles.map(plainText),
    );
  });
});
