import assert from 'node:assert/strict';
import type { Command, StartOptions } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { pick } from './pick.ts';
import { clockAhead, promised } from './promise.ts';

const WAITS = /The next run begins .*To end before it: touch KILL/;
const REVIEWS = /\/shops\/\d+\/reviews/;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const ENDINGS = ['KILL', 'SIGTERM', 'SIGINT', 'SIGKILL'] as const;

async function waiting(round: Round, options: StartOptions = {}): Promise<Command> {
  const command = round.rig.start(options);
  await command.shows(WAITS);
  return command;
}

/** Ends it while it waits: with 0, unless it has no time to say so. */
async function endWaiting(round: Round, command: Command, how: (typeof ENDINGS)[number]): Promise<void> {
  round.note(`${how} while it waits`);
  if (how === 'SIGKILL') return command.kill();
  if (how === 'KILL') await round.rig.touchKill();
  else command.signal(how);
  promised(await command.ended, 0, /Ended while waiting/);
}

/** What has been asked for is done: another start waits, too, and sends nothing. */
async function onlyWaits(round: Round, options: StartOptions = {}): Promise<void> {
  const before = (await round.rig.requests()).length;
  await endWaiting(round, await waiting(round, options), 'KILL');
  const sent = (await round.rig.requests()).length - before;
  assert.equal(sent, 0, `${sent} requests in the time between two runs`);
}

/** In the middle of the first visits, of the older pages, or of what comes after the crawl. */
async function killedInReviews({ rig, random }: Round): Promise<void> {
  const command = rig.start({ qps: 30 });
  await rig.arrived(command, 1 + random.int(20), REVIEWS);
  if (random.int(2) === 0) await command.kill();
  else {
    await rig.touchKill();
    promised(await command.ended, 75);
  }
}

export const waits: readonly Disturbance[] = [
  {
    name: 'ended while it waits for the next run: KILL, a signal, SIGKILL',
    kind: 'every',
    rounds: 8,
    worlds: ['first', 'weekly'],
    repeatsNothing: true,
    async disturb(round) {
      await round.rig.configure({ every: '7d' });
      await endWaiting(round, await waiting(round), pick(round.random, ENDINGS));
      await onlyWaits(round);
      return 0;
    },
  },
  {
    name: 'the clock set back an hour, or ahead a day, while it waits for the next run',
    kind: 'every',
    rounds: 4,
    worlds: ['weekly', 'first'],
    repeatsNothing: true,
    async disturb(round) {
      await round.rig.configure({ every: '7d' });
      await endWaiting(round, await waiting(round), pick(round.random, ENDINGS));
      await onlyWaits(round, await clockAhead(round.rig, pick(round.random, [-HOUR_MS, DAY_MS])));
      return 0;
    },
  },
  {
    name: 'ended in reviews, which then end for the next run',
    kind: 'every, cut',
    rounds: 6,
    worlds: ['first'],
    async disturb(round) {
      const { rig } = round;
      // Rows stay fresh, so that the next run writes what the undisturbed one did.
      await rig.configure({ every: '7d', refreshAfter: '20d' });
      await killedInReviews(round);
      const later = await clockAhead(rig, 8 * DAY_MS);
      const command = await waiting(round, later);
      await endWaiting(round, command, pick(round.random, ['KILL', 'SIGTERM'] as const));
      assert.equal(await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NULL'), 0);
      return 1;
    },
  },
];
