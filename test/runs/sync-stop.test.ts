import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import { compareWithTruth, differences } from '../dump.ts';
import type { Dump } from '../dump.ts';
import type { Faults, MarketplaceOptions } from '../marketplace/index.ts';
import { Rig, withRig } from '../rig.ts';
import type { Command } from '../rig.ts';

const SEARCH = /\/listings\/active$/;
const BATCH = /\/listings\/batch$/;
const REVIEWS = /\/shops\/\d+\/reviews$/;
const LATENCY_MS = 80;
/** How long a request that is to be caught in flight is held back. */
const STALL_MS = 600;
/** How long the end may take once the requests in flight are answered. */
const BOUND_MS = 1000;

/** @param held the first request with this path is held back */
function faults(held?: string): Faults {
  return {
    api: { latency: { min: LATENCY_MS / 2, max: LATENCY_MS }, stallMs: STALL_MS },
    cdn: { latency: { min: 30, max: 40 } },
    script: held === undefined ? [] : [{ path: held, fault: 'stall' }],
  };
}

/** So few that the crawl fills no batch: all that the batch tells is left to reconcile. */
const MARKET = {
  categories: { 12371: { listings: 40 }, 12372: { listings: 50 } },
  badImages: {},
  shops: 30,
  reviews: { perShop: 30 },
} satisfies MarketplaceOptions;

let undisturbed: Rig;
let expected: Dump;

before(async () => {
  undisturbed = await Rig.open({ market: MARKET });
  const { code } = await undisturbed.run();
  assert.equal(code, 0, undisturbed.transcript);
  expected = await undisturbed.dump();
  assert.deepEqual(compareWithTruth(expected, await undisturbed.truth()), []);
});
after(() => undisturbed.close());

/** On the same marketplace, in a folder of its own. */
function beside(test: (rig: Rig) => Promise<void>): Promise<void> {
  return withRig({ beside: undisturbed }, async (rig) => {
    await rig.market.setFaults(faults());
    await rig.market.resetRequests();
    await test(rig);
  });
}

async function goesOnToTheEnd(rig: Rig): Promise<void> {
  const { code, stdout } = await rig.run();
  assert.equal(code, 0);
  assert.match(stdout, /run 1 resumed/);
  assert.match(stdout, /^Finished in .+ \(resumed\)\.$/m);
  assert.deepEqual(differences(await rig.dump(), expected).slice(0, 10), []);
}

describe('touch KILL', () => {
  interface Moment {
    held?: string;
    stage: RegExp;
    reached: (rig: Rig, command: Command) => Promise<void>;
  }
  const moments: Record<string, Moment> = {
    'while crawling': {
      held: 'listings/active',
      stage: /^ {2}Crawl, Coffee Tables: 40 of 40 listings$/m,
      reached: (rig, command) => rig.arrived(command, 1, SEARCH),
    },
    'while only images are left': {
      stage: /^ {2}Images: \d+$/m,
      reached: async (rig, command) => {
        await command.shows(/reconcile: finished/);
        const sofar = (await rig.requests(/./, 'cdn')).length;
        await rig.arrived(command, sofar + 3, /./, 'cdn');
      },
    },
    'while reconciling': {
      held: 'listings/batch',
      stage: /^ {2}Reconcile, What the crawl did not show: \d+ listings$/m,
      reached: (rig, command) => rig.arrived(command, 1, BATCH),
    },
    'while reading reviews': {
      held: '/reviews',
      stage: /^ {2}Reviews: \d+ of \d+ shops$/m,
      reached: (rig, command) => rig.arrived(command, 1, REVIEWS),
    },
  };
  for (const [name, { held, stage, reached }] of Object.entries(moments)) {
    it(`${name} stops in time, tells where, and the next start finishes`, () =>
      beside(async (rig) => {
        await rig.market.setFaults(faults(held));
        const command = rig.start();
        await reached(rig, command);
        const began = performance.now();
        await rig.touchKill();
        const { code, stdout, stderr } = await command.ended;
        const took = performance.now() - began;
        assert.equal(code, 75);
        assert.equal(stderr, '');
        assert.ok(took < STALL_MS + LATENCY_MS + BOUND_MS, `it took ${Math.round(took)} ms to stop`);
        assert.match(stdout, /^Stopped after .+: the KILL file was found\.$/m);
        assert.match(stdout, stage);
        assert.match(stdout, /^Everything up to there is saved\. To resume: npx sync-data$/m);
        assert.equal(existsSync(rig.path('KILL')), false);
        await goesOnToTheEnd(rig);
      }));
  }

  it('while verify repairs does the same', () =>
    beside(async (rig) => {
      assert.equal((await rig.run()).code, 0);
      // Where more than half are missing it is the folder that is.
      const lost = Object.keys(expected.images).slice(0, 40);
      for (const name of lost) await rm(rig.path('images', name));
      await rig.market.resetRequests();

      const command = rig.start();
      await rig.arrived(command, 5, /./, 'cdn');
      const began = performance.now();
      await rig.touchKill();
      const { code, stdout } = await command.ended;
      assert.equal(code, 75);
      assert.ok(performance.now() - began < LATENCY_MS + BOUND_MS);
      assert.match(stdout, /^ {2}Verify, Repairs/m);
      assert.equal(existsSync(rig.path('KILL')), false);
      assert.equal((await rig.run()).code, 0);
      assert.deepEqual(differences(await rig.dump(), expected).slice(0, 10), []);
      assert.equal((await rig.requests(/./, 'cdn')).length, lost.length);
    }));

  it('before the start is refused, said, and left in place', () =>
    beside(async (rig) => {
      await rig.touchKill();
      const { code, stdout, stderr } = await rig.run();
      assert.equal(code, 75);
      assert.equal(stdout, '');
      assert.equal(
        stderr,
        `The file ${rig.path('KILL')} exists, so nothing was started.\nRemove it and start again.\n`,
      );
      assert.ok(existsSync(rig.path('KILL')));
      assert.equal(existsSync(rig.path('etsy_data.db')), false);
      assert.deepEqual(await rig.market.counts(), {});
    }));
});

