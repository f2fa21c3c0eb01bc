import type { StartOptions } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { finish } from './finish.ts';
import { killOnce } from './kills.ts';

const HOUR_MS = 3_600_000;
/** Not without limit: the throttle goes by the clock, and what it makes of a jump is to be seen. */
const QPS = 60;

function jump(ms: number, afterMs: number): StartOptions {
  return { qps: QPS, env: { CLOCK_JUMP_MS: String(ms), CLOCK_JUMP_AFTER_MS: String(Math.round(afterMs)) } };
}

/** Sets the clock in the middle of a run, in most rounds of one that was killed before or is killed after. */
async function setClock(round: Round, ms: number): Promise<number> {
  const { random, rig, undisturbed } = round;
  const jumping = jump(ms, random.next() * undisturbed.ms);
  const order = random.int(4);
  let ends = 0;
  if (order === 1) ends += await killOnce(round, { qps: QPS });
  if (order > 1) ends += await killOnce(round, jumping);
  round.note(
    ['set in the middle', 'killed before', 'killed, and set back', 'killed, and left so'][order] ?? '',
  );
  await finish(rig, order < 2 ? jumping : order === 2 ? { qps: QPS } : jump(ms, 0));
  return ends;
}

export const clocks: readonly Disturbance[] = [
  {
    name: 'clock set back an hour',
    kind: 'clock',
    rounds: 8,
    worlds: ['weekly', 'first'],
    disturb: (round) => setClock(round, -HOUR_MS),
  },
  {
    name: 'clock set ahead a day',
    kind: 'clock',
    rounds: 4,
    worlds: ['weekly', 'first'],
    disturb: (round) => setClock(round, 24 * HOUR_MS),
  },
];
