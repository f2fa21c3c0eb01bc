import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { decode } from 'jpeg-js';
import { classify } from '../../lib/dataset/when-made.ts';
import { Taxonomy } from '../../lib/dataset/taxonomy.ts';
import { count } from '../../lib/text/format.ts';
import { ReportPage, plain } from '../report-page.ts';
import { change, report, sum } from '../report-rig.ts';
import { Rig, START } from '../rig.ts';

const KNOWN = new Taxonomy([], undefined);

const DAY_S = 86_400;

interface Listing {
  readonly listing_id: number;
  readonly snapshot_timestamp: number;
  readonly taxonomy_id: number;
  readonly price_amount: number;
  readonly price_divisor: number;
  readonly price_currency: string;
  readonly when_made: string;
}

interface Reading {
  readonly listing_id: number;
  readonly snapshot_timestamp: number;
  readonly state: string;
  readonly quantity: number | null;
  readonly price_amount: number | null;
  readonly price_currency: string | null;
}

describe('the report of a dataset with a history of two runs', () => {
  let rig: Rig;
  let page: ReportPage;
  let listings: Listing[];

  before(async () => {
    // Enough for prices in several currencies.
    const categories = { 12371: { listings: 90 }, 12372: { listings: 130 } };
    rig = await Rig.open({ market: { seed: 31, categories, reviews: { perShop: 12 } } });
    for (const days of [0, 40]) {
      if (days > 0) await rig.advance(days);
      const { code, stderr } = await rig.run();
      assert.equal(code, 0, stderr);
    }
    await change(rig, async (tx) => {
      // Some were last read earlier than the run could have it; of one that is gone it was confirmed; one was not seen.
      const now = START / 1000 + 40 * DAY_S;
      await tx.run(
        'UPDATE listings_dynamic SET snapshot_timestamp = snapshot_timestamp - 864000 WHERE listing_id % 5 = 0 AND snapshot_timestamp > ?',
        [now - DAY_S],
      );
      await tx.run(
        `INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state)
         SELECT min(listing_id), ?, 'removed' FROM listings_dynamic WHERE state = 'removed'`,
        [now + 60],
      );
      await tx.run('UPDATE slices SET seen = seen - 1 WHERE id = (SELECT max(id) FROM slices)');
    });
    page = await report(rig);
    listings = await rig.rows<Listing>('SELECT * FROM listings');
  });
  after(() => rig.close());

  it('is sound', () => page.assertSound());

  it('is written again without a trace of the last one', async () => {
    await writeFile(rig.path('report.html'), 'x'.repeat(5_000_000));
    (await report(rig)).assertSound();
    assert.deepEqual(
      (await readdir(rig.folder)).filter((name) => name.startsWith('report')),
      ['report.html'],
    );
  });

  it('has the headline figures', async () => {
    const of = (table: string): Promise<number> => rig.number(`SELECT count(*) AS n FROM ${table}`);
    const readings = await rig.rows<Reading>(
      'SELECT * FROM listings_dynamic ORDER BY snapshot_timestamp, id',
    );
    const newest = new Map(readings.map((reading) => [reading.listing_id, reading]));
    const gone = listings.filter((one) => newest.get(one.listing_id)?.state === 'removed').length;
    const since = START / 1000 + 40 * DAY_S - 7 * DAY_S;
    const fresh = listings.filter(
      (one) => (newest.get(one.listing_id)?.snapshot_timestamp ?? 0) >= since,
    ).length;
    assert.ok(gone > 0 && fresh < listings.length, 'this world has both');
    const { tiles } = page;
    assert.deepEqual(tiles['Listings'], [
      count(listings.length),
      `${gone} of them gone since, of ${count(await of('meta_data'))} entries in the meta_data`,
    ]);
    assert.equal(tiles['Shops']?.[0], count(await of('shops')));
    assert.equal(tiles['Reviews']?.[0], count(await of('reviews')));
    assert.equal(tiles['Images']?.[0], count(await of("images WHERE state = 'done'")));
    assert.equal(
      tiles['Freshness']?.[0],
      `${(Math.round((fresh / listings.length) * 1000) / 10).toFixed(1)} %`,
    );
    assert.match(
      tiles['Last complete run']?.join(' ') ?? '',
      /^29 Sep 2026, 09:0\d; run 2, begun \d+ s before$/,
    );
  });

  it('holds what was seen against what Etsy counts, of the newest run', async () => {
    const slices = await rig.rows<{ taxonomy_id: number; counted: number; seen: number }>(
      'SELECT * FROM slices WHERE run_id = 2 AND split = 0 ORDER BY counted DESC',
    );
    assert.equal(slices.length, 2);
    assert.deepEqual(
      page.table('Listings by crawled category'),
      slices.map(({ taxonomy_id, counted, seen }) => ({
        Category: KNOWN.nameOf(taxonomy_id),
        'Etsy counts': count(counted),
        Seen: count(seen),
        Share:
          seen === counted
            ? '100 %'
            : `${(Math.min(999, Math.round((seen / counted) * 1000)) / 10).toFixed(1)} %`,
      })),
    );
  });

  it('has the quartiles of the newest prices in the most frequent currency, of what is on offer', async () => {
    const readings = await rig.rows<Reading & Listing>(
      'SELECT * FROM listings_dynamic ORDER BY snapshot_timestamp, id',
    );
    const newest = new Map(readings.map((reading) => [reading.listing_id, reading]));
    const priced = new Map(
      readings.filter((one) => one.price_amount !== null).map((reading) => [reading.listing_id, reading]),
    );
    const now = listings
      .filter(({ listing_id }) => newest.get(listing_id)?.state !== 'removed')
      .map(({ taxonomy_id, listing_id, ...first }) => {
        const { price_amount, price_divisor, price_currency } = priced.get(listing_id) ?? first;
        return { taxonomy_id, listing_id, price_amount, price_divisor, price_currency };
      });
    const USD = now.filter((one) => one.price_currency === 'USD');
    assert.ok(USD.length > now.length / 2 && now.length < listings.length);
    const changed = listings.filter((first) =>
      USD.some((one) => one.listing_id === first.listing_id && one.price_amount !== first.price_amount),
    );
    assert.ok(changed.length > 0, 'this world has prices that changed');
    const categories = [...new Set(USD.map((one) => one.taxonomy_id))];
    const expected = categories.map((id) => {
      const prices = USD.filter((one) => one.taxonomy_id === id)
        .map((one) => one.price_amount / one.price_divisor)
        .toSorted((a, b) => a - b);
      const money = (part: number): string =>
        `$${(prices[Math.ceil(prices.length * part) - 1] ?? NaN).toLocaleString('en-US', { minimumFractionDigits: 2 })}`;
      return {
        Category: KNOWN.nameOf(id),
        Listings: count(prices.length),
        Tenth: money(0.1),
        'First quarter': money(0.25),
        Median: money(0.5),
        'Third quarter': money(0.75),
        'Nine tenths': money(0.9),
      };
    });
    const byName = (a: { Category?: string }, b: { Category?: string }): number =>
      String(a.Category).localeCompare(String(b.Category));
    assert.deepEqual(page.table('Prices in USD by category').toSorted(byName), expected.toSorted(byName));
    const euros = now.filter((one) => one.price_currency === 'EUR').length;
    assert.match(
      plain(page.part('prices')),
      new RegExp(`€[\\d,.]+ median of ${count(euros)} pieces? in EUR`),
    );
  });

  it('tells all words of when_made, kept or only noted', async () => {
    const entries = await rig.rows<{ value: string }>('SELECT value FROM meta_data');
    const words = entries.map(({ value }) => (JSON.parse(value) as { when_made: string | null }).when_made);
    const rows = page.table('Listings by when they were made');
    assert.equal(sum(rows, 'Listings'), entries.length);
    const kept = rows.filter((row) => row['Kept as'] === 'rows');
    assert.equal(sum(kept, 'Listings'), words.filter((word) => classify(word, 2000) === 'since').length);
    const toOrder = words.filter((word) => word === 'made_to_order').length;
    assert.equal(rows[0]?.['When made'], 'Made to order');
    assert.equal(rows[0]['Listings'], count(toOrder));
    const order = rows.map((row) => row['When made']);
    assert.ok(order.indexOf('2000–2006') < order.indexOf('Before 2007'));
    assert.ok(order.indexOf('Before 2007') < order.indexOf('1990s'));
  });

  it('counts what is new, gone and changed, week by week', async () => {
    const readings = await rig.rows<Reading>(
      'SELECT * FROM listings_dynamic ORDER BY snapshot_timestamp, id',
    );
    const monday = (at: number): number =>
      (Math.floor(at / DAY_S) - ((Math.floor(at / DAY_S) + 3) % 7)) * DAY_S;
    const expected = new Map<string, { New: number; Gone: number; Changed: number }>();
    const week = (at: number): { New: number; Gone: number; Changed: number } => {
      const name = new Date(monday(at) * 1000).toLocaleDateString('en-US', {
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        timeZone: 'UTC',
      });
      const [month = '', day = '', year = ''] = name.replace(',', '').split(' ');
      const of = expected.get(`${day} ${month} ${year}`) ?? { New: 0, Gone: 0, Changed: 0 };
      expected.set(`${day} ${month} ${year}`, of);
      return of;
    };
    for (const one of listings) week(one.snapshot_timestamp).New += 1;
    const last = new Map<number, Reading>();
    for (const now of readings) {
      const then = last.get(now.listing_id);
      last.set(now.listing_id, now);
      if (!then || then.state === 'removed') continue;
      if (now.state === 'removed') week(now.snapshot_timestamp).Gone += 1;
      else if (
        now.state !== then.state ||
        now.quantity !== then.quantity ||
        now.price_amount !== then.price_amount ||
        now.price_currency !== then.price_currency
      )
        week(now.snapshot_timestamp).Changed += 1;
    }
    const rows = page.table('New, gone and changed listings per week');
    assert.equal(rows.length, 7);
    for (const row of rows) {
      const { New, Gone, Changed } = expected.get(row['Week that begins'] ?? '') ?? {
        New: 0,
        Gone: 0,
        Changed: 0,
      };
      assert.deepEqual(
        [row['New'], row['Gone'], row['Changed']],
        [New, Gone, Changed].map(count),
        row['Week that begins'],
      );
    }
    for (const column of ['New', 'Gone', 'Changed'] as const) {
      assert.equal(
        sum(rows, column),
        [...expected.values()].reduce((total, one) => total + one[column], 0),
      );
      assert.ok(sum(rows, column) > 0, `this world has some ${column}`);
    }
  });

  it('counts reviews by month', async () => {
    const reviews = await rig.rows<{ at: number }>('SELECT create_timestamp AS at FROM reviews');
    const rows = page.table('Reviews per month');
    assert.equal(sum(rows, 'Year total'), reviews.length);
    for (const [index, name] of ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep'].entries()) {
      const expected = reviews.filter(({ at }) =>
        new Date(at * 1000).toISOString().startsWith(`2026-0${index + 1}`),
      );
      assert.equal(rows[0]?.[name], count(expected.length), name);
    }
    // The world stands in September.
    assert.equal(rows[0]?.['Oct'], '');
  });

  it('counts shops by country', async () => {
    const shops = await rig.rows<{ iso: string | null }>(
      "SELECT coalesce(shop_location_country_iso, shipping_from_country_iso, iif(is_shop_us_based = 1, 'US', NULL)) AS iso FROM shops",
    );
    const rows = page.table('Shops by country');
    assert.equal(sum(rows, 'Shops'), shops.length);
    const told = (country: string): string | undefined =>
      rows.find((row) => row['Country'] === country)?.['Shops'];
    assert.equal(told('United States'), count(shops.filter(({ iso }) => iso === 'US').length));
    assert.equal(told('Unknown') ?? '0', count(shops.filter(({ iso }) => iso === null).length));
  });

  it('shows what people like most, two of a shop, small enough for the page, each with its title and a way to its listing', async () => {
    const liked = await rig.rows<{ listing_id: number; shop_id: number; url: string }>(
      `SELECT c.listing_id, c.shop_id, c.url FROM current_listings AS c JOIN listings AS l USING (listing_id)
       WHERE NOT gone AND image IS NOT NULL ORDER BY favorites DESC, l.snapshot_timestamp DESC, listing_id`,
    );
    const shown = liked
      .filter(
        ({ shop_id }, index) => liked.slice(0, index).filter((one) => one.shop_id === shop_id).length < 2,
      )
      .slice(0, 24);
    const part = new ReportPage(page.part('images'));
    assert.deepEqual(
      part.attributes('href'),
      shown.map(({ url }) => url),
    );
    const sizes = await Promise.all(
      shown.map(async (one) => (await readFile(rig.path('images', `${one.listing_id}.jpg`))).length),
    );
    part.attributes('src').forEach((src, index) => {
      const bytes = Buffer.from(src.split(',')[1] ?? '', 'base64');
      assert.ok(decode(bytes).width >= 300);
      assert.ok(bytes.length <= (sizes[index] ?? 0));
    });
    assert.equal(part.attributes('alt').length, 24);
    assert.ok(part.attributes('alt').every((text) => text.length > 5));
  });

  it('follows the prices of the same items', async () => {
    const readings = await rig.rows<Reading>(
      'SELECT * FROM listings_dynamic ORDER BY snapshot_timestamp, id',
    );
    const last = Math.max(...readings.map((one) => one.snapshot_timestamp));
    const rows = listings.flatMap((first) => {
      const own = readings.filter((one) => one.listing_id === first.listing_id);
      const now = own.findLast((one) => one.price_amount !== null);
      const isThere = own.at(-1)?.state !== 'removed' && first.snapshot_timestamp <= last - 5 * DAY_S;
      if (!isThere || !now?.price_amount || now.price_currency !== first.price_currency) return [];
      return { category: KNOWN.nameOf(first.taxonomy_id), ratio: now.price_amount / first.price_amount };
    });
    const table = page.table('Change of the price by category');
    assert.equal(table.length, 2);
    for (const row of table) {
      const ratios = rows.filter(({ category }) => category === row['Category']).map(({ ratio }) => ratio);
      const mean =
        100 * Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length) - 100;
      assert.equal(row['Items'], count(ratios.length));
      assert.equal(row['With another price'], count(ratios.filter((ratio) => ratio !== 1).length));
      assert.equal(
        Number(row['Change']?.replace(' %', '').replace('−', '-')).toFixed(1),
        (Math.round(mean * 10) / 10 || 0).toFixed(1),
      );
    }
  });

  it('shows the price cuts that still hold, the largest first', async () => {
    const cuts = await rig.rows<{ percent: number; url: string }>(
      `SELECT c.percent, l.url FROM price_changes AS c JOIN current_listings AS l USING (listing_id)
       WHERE NOT gone AND c.percent < 0 AND l.price = c.price AND c.read_at > datetime(?, 'unixepoch')
       ORDER BY c.percent, listing_id`,
      [START / 1000 + 12 * DAY_S],
    );
    const [, part = ''] = page.part('movers').split('Biggest price cuts');
    const told = new ReportPage(part.split('<h3>')[0] ?? '');
    assert.equal(told.attributes('href').length, 5);
    const best = cuts.slice(0, 5).map(({ percent }) => `−${(-percent).toFixed(0)} %`);
    assert.deepEqual(
      [...part.matchAll(/<b>(−\d+ %)<\/b>/g)].map(([, cut]) => cut),
      best,
    );
    assert.ok(told.attributes('href').every((url) => cuts.some((cut) => cut.url === url)));
    assert.match(part, /aria-label="Price in \d readings: from [^"]+ to [^"]+"/);
  });

  it('says what it is written from, and when', () => {
    assert.match(
      page.words,
      /Written 29 Sep 2026, 09:\d\d UTC by sync-data \d+\.\d+\.\d+, from etsy_data\.db\./,
    );
  });

  it('is written while a run is under way, and does not disturb it', async () => {
    await rig.advance(8);
    // The run waits for an answer that does not come, until it gives that request up and asks again.
    await rig.configure({ timeout: '8s' });
    await rig.market.setFaults({ api: { stallMs: 60_000 }, script: [{ path: '/reviews', fault: 'stall' }] });
    const asked = (await rig.requests(/\/reviews$/)).length;
    const command = rig.start();
    await rig.arrived(command, asked + 1, /\/reviews$/);
    const during = await report(rig);
    assert.equal(command.isOver, false);
    during.assertSound();
    assert.match(during.words, /Run 3, begun 7 Oct 2026, 09:\d\d, is not finished/);
    assert.equal((await command.ended).code, 0, rig.transcript);
  });
});
