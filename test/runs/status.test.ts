import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as nap } from 'node:timers/promises';
import type { Status } from '../../lib/status/shape.ts';
import { leastRequests } from '../../lib/status/requests.ts';
import { Database } from '../../lib/store/database.ts';
import { EARLY_TABLES } from '../early.ts';
import { Rig, withRig } from '../rig.ts';
import type { Ended } from '../rig.ts';

/** `sync-data status`, as it is typed. */
function ask(rig: Rig, ...args: string[]): Promise<Ended> {
  return rig.run({ qps: 'exact', args: ['status', ...args] });
}

async function statusOf(rig: Rig): Promise<Status> {
  const { code, stdout, stderr } = await ask(rig, '--json');
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout) as Status;
}

async function syncOf(rig: Rig): Promise<NonNullable<Status['sync']>> {
  const { sync } = await statusOf(rig);
  assert.ok(sync);
  return sync;
}

describe('sync-data status', () => {
  it('tells where there is nothing yet what to do, and makes nothing', () =>
    withRig({}, async (rig) => {
      const { code, stdout, stderr } = await ask(rig);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(
        stderr,
        /^There is no .+etsy_data\.db yet: .+\nThe first run creates it: npx sync-data\n$/,
      );
      assert.equal(existsSync(rig.path('etsy_data.db')), false);
    }));

  it('needs no key, and leaves an earlier system’s database as it is', () =>
    withRig({}, async (rig) => {
      const database = await Database.open(rig.path('etsy_data.db'));
      await database.write(async (tx) => {
        for (const statement of EARLY_TABLES.split(';')) await tx.run(statement);
        await tx.run('INSERT INTO shops (shop_id) VALUES (1), (2)');
      });
      await database.close();
      await rm(rig.path('.env'));
      const digest = async () =>
        createHash('sha256')
          .update(await readFile(rig.path('etsy_data.db')))
          .digest('hex');
      const before = await digest();
      const { code, stdout } = await ask(rig);
      assert.equal(code, 0);
      assert.match(stdout, /is of an earlier system or version\. The next start takes it over/);
      assert.match(stdout, /^ {2}shops {2}2 rows$/m);
      assert.equal((await statusOf(rig)).sync, null);
      assert.equal(await digest(), before);
    }));

  it('tells of a run under way and of one that was killed, and asks nothing of Etsy', () =>
    withRig({ withoutImages: true }, async (rig) => {
      const command = rig.start({ qps: 3 });
      await rig.arrived(command, 2);
      const during = await statusOf(rig);
      assert.equal(during.underWay?.pid, command.pid);
      assert.equal(during.sync?.run?.finishedAt, null);
      const { stdout } = await ask(rig);
      assert.match(
        stdout,
        new RegExp(`^A run is under way: process ${command.pid}, since .+\\nTo stop it: touch KILL$`, 'm'),
      );
      await command.kill();
      // What was on the wire may still arrive.
      let sent = await rig.requests();
      for (let before = -1; before < sent.length; sent = await rig.requests()) {
        before = sent.length;
        await nap(100);
      }
      const after = await ask(rig);
      assert.match(after.stdout, /^No run is under way\.$/m);
      assert.match(after.stdout, /^The last start, .+, ended unexpectedly \(killed, or power lost\)\.$/m);
      assert.match(after.stdout, /^To resume: npx sync-data$/m);
      assert.equal((await rig.requests()).length, sent.length);
    }));

  it('tells at how much of how much a run was stopped', () =>
    withRig({ withoutImages: true }, async (rig) => {
      await rig.market.setFaults({ api: { latency: { min: 80, max: 80 } } });
      const command = rig.start({ qps: 40 });
      // Begun is what has committed something: the reviews in flight are, before it ends.
      await rig.arrived(command, 2, /\/reviews$/);
      await rig.touchKill();
      await command.ended;
      const sync = await syncOf(rig);
      assert.deepEqual(
        sync.run?.stages.map(({ id, state }) => [id, state]),
        [
          ['crawl', 'finished'],
          ['reconcile', 'finished'],
          ['verify', 'finished'],
          ['reviews', 'begun'],
        ],
      );
      assert.equal(sync.lastStart?.outcome, 'stopped');
      const [unit] = sync.run?.stages.at(-1)?.units ?? [];
      const left = await rig.number(
        'SELECT count(*) AS n FROM shops LEFT JOIN review_sync USING (shop_id) WHERE completed_at IS NULL',
      );
      assert.deepEqual([unit?.noun, (unit?.total ?? 0) - (unit?.done ?? 0)], ['shops', left]);
      assert.deepEqual([sync.next.of, sync.next.pages, sync.next.batches], ['rest', 0, 0]);
      assert.ok(sync.next.reviews >= left);
      const { stdout } = await ask(rig);
      assert.match(stdout, /^ {2}reviews +\d+ of \d+ shops$/m);
      assert.match(stdout, /^The last start, .+, stopped after .+: the KILL file was found\.$/m);
    }));

  it('says what is kept and due, what failed and why, and how much a week later takes', () =>
    withRig(
      {
        market: {
          categories: { 12371: { listings: 150 }, 12372: { listings: 250 } },
          shops: 80,
          badImages: { missing: 0.03 },
        },
      },
      async (rig) => {
        assert.equal((await rig.run()).code, 0);
        const fresh = await syncOf(rig);
        assert.deepEqual([fresh.due.listings, fresh.due.shops, fresh.due.reviews], [0, 0, 0]);
        assert.equal(
          fresh.counts.images.missing,
          await rig.number("SELECT count(*) AS n FROM images WHERE state = 'missing'"),
        );
        assert.deepEqual(fresh.imageReasons, [{ reason: 'HTTP 404', n: fresh.counts.images.missing }]);
        assert.deepEqual([fresh.quota.used, fresh.quota.perDay], [(await rig.requests()).length, 100_000]);

        await rig.advance(8);
        const status = await statusOf(rig);
        const { due, next } = status.sync ?? assert.fail();
        // By the figures of the last run all reviews are in: what is new shows when the next run reads the shops.
        assert.deepEqual(
          [due.listings, due.shops, due.reviews],
          [status.rows.listings, status.rows.shops, 0],
        );
        await rig.market.resetRequests();
        assert.equal((await rig.run()).code, 0);
        const counts = await rig.market.counts();
        const made = (path: RegExp) =>
          Object.entries(counts).reduce((sum, [name, n]) => sum + (path.test(name) ? n : 0), 0);
        // New listings and shops come on top of what can be known before.
        assert.equal(next.of, 'whole');
        assert.ok(Math.abs(made(/active$/) - next.pages) <= 1, `${made(/active$/)} pages, not ${next.pages}`);
        assert.ok(
          Math.abs(made(/batch$/) - next.batches) <= 1,
          `${made(/batch$/)} batches, not ${next.batches}`,
        );
        const reviews = made(/reviews$/);
        assert.ok(
          reviews >= next.reviews && reviews <= next.reviews + status.rows.shops * 1.1,
          `${reviews} for reviews, not ${next.reviews}`,
        );
      },
    ));

  it('is no word for a run', () =>
    withRig({}, async (rig) => {
      for (const [args, what] of [
        [
          ['staus'],
          /^sync-data: unknown command "staus" \(did you mean status\?\); the commands are: .*status/,
        ],
        [['status', 'now'], /^sync-data: expected one command, got: status, now\n/],
        [['--json'], /^sync-data: --json is for status and search\n/],
        [['status', '--stage', 'crawl'], /^sync-data: --stage belongs to a run, not to status\n/],
      ] as const) {
        const { code, stderr } = await rig.run({ qps: 'exact', args });
        assert.equal(code, 2);
        assert.match(stderr, what);
      }
      assert.equal(existsSync(rig.path('etsy_data.db')), false);
    }));

  it('tells of a file KILL that lies there', () =>
    withRig({ withoutImages: true }, async (rig) => {
      assert.equal((await rig.run()).code, 0);
      await writeFile(rig.path('KILL'), '');
      assert.match((await ask(rig)).stdout, /^The file KILL is there: remove it before the next start\.$/m);
      assert.equal(existsSync(rig.path('KILL')), true);
    }));
});

describe('the least requests', () => {
  it('are one for every 100, and one where there is nothing', () => {
    const need = {
      slices: [0, 1, 100, 101, 12_100],
      cut: 2,
      batch: 101,
      reviews: [0, 100, 250],
    };
    assert.deepEqual(leastRequests(need), { pages: 128, batches: 2, reviews: 5, total: 135 });
  });
});
