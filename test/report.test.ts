import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { classify } from '../lib/etsy/when-made.ts';
import { Taxonomy } from '../lib/etsy/taxonomy.ts';
import { count } from '../lib/pipeline/screen/format.ts';
import { columns } from '../lib/report/charts/columns.ts';
import { Database } from '../lib/store/database.ts';
import type { Tx } from '../lib/store/database.ts';
import { migrate } from '../lib/store/migrations.ts';
import { EARLY_TABLES } from './early.ts';
import { ReportPage, plain } from './report-page.ts';
import { Rig, START, withRig } from './rig.ts';
import type { Ended } from './rig.ts';

const KNOWN = new Taxonomy([], undefined);

const DAY_S = 86_400;

/** A small world, shared by those who hardly ask it. */
let small: Rig;
before(async () => {
  small = await Rig.open({ market: { categories: { 12371: { listings: 5 } }, shops: 2 } });
});
after(() => small.close());

function beside(test: (rig: Rig) => Promise<void>): Promise<void> {
  return withRig({ beside: small, taxonomies: [12371] }, test);
}

function write(rig: Rig): Promise<Ended> {
  return rig.run({ qps: 'exact', args: ['report'] });
}

async function report(rig: Rig): Promise<ReportPage> {
  assert.deepEqual(await write(rig), { code: 0, signal: null, stdout: 'report.html\n', stderr: '' });
  return new ReportPage(await readFile(rig.path('report.html'), 'utf8'));
}

async function change(rig: Rig, work: (tx: Tx) => Promise<unknown>): Promise<void> {
  const database = await Database.open(rig.path('etsy_data.db'));
  try {
    await migrate(database);
    await database.write(work);
  } finally {
    await database.close();
  }
}

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
    rig = await Rig.open({ market: { seed: 31, reviews: { perShop: 12 } } });
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
      `${(Math.floor((fresh / listings.length) * 1000) / 10).toFixed(1)} %`,
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
        Share: seen === counted ? '100 %' : `${(Math.floor((seen / counted) * 1000) / 10).toFixed(1)} %`,
      })),
    );
  });

  it('has the quartiles of the prices in the most frequent currency', () => {
    const USD = listings.filter((one) => one.price_currency === 'USD');
    assert.ok(USD.length > listings.length / 2);
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
    const euros = listings.filter((one) => one.price_currency === 'EUR').length;
    assert.ok(plain(page.part('prices')).includes(`${count(euros)} in EUR`));
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
      'SELECT shop_location_country_iso AS iso FROM shops',
    );
    const rows = page.table('Shops by country');
    assert.equal(sum(rows, 'Shops'), shops.length);
    const told = (country: string): string | undefined =>
      rows.find((row) => row['Country'] === country)?.['Shops'];
    assert.equal(told('United States'), count(shops.filter(({ iso }) => iso === 'US').length));
    assert.equal(told('Not said'), count(shops.filter(({ iso }) => iso === null).length));
  });

  it('shows the newest images as they lie on disk, each with its title and a way to its listing', async () => {
    const newest = await rig.rows<{ listing_id: number; title: string; url: string }>(
      `SELECT l.* FROM listings AS l JOIN images AS i USING (listing_id) WHERE i.state = 'done'
       ORDER BY l.snapshot_timestamp DESC, l.listing_id DESC LIMIT 24`,
    );
    assert.equal(newest.length, 24);
    const files = await Promise.all(
      newest.map((one) => readFile(rig.path('images', `${one.listing_id}.jpg`), 'base64')),
    );
    assert.deepEqual(
      page.attributes('src'),
      files.map((base64) => `data:image/jpeg;base64,${base64}`),
    );
    assert.deepEqual(
      page.attributes('href').filter((href) => href.startsWith('http')),
      newest.map(({ url }) => url),
    );
    assert.equal(page.attributes('alt').length, 24);
    assert.ok(page.attributes('alt').every((text) => text.length > 5));
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
    await rig.configure({ timeout: '4s' });
    await rig.market.setFaults({ api: { stallMs: 60_000 }, script: [{ path: '/reviews', fault: 'stall' }] });
    const asked = (await rig.requests(/\/reviews$/)).length;
    const command = rig.start();
    await rig.arrived(command, asked + 1, /\/reviews$/);
    const during = await report(rig);
    assert.equal(command.isOver, false);
    during.assertSound();
    assert.match(during.words, /Run 3, begun 7 Oct 2026, 09:\d\d, has not come to its end/);
    assert.equal((await command.ended).code, 0, rig.transcript);
  });
});

