import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as nap } from 'node:timers/promises';
import { Database } from '../../lib/store/database.ts';
import { Relay } from '../chaos/relay.ts';
import { compareWithTruth, differences } from '../dump.ts';
import type { MarketplaceOptions } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';

const small = {
  categories: { 12371: { listings: 60 }, 12372: { listings: 90 } },
  shops: 25,
  badImages: {},
} satisfies MarketplaceOptions;

/** In which a request is forgiven its failures within a second. */
const HASTY = { TEST_BACKOFF_MS: '3' };

async function finish(rig: Rig): Promise<void> {
  const { code, stderr } = await rig.run();
  assert.equal(stderr, '');
  assert.equal(code, 0);
}

async function isInStep(rig: Rig): Promise<void> {
  const faults = compareWithTruth(await rig.dump(), await rig.truth(), { withoutImages: true });
  assert.deepEqual(faults.slice(0, 10), []);
}

it('through mixed faults of API and CDN everything arrives as it does without them', async () => {
  await withRig({ market: small, timeout: '2s' }, async (undisturbed) => {
    await finish(undisturbed);
    const expected = await undisturbed.dump();
    await undisturbed.market.setFaults({
      api: {
        latency: { min: 1, max: 40 },
        rates: {
          error500: 0.007,
          error502: 0.006,
          error503: 0.006,
          limitSecond: 0.005,
          reset: 0.006,
          truncated: 0.006,
          invalidJson: 0.006,
          wrongShape: 0.006,
          htmlPage: 0.006,
          drip: 0.005,
          stall: 0.003,
        },
        dripMs: 500,
      },
      cdn: {
        latency: { min: 1, max: 5 },
        rates: {
          error500: 0.01,
          error503: 0.01,
          limitSecond: 0.01,
          reset: 0.01,
          truncated: 0.005,
          htmlPage: 0.005,
        },
      },
    });
    await withRig({ beside: undisturbed, timeout: '2s' }, async (rig) => {
      await rig.market.resetRequests();
      await finish(rig);
      const spoilt = (await rig.market.requests()).filter((request) => request.fault);
      assert.ok(spoilt.length > 2, 'hardly anything went wrong');
      // An image that failed three times in a row is on record, and had by the next run.
      const failed = Object.values((await rig.dump()).image_records).filter(([record]) => record?.['reason']);
      await rig.market.setFaults({});
      if (failed.length > 0) await finish(rig);
      assert.deepEqual(differences(await rig.dump(), expected).slice(0, 10), []);
    });
  });
});

describe('what cannot be used is recorded, and the rest goes on:', () => {
  const asides = `SELECT endpoint, reason, raw FROM set_aside ORDER BY id`;
  const open = `SELECT count(*) AS n FROM set_aside WHERE settled_at IS NULL`;
  interface Aside {
    endpoint: string;
    reason: string;
    raw: string;
  }

  it('an answer of more than 8 MB', async () => {
    const faults = { script: [{ path: 'listings/(active|batch)', fault: 'tooLarge', times: 2 }] } as const;
    await withRig({ market: { ...small, faults }, withoutImages: true }, async (rig) => {
      await finish(rig);
      const refused = await rig.rows<Aside>(asides);
      assert.ok(refused.length >= 1);
      for (const { endpoint, reason } of refused) {
        assert.match(endpoint, /^listings\/(active|batch)$/);
        assert.match(reason, /more than the 8 MB allowed|larger than the 8 MB allowed/);
      }
      await isInStep(rig);
    });
  });

  it('what Etsy cannot answer while it answers all else: a page, the reviews of some shops', async () => {
    const never = (path: string) => ({ path, fault: 'error500' as const, times: 1000 });
    const faults = {
      script: [never('listings/active.*offset=100&.*taxonomy_id=12371'), never('shops/\\d+[13579]/reviews')],
    };
    const categories = { 12371: { listings: 250 }, 12372: { listings: 50 } };
    await withRig({ market: { ...small, categories, faults }, withoutImages: true }, async (rig) => {
      const { code, stdout } = await rig.run({ env: HASTY });
      assert.equal(code, 0);
      assert.match(
        stdout,
        /unseen-listings: taxonomy 12371 \(Coffee Tables\), from 0\.00 up: Etsy counted 250, seen 150: 100 missing/,
      );
      const given = await rig.rows<Aside>(asides);
      assert.ok(given.length > 2);
      for (const { reason } of given) assert.match(reason, /^given up: HTTP 500/);
      await rig.market.setFaults({});
      await finish(rig);
      await isInStep(rig);
    });
  });

  it('the reviews of one shop, when no other is left to show that it is the shop’s fault', async () => {
    const market = { ...small, shops: 5 };
    await withRig({ market, withoutImages: true, giveUpAfter: '5s' }, async (rig) => {
      await finish(rig);
      const [shop] = await rig.rows<{ id: number }>('SELECT shop_id AS id FROM shops LIMIT 1');
      const path = `shops/${shop?.id}/reviews`;
      await rig.market.setFaults({ script: [{ path, fault: 'error500', times: 1000 }] });
      await rig.advance(8);
      // Never read: only that makes it due, for nobody has written anything new.
      const database = await Database.open(rig.path('etsy_data.db'));
      await database.write((tx) => tx.run('DELETE FROM review_sync WHERE shop_id = ?', [shop?.id ?? 0]));
      await database.close();
      assert.equal((await rig.run({ env: HASTY })).code, 0);
      const given = await rig.rows<Aside>(asides);
      assert.deepEqual(
        given.map(({ endpoint }) => endpoint),
        [path],
      );
    });
  });

  it('single records on a page, in a batch and among reviews; the next run asks for them again', async () => {
    const faults = {
      script: ['listings/active', 'listings/batch', 'shops/\\d+/reviews'].map((path) => ({
        path,
        fault: 'badRecord' as const,
      })),
    };
    await withRig(
      { market: { ...small, seed: 5, faults, reviews: { perShop: 20 } }, withoutImages: true },
      async (rig) => {
        const { code, stdout } = await rig.run();
        assert.equal(code, 0);
        assert.match(stdout, /set aside\s+\d records?/);
        const records = await rig.rows<Aside>(asides);
        assert.ok(records.length > 0 && records.length <= 3);
        for (const { reason, raw } of records) {
          assert.match(reason, /^(listing_id|transaction_id|shop_id|title|rating|create_timestamp): /);
          assert.equal(typeof JSON.parse(raw), 'object');
        }
        const early = await rig.dump();
        const missed = compareWithTruth(early, await rig.truth(), { withoutImages: true });
        assert.ok(missed.length < 10, missed.join('\n'));
        assert.ok((await rig.number(open)) > 0);
        await rig.nextSecond();
        await finish(rig);
        await isInStep(rig);
        assert.equal(await rig.number(open), 0);
      },
    );
  });
});

