import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import type { Tx } from '../../lib/store/database.ts';
import { EARLY_TABLES } from '../early.ts';
import { change, report, SmallWorld, write } from '../report-rig.ts';
import { START } from '../rig.ts';

const small = new SmallWorld();

describe('the report of a database', () => {
  it('with nothing in it says of each part why it is empty', () =>
    small.beside(async (rig) => {
      await change(rig, async () => undefined);
      const asked = (await rig.requests()).length;
      const page = await report(rig);
      page.assertSound();
      assert.equal((await rig.requests()).length, asked);
      assert.equal(page.text.split('class="empty"').length - 1, 18);
      for (const id of [
        'coverage',
        'movers',
        'prices',
        'same-items',
        'favourites',
        'when-made',
        'over-time',
        'shops',
        'tags',
      ])
        assert.match(page.part(id), /crawl stage/);
      assert.match(page.part('reviews'), /reviews stage/);
      for (const id of ['images', 'doubles']) assert.match(page.part(id), /images stage/);
      // No stage makes any.
      assert.doesNotMatch(page.text, /id="cutouts"/);
    }));

  it('of the earlier system shows what that has, and changes nothing', () =>
    small.beside(async (rig) => {
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
    small.beside(async (rig) => {
      const { code, stdout, stderr } = await write(rig);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(
        stderr,
        /^There is no database to report on: .+etsy_data\.db\nRun a sync first: npx sync-data\n$/,
      );
      assert.deepEqual((await readdir(rig.folder)).toSorted(), ['.env', 'pipeline.yaml']);
    }));

  it('that is none says so', () =>
    small.beside(async (rig) => {
      await writeFile(rig.path('etsy_data.db'), 'This is a text, and no database at all. '.repeat(30));
      const { code, stderr } = await write(rig);
      assert.equal(code, 1);
      assert.match(stderr, /etsy_data\.db: .+not a database\n/);
    }));

  it('needs no key', () =>
    small.beside(async (rig) => {
      await rm(rig.path('.env'));
      await change(rig, async () => undefined);
      await report(rig);
    }));
});

describe('what came from elsewhere', () => {
  const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)> ' onload='x & &lt;b&gt; &#60;i&#62; \u202egnp \u0000\u001b[31m`;

  it('is text, wherever it stands', () =>
    small.beside(async (rig) => {
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
        await tx.run('UPDATE listings SET tags = ?, materials = ?', [
          JSON.stringify([HOSTILE, 1, null, { a: HOSTILE }]),
          'no JSON',
        ]);
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
      for (const id of [
        'coverage',
        'prices',
        'when-made',
        'shops',
        'findings',
        'set-aside',
        'images',
        'tags',
      ]) {
        assert.match(page.part(id), /&quot;&gt;&lt;script&gt;/, id);
      }
      // What the seller wrote as <b>, by way of entities, is read as <b> too.
      assert.ok(page.attributes('alt')[0]?.includes('<b> <i>'));
    }));

  it('does not make the page larger than 3 MB, however large the images', () =>
    small.beside(async (rig) => {
      await mkdir(rig.path('images'));
      await change(rig, async (tx) => {
        for (let id = 1; id <= 40; id += 1) {
          await tx.run(
            'INSERT INTO listings (listing_id, snapshot_timestamp, shop_id, title) VALUES (?, ?, ?, ?)',
            [id, id, id, 'x'.repeat(5000)],
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
      // 40 is too large, 39 is not there, 38 is none; of the others there is room for seven, and nothing can make them smaller.
      assert.equal(page.attributes('src').length, 7);
      assert.ok(page.attributes('alt')[0]?.length === 140);
    }));
});

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xd9]);
