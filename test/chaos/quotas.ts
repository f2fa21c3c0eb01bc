import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import { Database } from '../../lib/store/database.ts';
import type { MarketplaceOptions } from '../marketplace/index.ts';
import type { Ended, Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { FAULTS } from './lane.ts';
import { pick } from './pick.ts';
import { clockAhead, exactly, promised } from './promise.ts';

const SPENT = /the daily quota is used up/;
const TO_GO_ON = /npx sync-data/;
const MINUTE_MS = 60_000;

/** Where the quota ends: at a request of which stage, and what must be so before there is one. */
interface Place {
  readonly stage: string;
  readonly worlds: Disturbance['worlds'];
  /** @returns what the path and query of that request match */
  readonly lead: (round: Round) => Promise<RegExp>;
}

const PLACES: readonly Place[] = [
  {
    stage: 'crawl',
    worlds: ['first', 'weekly'],
    lead: async ({ rig, random }) =>
      new RegExp(`listings/active\\?.*taxonomy_id=${pick(random, rig.taxonomies)}`),
  },
  { stage: 'reconcile', worlds: ['weekly'], lead: noLongerShown },
  { stage: 'verify', worlds: ['first', 'weekly'], lead: anImageToAskFor },
  { stage: 'reviews', worlds: ['first', 'weekly'], lead: async () => /shops\/\d+\/reviews/ },
];

/** What a crawl does not show only reconcile asks for. */
async function noLongerShown({ rig }: Round): Promise<RegExp> {
  const { listings } = await rig.truth();
  const shown = new Set(listings.map((listing) => String(listing.listing_id)));
  const gone = Object.keys(await rig.json()).find((id) => !shown.has(id));
  return new RegExp(`listings/batch\\?.*\\b${gone}\\b`);
}

/** All is fresh after a run. An image that is gone since, with nothing on record of where to get it, is left to verify. */
async function anImageToAskFor({ rig }: Round): Promise<RegExp> {
  promised(await rig.run(), 0);
  const { listings } = await rig.truth();
  const offered = JSON.stringify(listings.map((listing) => listing.listing_id));
  const id = await rig.number(
    "SELECT min(listing_id) AS n FROM images WHERE state = 'done' AND listing_id IN (SELECT value FROM json_each(?))",
    [offered],
  );
  const database = await Database.open(rig.path('etsy_data.db'));
  await database.write((tx) => tx.run('UPDATE images SET url = NULL WHERE listing_id = ?', [id]));
  await database.close();
  await rm(rig.path('images', `${id}.jpg`));
  return /listings\/batch/;
}

async function refuse(rig: Rig, path: RegExp, times: number): Promise<void> {
  await rig.market.setFaults({ ...FAULTS, script: [{ path: path.source, fault: 'limitDay', times }] });
}

/** From when on calls come back, as it said when it stopped. Epoch milliseconds. */
function told({ stdout }: Ended): number {
  const [, time = ''] = /calls return from (\d{4}-\d\d-\d\d \d\d:\d\d) UTC/.exec(stdout) ?? [];
  return Date.parse(`${time.replace(' ', 'T')}Z`);
}

/** Starts it when calls have come back, by its clock and what it said. */
async function whenCallsAreBack({ rig, note }: Round, stopped: Ended): Promise<Ended> {
  const wait = told(stopped) + MINUTE_MS - (await rig.market.now());
  note(`starts again ${Math.round(wait / MINUTE_MS)} min later`);
  const before = await rig.requests();
  const ended = await rig.run(await clockAhead(rig, Math.max(0, wait)));
  const sent = (await rig.requests()).length - before.length;
  assert.ok(sent > 0, `calls were said to be back, and nothing was asked for:\n${ended.stdout.slice(-600)}`);
  return ended;
}

const waiting = PLACES.map(({ stage, worlds, lead }): Disturbance => {
  return {
    name: `the daily quota used up in ${stage}, waited for`,
    kind: 'quota',
    rounds: 2,
    worlds,
    // A day of a few seconds, and an estimate of when it is over.
    ownMarket: { dayMs: 3000, headersOn429: 'all' },
    async disturb(round) {
      const { rig, random } = round;
      await refuse(rig, await lead(round), 1 + random.int(2));
      promised(await rig.run(), 0, /waiting until .+: the daily quota is used up/, /: resumed$/m);
      assert.ok((await rig.requests()).some((request) => request.fault === 'limitDay'));
      return 0;
    },
  };
});

const stopping = PLACES.map(({ stage, worlds, lead }): Disturbance => {
  return {
    name: `the daily quota used up in ${stage}, stopped for`,
    kind: 'quota',
    rounds: 2,
    worlds,
    ownMarket: true,
    async disturb(round) {
      const { rig } = round;
      await refuse(rig, await lead(round), 1000);
      await rig.configure({ onQuota: 'stop' });
      const stopped = await rig.run();
      promised(
        stopped,
        75,
        SPENT,
        /calls return from /,
        TO_GO_ON,
        exactly(`  ${stage.charAt(0).toUpperCase()}${stage.slice(1)}`),
      );
      const before = await rig.requests();
      promised(await rig.run(), 75, SPENT, /calls return from /, TO_GO_ON);
      assert.equal((await rig.requests()).length, before.length, 'it asked although it knew better');
      await rig.market.setFaults(FAULTS);
      promised(await whenCallsAreBack(round, stopped), 0);
      return 1;
    },
  };
});

/** The marketplace's day is over in a moment, the command's only when its clock says so. */
const SHORT_DAYS = { perDay: 14, dayMs: 3000 } satisfies MarketplaceOptions;
const MOST_STARTS = 8;

export const quotas: readonly Disturbance[] = [
  ...waiting,
  ...stopping,
  {
    name: 'a daily quota too small for the run, stopped for',
    kind: 'quota',
    rounds: 2,
    worlds: ['first', 'weekly'],
    ownMarket: SHORT_DAYS,
    async disturb(round) {
      const { rig } = round;
      await rig.configure({ onQuota: 'stop' });
      let ended = await rig.run();
      let stops = 0;
      for (; ended.code === 75 && stops < MOST_STARTS; stops += 1) {
        promised(ended, 75, SPENT, /calls return from /, /Everything up to there is saved\./);
        await nap(SHORT_DAYS.dayMs);
        ended = await whenCallsAreBack(round, ended);
      }
      promised(ended, 0);
      // A week's changes may be had for fewer calls than a day has.
      const { length: made } = await rig.requests();
      assert.ok(stops > 0 || made <= SHORT_DAYS.perDay, `the quota never ended, with ${made} requests`);
      return stops;
    },
  },
];