it('an image that is lost, and that the listing no longer shows, is replaced by the one it shows now', async () => {
  await withRig({ market: small }, async (rig) => {
    await finish(rig);
    await rig.advance(60);
    // In step but for what is deleted next.
    await finish(rig);
    const rows = await rig.rows<{ id: number; image: number }>(
      "SELECT listing_id AS id, image_id AS image FROM images WHERE state = 'done'",
    );
    const stored = new Map(rows.map(({ id, image }) => [id, image]));
    const shown = (await rig.truth()).listings.flatMap(({ listing_id: id, image }) =>
      image && stored.has(id) && stored.get(id) !== image.image_id ? [{ id, image: image.image_id }] : [],
    );
    assert.ok(shown.length > 1, 'no listing shows another image by now');
    for (const { id } of shown) await rm(rig.path('images', `${id}.jpg`));
    await rig.market.resetRequests();
    await finish(rig);
    const { images } = await rig.dump();
    for (const { id, image } of shown) assert.equal(images[`${id}.jpg`]?.[0]?.['shows'], `image ${image}`);
    const batches = (await rig.market.requests()).filter(({ path }) => path.includes('listings/batch'));
    assert.equal(batches.length, 1, 'asked for together, and once');
    const repaired = "SELECT count(*) AS n FROM findings WHERE kind = 'missing-image' AND repaired = 1";
    assert.equal(await rig.number(repaired), shown.length);
  });
});

it('an outage is no request’s fault: those that were on their way when it began wait for its end like all others', async () => {
  await withRig({ market: small, withoutImages: true }, async (rig) => {
    const relay = await Relay.before(rig.market.apiUrl);
    try {
      await rig.configure({ baseUrl: relay.url() });
      // Between two answers of the same endpoint, with more of its requests on their way.
      const reached = relay.atRequest(20, 'refuse');
      const command = rig.start({ env: HASTY });
      await reached;
      // Long enough for more failures, at this pace, than a single request is forgiven.
      await nap(2100);
      relay.become('through');
      assert.equal((await command.ended).code, 0);
      assert.equal(await rig.number('SELECT count(*) AS n FROM set_aside'), 0);
      await isInStep(rig);
    } finally {
      relay.close();
    }
  });
});

