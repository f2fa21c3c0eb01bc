import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';

const market = { categories: { 12371: { listings: 40 }, 12372: { listings: 40 } }, shops: 30 };
const options = { market, every: '7d', withoutImages: true };
const WAITS = /The next run begins .*To end before it: touch KILL/;
const REVIEWS = /\/shops\/\d+\/reviews/;

/** Reviews stored, and there are. */
async function whatIsIn(rig: Rig): Promise<[number, number]> {
  const written = Object.values((await rig.truth()).reviews).flat().length;
  return [await rig.number('SELECT count(*) AS n FROM reviews'), written];
}

describe('every: 7d', () => {
  it('waits for the next run, ends with 0 by KILL and by a signal, waits again, and begins when it is due', async () => {
    await withRig(options, async (rig) => {
      const first = rig.start();
      await first.shows(WAITS);
      await rig.touchKill();
      const killed = await first.ended;
      assert.deepEqual([killed.code, killed.stderr], [0, '']);
      assert.match(killed.stdout, /Ended while waiting: the KILL file was found/);
      assert.equal(await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NOT NULL'), 1);

      await rig.market.resetRequests();
      await rig.advance(3);
      const waiting = rig.start();
      await waiting.shows(WAITS);
      waiting.signal('SIGTERM');
      assert.equal((await waiting.ended).code, 0);
      assert.deepEqual(await rig.requests(), []);
      // Killed while it waits, and the clock set back: neither is a run lost nor one begun twice.
      const lost = rig.start();
      await lost.shows(WAITS);
      await lost.kill();

      await rig.advance(4.1);
      const second = rig.start();
      await second.shows(WAITS);
      await rig.touchKill();
      assert.equal((await second.ended).code, 0);
      assert.equal(await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NOT NULL'), 2);
      const [stored, written] = await whatIsIn(rig);
      assert.equal(stored, written);
    });
  });

  it('ends the reviews where they are when the next run is due; the shops left come in that one', async () => {
    // A run that is older than refreshAfter would be closed for the next one at once.
    await withRig({ ...options, refreshAfter: '10d' }, async (rig) => {
      const slow = rig.start({ qps: 20 });
      await rig.arrived(slow, 3, REVIEWS);
      await rig.touchKill();
      assert.equal((await slow.ended).code, 75);
      await rig.advance(8);
      const next = rig.start();
      await next.shows(/Finished in .*\d+ shops left \(reviews\); they come in the next run/);
      await next.shows(WAITS);
      const status = await rig.run({ args: ['status', '--json'], qps: 'exact' });
      await rig.touchKill();
      assert.equal((await next.ended).code, 0);
      assert.equal(await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NOT NULL'), 2);
      assert.ok((await rig.number('SELECT left AS n FROM units WHERE run_id = 1 AND left IS NOT NULL')) > 0);
      const { sync } = JSON.parse(status.stdout) as { sync: { next: { beginsAt: string | null } } };
      assert.ok(sync.next.beginsAt);
      const [stored, written] = await whatIsIn(rig);
      assert.equal(stored, written);
    });
  });

  it('says nothing of another run where one stage is asked for', async () => {
    await withRig(options, async (rig) => {
      const { code, stdout } = await rig.run({ stage: 'crawl' });
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, WAITS);
    });
  });
});