describe('the report of what a run noted', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.open({ beside: small });
    await change(rig, async (tx) => {
      for (const [id, began, ended, stage] of [
        [1, 0, 7_200_000, null],
        [2, 86_400_000, 90_000_000, 'reviews'],
        [3, 172_800_000, null, null],
      ] as const) {
        await tx.run('INSERT INTO runs (id, only_stage, started_at, finished_at) VALUES (?, ?, ?, ?)', [
          id,
          stage,
          START + began,
          ended === null ? null : START + ended,
        ]);
      }
      const counts = {
        listings: { new: 1200, refreshed: 5, gone: 7 },
        reviews: { new: 31 },
        images: { done: 1190 },
      };
      for (const [run, began, ended, outcome, requests, faults, noted] of [
        [1, 0, 600_000, 'stopped', 2000, 3, '{"listings":{"new":900}}'],
        // Killed: what the ledger knew of it was filled in later, its end was not.
        [1, 700_000, null, null, 400, 1, null],
        [1, 3_600_000, 7_200_000, 'finished', 10_000, 9, JSON.stringify(counts)],
        [2, 86_400_000, 90_000_000, 'finished', 17_000, 0, 'no JSON'],
        [3, 172_800_000, null, null, null, null, null],
      ] as const) {
        await tx.run(
          `INSERT INTO starts (run_id, started_at, ended_at, outcome, requests, faults, counts) VALUES (?, ?, ?, ?, ?, ?, ?)`,
          [run, START + began, ended === null ? null : START + ended, outcome, requests, faults, noted],
        );
      }
      for (const [run, kind, subject, repaired] of [
        [1, 'missing-image', '12', 0],
        [1, 'missing-image', '13', 1],
        [1, 'missing-shop', '9', 1],
        [0, 'missing-shop', 'of an earlier run', 0],
      ] as const) {
        await tx.run(
          'INSERT INTO findings (run_id, kind, subject, detail, repaired) VALUES (?, ?, ?, ?, ?)',
          [run, kind, subject, 'what was found', repaired],
        );
      }
      for (const [reason, settled] of [
        ['no listing_id', null],
        ['no price', START / 1000],
      ] as const) {
        await tx.run(
          'INSERT INTO set_aside (run_id, at, endpoint, reason, raw, tries, settled_at) VALUES (1, ?, ?, ?, ?, 2, ?)',
          [START / 1000, 'listings/active', reason, '{"secret":"raw"}', settled],
        );
      }
    });
  });
  after(() => rig.close());

  it('adds up the starts of each run', async () => {
    const page = await report(rig);
    page.assertSound();
    const [third, second, first] = page.table('Runs, newest first');
    assert.deepEqual(first, {
      Run: '1',
      Began: '20 Aug 2026, 09:00',
      Ended: '20 Aug 2026, 11:00',
      'At work': '1 h 10 min',
      Requests: '12,400',
      Rate: '2.9/s',
      Faults: '13',
      New: '1,200',
      Gone: '7',
      Reviews: '31',
      'Images on disk': '1,190',
    });
    assert.equal(second?.['Run'], '2 reviews alone');
    assert.equal(second['New'], '–');
    assert.equal(third?.['Ended'], 'not yet');
    assert.equal(third['Requests'], '–');
    assert.match(plain(page.part('runs')), /Of 3 runs 1 went through all stages/);
  });

  it('has the findings of the last complete run, and what is set aside', async () => {
    const page = await report(rig);
    assert.deepEqual(page.table('Findings by kind'), [
      { Kind: 'missing-image', Open: '1', Repaired: '1' },
      { Kind: 'missing-shop', Open: '0', Repaired: '1' },
    ]);
    assert.deepEqual(page.table('Open findings'), [
      { Kind: 'missing-image', About: '12', 'What was found': 'what was found' },
    ]);
    assert.deepEqual(page.table('Open records'), [
      {
        'Asked for at': 'listings/active',
        'Why it was set aside': 'no listing_id',
        When: '20 Aug 2026, 09:00',
        Times: '2',
      },
    ]);
    assert.match(
      plain(page.part('set-aside')),
      /1 record that could not be used is open.+1 from before has since/,
    );
    assert.ok(!page.text.includes('secret'));
  });
});

