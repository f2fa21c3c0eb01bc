import { setTimeout as nap } from 'node:timers/promises';
import type { Command, StartOptions } from '../rig.ts';
import type { Disturbance, Round } from './disturbance.ts';
import { finish } from './finish.ts';
import { pick } from './pick.ts';
import { eventsOf } from './promise.ts';
import { STAGES, whereItEnded } from './where.ts';

export const KILL_AT = new URL('../fixtures/kill-at.mjs', import.meta.url);

export const WHENS = ['before', 'during', 'after'] as const;

/** At which of its events the command ends itself: see test/fixtures/kill-at.mjs. */
export interface Aim {
  readonly match: string;
  readonly nth?: number;
  readonly then?: string;
  readonly when: (typeof WHENS)[number];
}

/** How an attempt to end the command came: before it had begun, in the middle, or when it had finished by itself. */
export type End = 'too early' | 'in the middle' | 'too late';

/**
 * Ends it so many times, then lets it finish.
 *
 * @returns how many of the ends were in the middle
 */
export async function endThenFinish(round: Round, times: number, end: () => Promise<End>): Promise<number> {
  let ends = 0;
  for (let time = 0; time < times; time += 1) {
    const came = await end();
    // Started once more it would begin a new run, of which the undisturbed installation knows nothing.
    if (came === 'too late') return ends;
    if (came === 'in the middle') ends += 1;
  }
  await finish(round.rig);
  return ends;
}

/** One end that other things are done after. @returns how many ends in the middle that makes */
export async function killOnce(round: Round, options: StartOptions = {}): Promise<number> {
  return (await killAtMoment(round, options)) === 'in the middle' ? 1 : 0;
}

/** A moment of a run, uniform over what an undisturbed one takes. Milliseconds after its start. */
export function moment({ random, undisturbed }: Round): number {
  return random.next() * undisturbed.ms;
}

/** Starts it, and resolves after so many milliseconds or when it has ended, if that is sooner. */
export async function startFor(round: Round, ms: number, options: StartOptions = {}): Promise<Command> {
  const command = round.rig.start(options);
  const over = new AbortController();
  await Promise.race([nap(ms, undefined, { signal: over.signal }).catch(() => undefined), command.ended]);
  over.abort();
  return command;
}

/** Kills it at a random moment. */
export async function killAtMoment(round: Round, options: StartOptions = {}): Promise<End> {
  const ms = moment(round);
  const command = await startFor(round, ms, options);
  await command.kill();
  return ended(round, command, `after ${Math.round(ms)} ms`);
}

export async function killAt(round: Round, aim: Aim): Promise<End> {
  const env = { KILL_AT: JSON.stringify(aim) };
  const command = round.rig.start({ imports: [KILL_AT], env });
  return ended(round, command, JSON.stringify(aim));
}

async function ended(round: Round, command: Command, aim: string): Promise<End> {
  const { signal, code, stderr } = await command.ended;
  if (signal !== 'SIGKILL') {
    if (code !== 0) throw new Error(`It ended with ${code ?? signal} before it was killed: ${stderr}`);
    round.note(`SIGKILL ${aim}: over before`);
    return 'too late';
  }
  const stages = await whereItEnded(round.rig);
  round.ended(stages);
  round.note(`SIGKILL ${aim}, in ${stages.join(' and ')}`);
  return 'in the middle';
}

/** An image that lies there complete is not fetched again: what was on its way at an end may be. */
export async function downloadedOnce(round: Round, ends: number): Promise<void> {
  const needed = eventsOf(round, 'rename images/').length;
  const made = (await round.rig.requests(/./, 'cdn')).length;
  if (made > needed + ends)
    throw new Error(`${made} downloads where ${needed} were needed, with ${ends} ends in the middle`);
}

/** Which of the undisturbed run's statements belong to a stage: from its first step to its last. */
function statementsOf(stage: string, statements: readonly string[]): { first: number; last: number } {
  const step = new RegExp(`^sql INSERT INTO units .* \\| ${stage} `);
  const first = statements.findIndex((event) => step.test(event));
  return { first, last: statements.findLastIndex((event) => step.test(event)) };
}

export const kills: readonly Disturbance[] = [
  {
    name: 'SIGKILL at a random moment',
    rounds: 90,
    worlds: ['first', 'weekly'],
    async disturb(round) {
      const ends = await endThenFinish(round, 1 + round.random.int(3), () => killAtMoment(round));
      await downloadedOnce(round, ends);
      return ends;
    },
  },
  {
    name: 'SIGKILL at a random SQL statement',
    rounds: 60,
    worlds: ['weekly', 'first'],
    async disturb(round) {
      const { random } = round;
      const statements = eventsOf(round, 'sql ');
      // Half of them over the whole run, half over one stage: a short one would hardly ever be hit.
      const stage = STAGES[random.int(2 * STAGES.length)];
      const { first, last } = stage
        ? statementsOf(stage, statements)
        : { first: 0, last: statements.length - 1 };
      const nth = 1 + first + random.int(last - first + 1);
      const when = pick(random, WHENS);
      const ends = await endThenFinish(round, 1, () => killAt(round, { match: '^sql ', nth, when }));
      await downloadedOnce(round, ends);
      return ends;
    },
  },
];
