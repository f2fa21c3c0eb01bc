import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Start } from '../../checkpoints/starts.ts';
import type { Tally } from '../../lib/dataset/tally.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';

function startsOf(rig: Rig): Promise<Start[]> {
  return rig.rows<Start>('SELECT * FROM starts ORDER BY id');
}

describe('the history of starts', () => {
  it('has what a run changed, as the tables have it', () =>
    withRig({}, async (rig) => {
      assert.equal((await rig.run()).code, 0);
      await rig.advance(8);
      const [one] = (await rig.truth()).listings.filter((listing) => listing.since2000);
      await rig.market.removeListing(one?.listing_id ?? 0);
      await rig.market.resetRequests();
      assert.equal((await rig.run()).code, 0);
      const [first, second] = await startsOf(rig);
      assert.ok(first && second);
      assert.deepEqual(
        [first.outcome, first.reason, second.outcome, second.run_id],
        ['finished', null, 'finished', 2],
      );
      assert.ok((first.ended_at ?? 0) >= first.started_at);
      assert.equal(second.requests, (await rig.requests()).length);
      assert.equal(second.faults, 0);

      const [was, is] = [first, second].map(({ counts }) => JSON.parse(counts ?? '') as Tally);
      const n = (table: string) => rig.number(`SELECT count(*) AS n FROM ${table}`);
      const listings = was?.listings.new ?? 0;
      assert.deepEqual(was?.listings, { new: listings, refreshed: 0, gone: 0 });
      assert.equal(listings + (is?.listings.new ?? 0), await n('listings'));
      assert.equal(is?.listings.gone, await n("listings_dynamic WHERE state = 'removed'"));
      assert.ok((is?.listings.gone ?? 0) >= 1);
      assert.equal(
        is?.listings.refreshed,
        (await n('listings_dynamic')) - listings - (is?.listings.gone ?? 0) - (is?.listings.new ?? 0),
      );
      assert.equal((was?.shops.new ?? 0) + (is?.shops.new ?? 0), await n('shops'));
      assert.equal((was?.reviews.new ?? 0) + (is?.reviews.new ?? 0), await n('reviews'));
      assert.equal(is?.entries, await n('meta_data'));
      assert.equal(
        (is?.before ?? 0) + (is?.uncertain ?? 0) + (is?.unrecognised ?? 0),
        (is?.entries ?? 0) - (await n('listings')),
      );
      assert.equal(is?.images.done, await n("images WHERE state = 'done'"));
      assert.deepEqual([is?.setAside, is?.images.waiting], [{ met: 0, open: 0 }, 0]);
    }));

  it('says why a start stopped, and counts what its run has so far', () =>
    withRig({ withoutImages: true }, async (rig) => {
      const command = rig.start({ qps: 40 });
      await rig.arrived(command, 3);
      await rig.touchKill();
      assert.equal((await command.ended).code, 75);
      assert.equal((await rig.run()).code, 0);
      const [stopped, finished] = await startsOf(rig);
      assert.deepEqual(
        [stopped?.outcome, stopped?.reason, stopped?.run_id, finished?.run_id],
        ['stopped', 'the KILL file was found', 1, 1],
      );
      const counts = JSON.parse(finished?.counts ?? '') as Tally;
      assert.equal(counts.listings.new, await rig.number('SELECT count(*) AS n FROM listings'));
      assert.equal(
        (stopped?.requests ?? 0) + (finished?.requests ?? 0),
        await rig.number('SELECT count(*) AS n FROM ledger'),
      );
    }));

  it('of a start that was killed has what the ledger still knows', () =>
    withRig({ withoutImages: true }, async (rig) => {
      const command = rig.start({ qps: 40 });
      await rig.arrived(command, 5);
      await command.kill();
      const [open] = await startsOf(rig);
      assert.deepEqual([open?.ended_at, open?.requests, open?.outcome], [null, null, null]);
      const sent = await rig.number('SELECT count(*) AS n FROM ledger');
      assert.equal((await rig.run()).code, 0);
      const [killed, last] = await startsOf(rig);
      assert.deepEqual(
        [killed?.ended_at, killed?.outcome, killed?.counts, killed?.requests],
        [null, null, null, sent],
      );
      assert.ok((killed?.worst_second ?? 0) >= 1);
      assert.match(killed?.reason ?? '', /^ended unexpectedly .+; the last request was sent at .+Z$/);
      assert.equal(last?.outcome, 'finished');
    }));

  it('has the reason of a failure', () =>
    withRig({ withoutImages: true }, async (rig) => {
      await rig.market.setFaults({ api: { rates: { error500: 1 } } });
      await rig.configure({ giveUpAfter: '1s' });
      assert.equal((await rig.run()).code, 1);
      const [failed] = await startsOf(rig);
      assert.equal(failed?.outcome, 'failed');
      assert.match(failed?.reason ?? '', /^crawl: listings\/active: HTTP 500/);
      assert.equal(failed?.faults, failed?.requests);
    }));
});