describe('the report of a database', () => {
  it('with nothing in it says of each part why it is empty', () =>
    beside(async (rig) => {
      await change(rig, async () => undefined);
      const asked = (await rig.requests()).length;
      const page = await report(rig);
      page.assertSound();
      assert.equal((await rig.requests()).length, asked);
      assert.equal(page.text.split('class="empty"').length - 1, 10);
      for (const id of ['coverage', 'prices', 'when-made', 'over-time', 'shops'])
        assert.match(page.part(id), /crawl stage/);
      assert.match(page.part('reviews'), /reviews stage/);
      assert.match(page.part('images'), /images stage/);
    }));

  it('of the earlier system shows what that has, and changes nothing', () =>
    beside(async (rig) => {
      const database = await Database.open(rig.path('etsy_data.db'));
      await database.write(async (tx) => {
        for (const statement of EARLY_TABLES.split(/;\s*\n/)) await tx.run(statement);
        await tx.run("INSERT INTO shops (shop_id, shop_location_country_iso) VALUES (1, 'SE')");
        await tx.run('INSERT INTO reviews (shop_id, listing_id, create_timestamp) VALUES (1, 2, 1700000000)');
      });
      await database.close();
      const before = await readFile(rig.path('etsy_data.db'));
      const page = await report(rig);
      page.assertSound();
      assert.deepEqual(page.table('Shops by country'), [{ Country: 'Sweden', Shops: '1', Share: '100 %' }]);
      assert.match(page.part('runs'), /earlier version/);
      assert.equal(page.tiles['Reviews']?.[0], '1');
      assert.deepEqual(await readFile(rig.path('etsy_data.db')), before);
    }));

  it('that is not there says what to do', () =>
    beside(async (rig) => {
      const { code, stdout, stderr } = await write(rig);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        /^There is no database to report on: .+etsy_data\.db\nFill it first: npx sync-data\n$/,
      );
      assert.deepEqual((await readdir(rig.folder)).toSorted(), ['.env', 'pipeline.yaml']);
    }));

  it('that is none says so', () =>
    beside(async (rig) => {
      await writeFile(rig.path('etsy_data.db'), 'This is a text, and no database at all. '.repeat(30));
      const { code, stderr } = await write(rig);
      assert.equal(code, 1);
      assert.match(stderr, /etsy_data\.db: .+not a database\n/);
    }));

  it('needs no key', () =>
    beside(async (rig) => {
      await rm(rig.path('.env'));
      await change(rig, async () => undefined);
      await report(rig);
    }));
});

