import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { nameOf, thisMachine } from '../machine.ts';
import type { Machine } from '../machine.ts';
import { markdownTable } from '../markdown.ts';
import { orUsage } from '../options.ts';
import { cost } from './cost.ts';
import { fresh } from './fresh.ts';
import { hostile } from './hostile.ts';
import { images } from './images.ts';
import { overLeast } from './over-least.ts';
import { pictures } from './pictures.ts';
import { plan } from './plan.ts';
import { rate } from './rate.ts';
import { scale } from './scale.ts';
import type { Section } from './section.ts';
import { start } from './start.ts';
import { stopping } from './stopping.ts';
import { views } from './views.ts';
import { workers } from './workers.ts';

const USAGE = `Measures what it takes; prints tables, and writes those of full size into test/bench/results.json.

  npm run bench                             every section
  npm run bench -- --only NAME              one of rate, cost, requests, images, stopping, start, scale, fresh, hostile,
                                            views, pictures, workers
  npm run bench -- --only rate --seconds N  for so long at each latency
  npm run bench -- --only NAME --amount N   so many listings (cost, requests, scale, views), images (images,
                                            pictures) or times (stopping, start)
  npm run bench -- --plan                   the real job on paper: requests, and days under a quota
`;
const RESULTS = fileURLToPath(new URL('./results.json', import.meta.url));

/** Each with its own amount where none is given. */
const SECTIONS: { readonly [name: string]: (amount: number | undefined) => Promise<Section> } = {
  rate,
  cost,
  requests: overLeast,
  images,
  stopping,
  start,
  scale: (amount) => scale(amount === undefined ? undefined : [amount]),
  fresh: (amount) => fresh(amount),
  views: (amount) => views(amount),
  hostile,
  pictures: (amount) => pictures(amount),
  workers: (amount) => workers(amount),
  plan: (amount) => plan(amount),
};
/** Takes no measure of this machine, so it is not among the others. */
const ON_PAPER = 'plan';

await bench(orUsage(USAGE, options));

function options(): { names: string[]; amount: number | undefined } {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seconds: { type: 'string' },
      amount: { type: 'string' },
      plan: { type: 'boolean' },
    },
  });
  const only = values.plan ? ON_PAPER : values.only;
  const amount = values.amount ?? values.seconds;
  if (only !== undefined && !(only in SECTIONS)) throw new Error(`There is no section "${only}".`);
  if (amount !== undefined && !(Number(amount) > 0)) throw new Error(`"${amount}" is no amount.`);
  if (amount !== undefined && only === undefined)
    throw new Error('An amount is of one section: --only NAME.');
  const all = Object.keys(SECTIONS).filter((name) => name !== ON_PAPER);
  return {
    names: only === undefined ? all : [only],
    amount: amount === undefined ? undefined : Number(amount),
  };
}

async function bench({ names, amount }: ReturnType<typeof options>): Promise<void> {
  const machine = thisMachine();
  console.log(nameOf(machine));
  for (const name of names) {
    const section = await SECTIONS[name]?.(amount);
    if (!section) continue;
    const { title, columns = ['here', 'wanted'], lines } = section;
    console.log(`\n${markdownTable([title, ...columns], lines)}`);
    // What was measured small says nothing of the whole.
    if (amount === undefined) await keep(section, machine);
  }
}

/** The sections that were not measured now stay as they were. */
async function keep({ title, ...rest }: Section, machine: Machine): Promise<void> {
  const before = existsSync(RESULTS) ? (JSON.parse(await readFile(RESULTS, 'utf8')) as object) : {};
  const results = { ...before, [title]: { machine, ...rest } };
  // It is kept in the repository, so it has to look as the linter wants it.
  const style = await resolveConfig(RESULTS);
  await writeFile(RESULTS, await format(JSON.stringify(results), { ...style, filepath: RESULTS }));
}