for (const [signal, exitCode, why] of [
  ['SIGINT', 130, 'you pressed Ctrl-C'],
  ['SIGTERM', 143, 'asked to end (SIGTERM)'],
] as const) {
  it(`${signal} leaves a checkpoint and exits with ${exitCode}`, () =>
    beside(async (rig) => {
      await rig.market.setFaults(faults('listings/active'));
      const command = rig.start();
      await rig.arrived(command, 1);
      command.signal(signal);
      const { code, stdout } = await command.ended;
      assert.equal(code, exitCode);
      assert.ok(stdout.includes(`: ${why}.\n`), stdout);
      assert.match(stdout, /^ {2}Crawl, /m);
      await goesOnToTheEnd(rig);
    }));

  it(`a second ${signal} waits for no request, and the next start finishes`, () =>
    beside(async (rig) => {
      await rig.market.setFaults({ ...faults('listings/active'), api: { stallMs: 60_000 } });
      const command = rig.start();
      await rig.arrived(command, 1);
      command.signal(signal);
      await command.shows(/stopping: /);
      command.signal(signal);
      assert.equal((await command.ended).signal, signal, command.transcript);
      await rig.market.setFaults(faults());
      await goesOnToTheEnd(rig);
    }));
}

describe('--stage', () => {
  it('reviews makes review requests only, and writes nothing of other stages', () =>
    withRig({ market: MARKET }, async (rig) => {
      assert.equal((await rig.run()).code, 0);
      await rig.advance(8);
      // That there are new reviews shows in the figures of the shops.
      for (const stage of ['crawl', 'reconcile']) assert.equal((await rig.run({ stage })).code, 0);
      const earlier = await rig.dump();
      await rig.market.resetRequests();

      const { code, stdout } = await rig.run({ stage: 'reviews' });
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, /crawl|images: |reconcile|verify: /);
      const now = await rig.dump();
      const { reviews, ...rest } = earlier;
      const news = Object.keys(now.reviews).length - Object.keys(reviews).length;
      const { '/v3/application/shops/{id}/reviews': asked = 0, ...others } = await rig.market.counts();
      assert.deepEqual(others, {});
      assert.ok(
        asked > 0 && asked <= Math.min(news, Object.keys(earlier.shops).length),
        `${asked} for ${news}`,
      );
      // Of a shop that the crawl brought, none had been read.
      assert.deepEqual(differences({ ...rest, reviews: now.reviews, review_passes_open: {} }, now), []);
      for (const [id, rows] of Object.entries(reviews)) assert.deepEqual(now.reviews[id], rows);

      assert.equal((await rig.run()).code, 0);
      assert.deepEqual(
        compareWithTruth(await rig.dump(), await rig.truth(), { before: earlier }).slice(0, 10),
        [],
      );
    }));

  it('of a name that is none lists those that are, before anything is started', () =>
    beside(async (rig) => {
      const { code, stdout, stderr } = await rig.run({ stage: 'reveiws' });
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^There is no stage "reveiws" in pipeline\.yaml\.\n/);
      assert.match(stderr, /crawl, images, reconcile, verify, reviews\n$/);
      assert.deepEqual(await rig.market.counts(), {});
    }));
});

it('a signal in its last moments does not cut the end short', () =>
  beside(async (rig) => {
    assert.equal((await rig.run()).code, 0);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const command = rig.start({ stage: 'reviews' });
      await command.shows(/^Finished in /m);
      command.signal(name);
      const { code, signal } = await command.ended;
      // Node itself listens to none any more once it takes its leave.
      assert.ok(code === 0 || signal === name, `${code ?? signal}`);
      const lock = await Database.open(rig.path('etsy_data.db.lock'), { readOnly: true });
      assert.deepEqual(await lock.read.all('SELECT pid FROM holder'), [], name);
      await lock.close();
    }
    assert.equal((await rig.run()).code, 0);
  }));

it('--help and --version answer without a pipeline.yaml', () =>
  beside(async (rig) => {
    await rm(rig.path('pipeline.yaml'));
    const help = await rig.run({ qps: 'exact', args: ['--help'] });
    assert.equal(help.code, 0);
    for (const word of ['--stage <id>', 'help [command]', '--version', 'KILL', 'ETSY_API_KEY']) {
      assert.ok(help.stdout.includes(word), word);
    }
    const version = await rig.run({ qps: 'exact', args: ['--version'] });
    const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    assert.deepEqual(version, {
      code: 0,
      signal: null,
      stdout: `${(JSON.parse(manifest) as { version: string }).version}\n`,
      stderr: '',
    });
    const unknown = await rig.run({ qps: 'exact', args: ['--fast'] });
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /--fast/);
  }));

it('a second instance is refused at once and names the first; a killed one stands in nobody’s way', () =>
  beside(async (rig) => {
    await rig.market.setFaults({
      api: { stallMs: 60_000 },
      script: [{ path: 'listings/active', fault: 'stall' }],
    });
    const first = rig.start();
    await rig.arrived(first, 1);
    const second = await rig.run();
    assert.equal(second.code, 3);
    assert.match(
      second.stderr,
      new RegExp(`^Another sync-data is using .+etsy_data\\.db: process ${first.pid}, since `),
    );
    const alone = await rig.run({ stage: 'reviews' });
    assert.equal(alone.code, 3);
    assert.equal(first.isOver, false);
    await first.kill();
    await goesOnToTheEnd(rig);
  }));