describe('what came from elsewhere', () => {
  const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)> ' onload='x & &lt;b&gt; &#60;i&#62; \u202egnp \u0000\u001b[31m`;

  it('is text, wherever it stands', () =>
    beside(async (rig) => {
      const add = async (tx: Tx, id: number, url: string | null): Promise<void> => {
        await tx.run(
          `INSERT INTO listings (listing_id, snapshot_timestamp, shop_id, title, url, when_made, price_amount, price_divisor, price_currency, taxonomy_id)
           VALUES (?, ?, 1, ?, ?, ?, 1000, 100, ?, 77)`,
          [id, START / 1000, HOSTILE, url, HOSTILE, HOSTILE],
        );
        await tx.run("INSERT INTO images (listing_id, state) VALUES (?, 'done')", [id]);
        await writeFile(rig.path('images', `${id}.jpg`), JPEG);
      };
      await mkdir(rig.path('images'));
      await change(rig, async (tx) => {
        await add(tx, 1, 'javascript:alert(1)');
        await add(tx, 2, `https://www.etsy.com/listing/2/"onmouseover="alert(3)`);
        await add(tx, 3, 'data:text/html,<script>alert(4)</script>');
        await add(tx, 4, null);
        await tx.run('INSERT INTO taxonomy (taxonomy_id, name, fetched_at) VALUES (77, ?, 1)', [HOSTILE]);
        await tx.run('INSERT INTO shops (shop_id, shop_location_country_iso) VALUES (1, ?)', [HOSTILE]);
        await tx.run('INSERT INTO runs (id, started_at, finished_at) VALUES (1, 1, 2)');
        await tx.run("INSERT INTO starts (run_id, started_at, outcome, counts) VALUES (1, 1, ?, '[]')", [
          HOSTILE,
        ]);
        await tx.run('INSERT INTO findings (run_id, kind, subject, detail) VALUES (1, ?, ?, ?)', [
          HOSTILE,
          HOSTILE,
          HOSTILE,
        ]);
        await tx.run("INSERT INTO set_aside (run_id, at, endpoint, reason, raw) VALUES (1, 1, ?, ?, '{}')", [
          HOSTILE,
          HOSTILE,
        ]);
        await tx.run(
          'INSERT INTO slices (run_id, taxonomy_id, low_cents, high_cents, counted, seen) VALUES (1, 77, 0, -1, 4, 4)',
        );
        await tx.run(
          `INSERT INTO reviews (shop_id, listing_id, create_timestamp) VALUES (1, 1, 1700000000), (1, 1, 0), (1, 1, 99999999999)`,
        );
      });
      const page = await report(rig);
      page.assertSound();
      assert.deepEqual(
        page.attributes('href').filter((href) => href.includes(':') && href !== 'data:,'),
        ['https://www.etsy.com/listing/2/%22onmouseover=%22alert(3)'],
      );
      assert.doesNotMatch(page.text, /[\u0000-\u0008\u000b-\u001f\u202e]/);
      for (const id of ['coverage', 'prices', 'when-made', 'shops', 'findings', 'set-aside', 'images']) {
        assert.match(page.part(id), /&quot;&gt;&lt;script&gt;/, id);
      }
      // What the seller wrote as <b>, by way of entities, is read as <b> too.
      assert.ok(page.attributes('alt')[0]?.includes('<b> <i>'));
    }));

  it('does not make the page larger than 3 MB, however large the images', () =>
    beside(async (rig) => {
      await mkdir(rig.path('images'));
      await change(rig, async (tx) => {
        for (let id = 1; id <= 40; id += 1) {
          await tx.run(
            'INSERT INTO listings (listing_id, snapshot_timestamp, shop_id, title) VALUES (?, ?, 1, ?)',
            [id, id, 'x'.repeat(5000)],
          );
          await tx.run("INSERT INTO images (listing_id, state) VALUES (?, 'done')", [id]);
          const size = id === 40 ? 400_000 : 100_000;
          await writeFile(rig.path('images', `${id}.jpg`), Buffer.concat([JPEG, Buffer.alloc(size)]));
        }
        await rm(rig.path('images', '39.jpg'));
        await writeFile(rig.path('images', '38.jpg'), 'no image');
      });
      const page = await report(rig);
      page.assertSound();
      // 40 is too large, 39 is not there, 38 is none.
      assert.equal(page.attributes('src').length, 18);
    }));
});