describe('429', () => {
  for (const headersOn429 of ['seen', 'none', 'all'] as const) {
    it(`for the second, with headers ${headersOn429}, only delays`, async () => {
      const faults = { api: { rates: { limitSecond: 0.25 } } };
      const market = { ...small, shops: 10, headersOn429, faults };
      await withRig({ market, withoutImages: true }, async (rig) => {
        await finish(rig);
        assert.ok((await rig.requests()).some((request) => request.status === 429));
        await isInStep(rig);
      });
    });
  }

  it('for the day waits as long as Etsy says, and goes on', async () => {
    const faults = { script: [{ path: 'shops/\\d+/reviews', fault: 'limitDay' }] } as const;
    const market: MarketplaceOptions = { ...small, shops: 10, headersOn429: 'all', dayMs: 4000, faults };
    await withRig({ market, withoutImages: true }, async (rig) => {
      const { code, stdout } = await rig.run();
      assert.equal(code, 0);
      assert.match(stdout, /waiting until .+: the daily quota is used up/);
      assert.match(stdout, /: resumed$/m);
      await isInStep(rig);
    });
  });

  it('for the day stops where onQuota says so: 75, and the next start goes on', async () => {
    const market = { ...small, perDay: 12 };
    await withRig({ market, withoutImages: true, onQuota: 'stop' }, async (rig) => {
      const stopped = await rig.run();
      assert.equal(stopped.code, 75);
      assert.match(stopped.stdout, /^Stopped after .+: the daily quota is used up; calls return from .+\.$/m);
      assert.match(stopped.stdout, /^ {2}Reviews(?::|$)/m);
      const { length } = await rig.requests();
      // At once the ledger still knows.
      assert.equal((await rig.run()).code, 75);
      assert.equal((await rig.requests()).length, length);

      let starts = 0;
      for (let code: number | null = 75; code === 75; starts += 1) {
        await rig.advance(1.1);
        ({ code } = await rig.run());
      }
      assert.ok(starts > 1 && starts < 6, `${starts} starts`);
      const dump = await rig.dump();
      assert.deepEqual(dump.review_passes_open, {});
      const reviews = Object.values((await rig.truth()).reviews).flat();
      assert.ok(Object.keys(dump.reviews).length <= reviews.length);
    });
  });

  it('while the quota is waited for, KILL still ends the run', async () => {
    await withRig({ market: { ...small, perDay: 6 }, withoutImages: true }, async (rig) => {
      const command = rig.start();
      await command.shows(/the daily quota is used up/);
      const began = performance.now();
      await rig.touchKill();
      assert.equal((await command.ended).code, 75);
      assert.ok(performance.now() - began < 1000);
    });
  });

  it('while the quota is waited for, a KILL file of the stage’s own still ends that stage', async () => {
    await withRig({ market: { ...small, perDay: 3 }, withoutImages: true }, async (rig) => {
      const yaml = await readFile(rig.path('pipeline.yaml'), 'utf8');
      await writeFile(rig.path('pipeline.yaml'), yaml.replace('id: crawl\n', '$&    kill: KILL_CRAWL\n'));
      const command = rig.start();
      await command.shows(/the daily quota is used up/);
      await writeFile(rig.path('KILL_CRAWL'), '');
      const { code, stdout } = await command.ended;
      assert.equal(code, 75);
      assert.match(stdout, /^\S+ crawl: stopped: the KILL_CRAWL file was found$/m);
      assert.ok(!(await readdir(rig.folder)).includes('KILL_CRAWL'));
    });
  });
});

describe('the key', () => {
  const KEY = 'keystring-of-nobody:secret-of-nobody';
  const page = { count: 1, results: [{ listing_id: KEY, title: `asked by ${KEY}` }] };
  const echoes: Record<string, { status: number; body: string; code: number }> = {
    'refused with an echo': { status: 403, body: JSON.stringify({ error: `No such key: ${KEY}` }), code: 1 },
    'in a failure': { status: 500, body: `<pre>x-api-key: ${KEY}</pre>`, code: 1 },
    'in a page that is no JSON': { status: 200, body: `${KEY} <html>`, code: 1 },
    'in a client error': { status: 400, body: JSON.stringify({ error: `Bad request by ${KEY}` }), code: 1 },
    'in a record that is set aside': { status: 200, body: JSON.stringify(page), code: 1 },
  };
  for (const [name, { status, body, code }] of Object.entries(echoes)) {
    it(`is nowhere to be found after it came back ${name}`, async () => {
      const server = createServer((_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      try {
        const baseUrl = `http://127.0.0.1:${port}/v3/application`;
        const options = { market: small, withoutImages: true, baseUrl, giveUpAfter: '1s' };
        await withRig(options, async (rig) => {
          const ended = await rig.run({ env: { ETSY_API_KEY: KEY } });
          assert.equal(ended.code, code);
          const names = (await readdir(rig.folder)).filter(
            (file) => file !== '.env' && file !== 'pipeline.yaml',
          );
          assert.ok(names.includes('etsy_data.db'));
          const contents = await Promise.all(names.map((file) => readFile(rig.path(file), 'latin1')));
          for (const [index, text] of [ended.stdout, ended.stderr, ...contents].entries()) {
            for (const part of [KEY, ...KEY.split(':')]) {
              assert.equal(
                text.includes(part),
                false,
                `the key is in ${['the output', 'an error', ...names][index]}`,
              );
            }
          }
        });
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
  }

  it('that is missing or refused is told with where to get one', async () => {
    await withRig({ market: small }, async (rig) => {
      const refused = await rig.run({ env: { ETSY_API_KEY: 'wrong-keystring:wrong-secret' } });
      assert.equal(refused.code, 1);
      assert.match(refused.stdout, /Etsy refused the API key \(HTTP 403: API key not found or not active/);
      assert.match(refused.stdout, /https:\/\/www\.etsy\.com\/developers\/your-apps/);
      assert.doesNotMatch(refused.stdout + refused.stderr, /wrong-/);
      const missing = await rig.run({ env: { ETSY_API_KEY: '' } });
      assert.equal(missing.code, 2);
      assert.match(missing.stderr, /^There is no ETSY_API_KEY\.\nGet a key at https:/);
    });
  });
});
