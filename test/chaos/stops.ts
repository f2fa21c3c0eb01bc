import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import type { Ended } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { endThenFinish, moment, startFor } from './kills.ts';
import type { End } from './kills.ts';
import { pick } from './pick.ts';
import { promised } from './promise.ts';

/** A stop waits for the requests in flight, and here none takes long. Generous: the machine may be busy. */
const STOP_MS = 5000;
/** The end of a run that was so near its end that it finished instead, its report included. */
const LAST_MS = STOP_MS;
const SIGNALS = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const;
const SECOND = /^Another sync-data is using /;

async function stopWithKill(round: Round): Promise<End> {
  const { rig } = round;
  const ms = moment(round);
  const command = await startFor(round, ms);
  if (command.isOver) return 'too late';
  await rig.touchKill();
  const began = performance.now();
  const { code, stdout, stderr } = await command.ended;
  const took = Math.round(performance.now() - began);
  round.note(`KILL after ${Math.round(ms)} ms: ${code} after another ${took} ms`);
  if (took > STOP_MS) throw new Error(`it took ${took} ms to stop`);

  const isLeft = existsSync(rig.path('KILL'));
  // Touched before the process was there, or when its last look was past.
  const isMissed = /so nothing was started/.test(stderr) || code === 0;
  if (isLeft && !isMissed) throw new Error(`it ended with ${code} and left the KILL file`);
  await rm(rig.path('KILL'), { force: true });
  if (code === 0) return lastBreath(took);
  if (code !== 75) throw new Error(`it ended with ${code}`);
  if (!isMissed && !/ile was found|by the KILL file/.test(stdout + stderr))
    throw new Error('it did not say why it stopped');
  return isMissed ? 'too early' : 'in the middle';
}

/** @param andAgain how long after the signal it gets another, and with that no more time */
async function stopWithSignal(round: Round, andAgain?: { ms: number; signal: NodeJS.Signals }): Promise<End> {
  const [name, expected] = pick(round.random, SIGNALS);
  const ms = moment(round);
  const command = await startFor(round, ms);
  command.signal(name);
  const began = performance.now();
  if (andAgain) {
    await Promise.race([nap(andAgain.ms), command.ended]);
    command.signal(andAgain.signal);
  }
  const end = await command.ended;
  const took = Math.round(performance.now() - began);
  round.note(`${name} after ${Math.round(ms)} ms: ${end.code ?? end.signal} after another ${took} ms`);
  if (took > STOP_MS) throw new Error(`it took ${took} ms to stop`);
  // Node itself listens to no signal any more once it takes its leave.
  if (end.code === 0 || (end.signal === name && hasFinished(end))) return lastBreath(took);
  if (end.signal === name && !hasBegun(end)) return 'too early';
  if (end.code === expected) return 'in the middle';
  // The second signal ends it, as it would any process.
  if (andAgain && end.signal === andAgain.signal) return 'in the middle';
  throw new Error(`it ended with ${end.code ?? end.signal} after ${name}`);
}

/** Before that a signal does what it does to any process. */
function hasBegun({ stdout }: Ended): boolean {
  return /Z sync-data: run \d+ (?:started|resumed)$/m.test(stdout);
}

function hasFinished({ stdout }: Ended): boolean {
  return /^Finished in /m.test(stdout);
}

function lastBreath(took: number): 'too late' {
  if (took > LAST_MS) throw new Error(`it went on for ${took} ms and finished, as if nothing had been said`);
  return 'too late';
}

/** Twice would be once too often: whoever comes second is refused, and says by whom. */
function checkRefusals(ends: readonly Ended[]): void {
  const refused = ends.filter(({ code }) => code !== 0);
  if (refused.length === ends.length) throw new Error('none of the instances finished');
  for (const { code, signal, stderr } of refused) {
    if (code !== 3 || !SECOND.test(stderr))
      throw new Error(`an instance ended with ${code ?? signal}: ${stderr}`);
  }
}

export const stops: readonly Disturbance[] = [
  {
    name: 'KILL file at a random moment',
    kind: 'stop',
    rounds: 20,
    worlds: ['weekly', 'first'],
    repeatsNothing: true,
    async disturb(round) {
      return endThenFinish(round, 2, () => stopWithKill(round));
    },
  },
  {
    name: 'SIGTERM, SIGINT or SIGHUP at a random moment',
    kind: 'stop',
    rounds: 15,
    worlds: ['first', 'weekly'],
    repeatsNothing: true,
    async disturb(round) {
      return endThenFinish(round, 2, () => stopWithSignal(round));
    },
  },
  {
    name: 'a second signal or SIGKILL while it stops',
    kind: 'stop',
    rounds: 8,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const signal = pick(round.random, ['SIGKILL', 'SIGINT', 'SIGTERM'] as const);
      return endThenFinish(round, 1, () => stopWithSignal(round, { ms: round.random.int(20), signal }));
    },
  },
  {
    name: 'SIGSTOP for a second, then SIGCONT',
    kind: 'stop',
    rounds: 4,
    worlds: ['first', 'weekly'],
    repeatsNothing: true,
    async disturb(round) {
      const command = await startFor(round, moment(round));
      command.signal('SIGSTOP');
      await nap(500 + round.random.int(1000));
      command.signal('SIGCONT');
      promised(await command.ended, 0);
      return 0;
    },
  },
  {
    name: 'a second instance in the middle',
    kind: 'instances',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const first = await startFor(round, moment(round));
      checkRefusals(await Promise.all([first.ended, round.rig.run()]));
      return 0;
    },
  },
  {
    name: 'three instances started at once',
    kind: 'instances',
    rounds: 4,
    worlds: ['first', 'weekly'],
    async disturb({ rig }) {
      checkRefusals(await Promise.all([rig.run(), rig.run(), rig.run()]));
      return 0;
    },
  },
];
