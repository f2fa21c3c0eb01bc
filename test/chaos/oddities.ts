import assert from 'node:assert/strict';
import { setTimeout as nap } from 'node:timers/promises';
import { Database } from '../../lib/store/database.ts';
import type { Faults, ScriptedFault } from '../marketplace/index.ts';
import type { Rig } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { moment, startFor } from './kills.ts';
import { FAULTS } from './lane.ts';
import { pick } from './pick.ts';
import { promised } from './promise.ts';

const WORLDS = ['first', 'weekly'] as const;
const KIND = 'odd answers and surroundings';
const PAGES = 'listings/active';
const BATCHES = 'listings/batch';
const REVIEWS = 'shops/\\d+/reviews';

async function spoil(rig: Rig, script: readonly ScriptedFault[], more: Faults = {}): Promise<void> {
  await rig.market.setFaults({ ...FAULTS, ...more, script });
}

/** One run, which says of it that it was odd. */
function odd(name: string, script: readonly ScriptedFault[], says: RegExp): Disturbance {
  return {
    name,
    kind: KIND,
    rounds: 2,
    worlds: WORLDS,
    async disturb({ rig }) {
      await spoil(rig, script);
      promised(await rig.run(), 0, says);
      return 0;
    },
  };
}

/** One run, in which something cannot be had, and one without the fault. */
async function thenWithout({ rig }: Round, says: RegExp): Promise<void> {
  promised(await rig.run(), 0, says);
  await rig.market.setFaults(FAULTS);
  promised(await rig.run(), 0);
}

export const oddities: readonly Disturbance[] = [
  {
    ...odd('', [], /./),
    name: 'a Retry-After of a day after one HTTP 503',
    async disturb({ rig, random }) {
      await rig.configure({ giveUpAfter: '2s' });
      await spoil(rig, [{ path: pick(random, [PAGES, BATCHES, REVIEWS]), fault: 'retryNextDay' }]);
      promised(await rig.run(), 0, /asked for a pause \(Retry-After\) longer than/);
      return 0;
    },
  },
  odd(
    'headers of the quota that are empty, 0 beside good answers, or no numbers',
    [{ path: '.', fault: 'falseQuota', times: 1000 }],
    /the header x-(?:remaining-today|limit-per-second) was /,
  ),
  odd(
    'optional fields of another type in all answers',
    [PAGES, BATCHES, REVIEWS].map((path) => ({ path, fault: 'oddFields', times: 1000 })),
    /was of another type: .* read all the same/,
  ),
  {
    ...odd('', [], /./),
    name: 'an image whose address is that of another, then a run without',
    worlds: ['first'],
    async disturb(round) {
      await spoil(round.rig, [{ path: BATCHES, fault: 'otherImage', times: 1000 }]);
      await thenWithout(round, /had the address of another image: /);
      return 0;
    },
  },
  {
    ...odd('', [], /./),
    name: 'a shop whose reviews are refused, then a run without',
    async disturb(round) {
      const { rig, random, note } = round;
      const fault = pick(random, ['error400', 'missing', 'error500'] as const);
      // Some of the shops that a run asks for, whichever they are.
      const digit = random.int(10);
      note(`${fault} for shops that end in ${digit}`);
      await spoil(rig, [{ path: `shops/\\d*${digit}/reviews`, fault, times: 1000 }]);
      promised(await rig.run(), 0);
      await rig.market.setFaults(FAULTS);
      promised(await rig.run(), 0);
      return 0;
    },
  },
  {
    ...odd('', [], /./),
    name: '7 % of the answers of the CDN faulty: all images are in at the end of the run',
    async disturb({ rig }) {
      const rates = { error503: 0.03, reset: 0.02, truncated: 0.02 };
      const script = [{ path: '570xN', fault: 'error503', times: 3 }] as const;
      await spoil(rig, script, { cdn: { ...FAULTS.cdn, rates } });
      promised(await rig.run(), 0);
      const open = await rig.number("SELECT count(*) AS n FROM images WHERE state IN ('failed', 'waiting')");
      assert.equal(open, 0, `${open} images are missing`);
      return 0;
    },
  },
  {
    ...odd('', [], /./),
    name: 'SIGSTOP for longer than it waits for Etsy',
    repeatsNothing: true,
    async disturb(round) {
      await round.rig.configure({ giveUpAfter: '1s' });
      const command = await startFor(round, moment(round));
      command.signal('SIGSTOP');
      await nap(2500);
      command.signal('SIGCONT');
      promised(await command.ended, 0);
      return 0;
    },
  },
  {
    ...odd('', [], /./),
    name: 'the database locked by another program for a while',
    repeatsNothing: true,
    worlds: ['weekly'],
    async disturb(round) {
      const { rig, random, note } = round;
      const command = await startFor(round, moment(round));
      const other = await Database.openRollback(rig.path('etsy_data.db'));
      const isHeld = await other.run('BEGIN IMMEDIATE').then(
        () => true,
        () => false,
      );
      const ms = 500 + random.int(3000);
      note(isHeld ? `held for ${ms} ms` : 'it was writing just then');
      await nap(ms);
      await other.close();
      promised(await command.ended, 0);
      return 0;
    },
  },
];