describe('a run of all stages', () => {
  it('ends with a report; a stage alone does not', () =>
    beside(async (rig) => {
      const alone = await rig.run({ stage: 'crawl' });
      assert.equal(alone.code, 0, alone.stderr);
      assert.ok(!(await readdir(rig.folder)).includes('report.html'));
      assert.doesNotMatch(alone.stdout, /report/);

      const whole = await rig.run();
      assert.equal(whole.code, 0, whole.stderr);
      assert.match(
        whole.stdout,
        /\nThe data: {3}etsy_data\.db\nThe log: {4}sync-data\.log\nThe report: report\.html\n$/,
      );
      const page = new ReportPage(await readFile(rig.path('report.html'), 'utf8'));
      page.assertSound();
      assert.match(page.words, /Last complete run 20 Aug/);
      assert.doesNotMatch(page.text, /has not come to its end/);
    }));

  it('is complete all the same where the report cannot be written', () =>
    beside(async (rig) => {
      await mkdir(rig.path('report.html'));
      const { code, stdout, stderr } = await rig.run();
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /\nFinished in /);
      assert.match(
        stdout,
        /\nThe report could not be written; the run is complete all the same\.\n.+report\.html: .+\n.+\nTo try again: npx sync-data report\n$/,
      );
      assert.ok((await stat(rig.path('report.html'))).isDirectory());
      assert.equal(await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NOT NULL'), 1);
    }));
});

describe('columns in the order of time', () => {
  const heights = (...totals: number[]): { heights: number[]; told: string[] } => {
    const stacks = totals.map((value) => ({ name: 'then', parts: [{ value, tone: 'main' as const }] }));
    const [wide = ''] = columns('What they show', stacks, []).text.split(/(?<=<\/svg>)/);
    return {
      heights: [...wide.matchAll(/<rect\b[^>]*\sheight="([\d.]+)"/g)].map(([, height]) => Number(height)),
      told: [...wide.matchAll(/<text\b[^>]*>([^<]+)<\/text/g)].map(([, told = '']) => told),
    };
  };

  it('are as high as their figures', () => {
    const [one = 0, two = 0, three = 0] = heights(10, 20, 40).heights;
    assert.ok(Math.abs(two / one - 2) < 0.01 && Math.abs(three / one - 4) < 0.01);
  });

  it('are cut off where they would dwarf all others, and tell their figure', () => {
    const first = heights(90_000, 81_000, 40, 30, 20, 0);
    assert.ok(first.told.includes('90K, 81K'));
    assert.equal(first.heights[0], first.heights[1]);
    assert.ok((first.heights[2] ?? 0) > 0.6 * (first.heights[0] ?? 0));
    // Few columns are shown as they are, and so are those that only grow.
    for (const totals of [
      [900, 3, 2],
      [1, 2, 4, 8, 16, 32],
    ]) {
      const whole = heights(...totals);
      const ratio = (whole.heights[0] ?? 0) / (whole.heights.at(-1) ?? 1);
      assert.ok(Math.max(ratio, 1 / ratio) > 30, totals.join());
    }
  });
});

it('a word that is none is refused, and the one that was meant is told', () =>
  beside(async (rig) => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await rig.run({ qps: 'exact', args });
      assert.equal(code, 2);
      assert.equal(stdout, '');
      return stderr;
    };
    assert.match(
      await refused('reprot'),
      /^sync-data: unknown word "reprot" \(did you mean report\?\); the words are: .*\breport\b.*\n\n/,
    );
    assert.doesNotMatch(await refused('constructor'), /did you mean/);
    assert.match(await refused('report', 'now'), /report, now/);
    assert.match(await refused('report', '--stage', 'crawl'), /--stage/);
  }));

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xd9]);

function sum(rows: readonly Readonly<Record<string, string>>[], column: string): number {
  return rows.reduce((total, row) => total + Number(row[column]?.replaceAll(',', '') ?? NaN), 0);
}
