import { parseArgs } from 'node:util';
import { nameOf, thisMachine } from '../machine.ts';
import { orUsage } from '../options.ts';
import { disturbances } from './all.ts';
import type { Disturbance } from './disturbance.ts';
import { Harness } from './harness.ts';
import type { Played, Result } from './harness.ts';
import { spread, table } from './table.ts';

const USAGE = `Disturbs the command in every way it must stand, and compares what comes of it with an undisturbed run.

  npm run chaos
  npm run chaos -- --seed N      the same rounds again
  npm run chaos -- --only TEXT   disturbances whose name has this in it
  npm run chaos -- --rounds N    so many of each, in place of its own number
`;

process.exitCode = await chaos(orUsage(USAGE, options));

function options(): { seed: number; only: string; rounds: number | undefined } {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, only: { type: 'string' }, rounds: { type: 'string' } },
  });
  const { seed = String(Date.now() % 1_000_000), only = '', rounds } = values;
  for (const [name, text] of Object.entries({ seed, rounds })) {
    if (text !== undefined && !/^\d+$/.test(text)) throw new Error(`--${name} ${text} is no number.`);
  }
  return { seed: Number(seed), only, rounds: rounds === undefined ? undefined : Number(rounds) };
}

/** @returns the exit code */
async function chaos({ seed, only, rounds }: ReturnType<typeof options>): Promise<number> {
  const began = performance.now();
  console.log(`seed ${seed}`);
  const chosen = disturbances.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  const possible = chosen.filter(isPossible);
  if (possible.length === 0) throw new Error(`There is no disturbance with "${only}" in its name.`);

  const harness = new Harness(seed);
  try {
    const results = await Promise.all(
      possible.map(async (disturbance) => {
        const numbers = Array.from({ length: rounds ?? disturbance.rounds }, (_, number) => number);
        const played = numbers.map(async (number) => {
          const round = await harness.play(disturbance, number);
          if (round.fault !== undefined) tellFault(disturbance, round, seed);
          return round;
        });
        const result = { disturbance, rounds: await Promise.all(played) };
        tellResult(result);
        return result;
      }),
    );
    const took = Math.round((performance.now() - began) / 1000);
    const time = `${Math.floor(took / 60)} min ${took % 60} s`;
    console.log(`\n${nameOf(thisMachine())}, seed ${seed}: ${time}\n`);
    console.log(table(results));
    const stages = spread(results);
    if (stages.length > 0) console.log(`\nEnded in\n\n${stages.map((line) => `- ${line}`).join('\n')}`);
    return results.every((result) => result.rounds.every(isGood)) ? 0 : 1;
  } finally {
    await harness.close();
  }
}

function isPossible({ name, impossible }: Disturbance): boolean {
  const why = impossible?.();
  if (why !== undefined) console.log(`not possible here: ${name}: ${why}`);
  return why === undefined;
}

function isGood(round: Played): boolean {
  return round.fault === undefined;
}

function tellFault({ name }: Disturbance, round: Played, seed: number): void {
  console.log(`✖ ${name}, round ${round.number}, ${round.world} world, seed ${seed}\n${round.fault}\n`);
}

function tellResult({ disturbance, rounds }: Result): void {
  const good = rounds.filter(isGood).length;
  console.log(
    `${good === rounds.length ? '✔' : '✖'} ${disturbance.name}: ${good} of ${rounds.length} identical`,
  );
}
