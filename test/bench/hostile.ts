import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as nap } from 'node:timers/promises';
import { draw } from '../marketplace/pictures/draw.ts';
import { PicturesRig } from '../pictures-rig.ts';
import { withRig } from '../rig.ts';
import type { Command } from '../rig.ts';
import { answers } from './bombs/answers.ts';
import type { Bomb } from './bombs/bomb.ts';
import { Detour } from './bombs/detour.ts';
import { otherFiles, settingsFiles } from './bombs/files.ts';
import { drop, page } from './bombs/page.ts';
import type { PageBomb } from './bombs/page.ts';
import { pictures } from './bombs/pictures.ts';
import type { Section } from './section.ts';
import { accountIn } from './usage.ts';
import type { Account, Usage } from './usage.ts';

const TAXONOMY = 12371;
/** Of one record, file or answer. */
const MOST_MB = 300;
const MOST_CPU_SECONDS = 2;
/** Nothing takes that long but what never ends. Milliseconds. */
const PATIENCE = 90_000;
const AS_THE_COMMAND = new URL('./children/as-the-command.mjs', import.meta.url);

/** What one bomb takes beyond what the same command takes without it. */
interface Cost {
  readonly kind: string;
  readonly name: string;
  readonly mb: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
  /** How the command ended; null: it was ended. */
  readonly code: number | null;
}

type Took = Omit<Cost, 'kind' | 'name'>;

/**
 * What one hostile record, file or answer costs at most: each thrown at a process of its own, the real command, and
 * compared with the same start without it.
 */
export async function hostile(most = Infinity): Promise<Section> {
  const costs = [...(await ofRuns(most)), ...(await ofPictures(most)), ...(await ofPage(most))];
  const kinds = [...new Set(costs.map(({ kind }) => kind))];
  return {
    title: 'Hostile: the worst of',
    columns: ['memory', 'CPU', 'time', 'wanted'],
    lines: kinds.map((kind) => lineOf(costs.filter((cost) => cost.kind === kind))),
    figures: { most: { mb: MOST_MB, cpuSeconds: MOST_CPU_SECONDS }, costs },
  };
}

function lineOf(costs: readonly Cost[]): string[] {
  const worst = (of: (cost: Cost) => number): Cost => costs.reduce((a, b) => (of(a) >= of(b) ? a : b));
  const [memory, cpu, time] = [
    worst(({ mb }) => mb),
    worst((one) => one.cpuSeconds),
    worst((one) => one.seconds),
  ];
  return [
    `${costs.length} ${costs[0]?.kind ?? ''}`,
    `${Math.round(memory.mb)} MB (${memory.name})`,
    `${cpu.cpuSeconds.toFixed(1)} s (${cpu.name})`,
    `${time.seconds.toFixed(1)} s`,
    `≤ ${MOST_MB} MB, ≤ ${MOST_CPU_SECONDS} s`,
  ];
}

/** @param start of the command, with the account in its environment */
async function took(
  folder: string,
  start: (account: Account) => Command,
  meanwhile?: (command: Command) => Promise<unknown>,
): Promise<Took> {
  const account = accountIn(folder);
  const began = performance.now();
  const command = start(account);
  const work = meanwhile?.(command).catch((error: unknown) => console.log(String(error)));
  const late = nap(PATIENCE, 'late', { ref: false });
  if ((await Promise.race([command.ended, late])) === 'late') await command.kill();
  await work;
  const { code } = await command.ended;
  const seconds = (performance.now() - began) / 1000;
  const usage = await account.read().catch((): Usage | undefined => undefined);
  // What did not come to its own end has no account.
  if (!usage) return { mb: Infinity, cpuSeconds: Infinity, seconds, code: null };
  return { mb: usage.maxRssKb / 1024, cpuSeconds: usage.cpuMs / 1000, seconds, code };
}

function beyond(kind: string, name: string, cost: Took, plain: Took): Cost {
  const one: Cost = {
    kind,
    name,
    mb: cost.mb - plain.mb,
    cpuSeconds: cost.cpuSeconds - plain.cpuSeconds,
    seconds: cost.seconds - plain.seconds,
    code: cost.code,
  };
  const bad = one.mb > MOST_MB || one.cpuSeconds > MOST_CPU_SECONDS ? '  TOO MUCH' : '';
  console.log(
    `${kind}, ${name}: ${one.mb.toFixed(0)} MB, ${one.cpuSeconds.toFixed(1)} s of CPU, ${one.seconds.toFixed(1)} s, exit ${one.code}${bad}`,
  );
  return one;
}

/** Of several: the one in the middle, by CPU time. */
async function plainly(times: number, once: () => Promise<Took>): Promise<Took> {
  const all: Took[] = [];
  // The first fills the caches.
  for (let time = 0; time <= times; time += 1) all.push(await once());
  const sorted = all.slice(1).toSorted((a, b) => a.cpuSeconds - b.cpuSeconds);
  const [middle = { mb: 0, cpuSeconds: 0, seconds: 0, code: 0 }] = sorted.slice(Math.floor(times / 2));
  console.log(`without a bomb: ${middle.mb.toFixed(0)} MB, ${middle.cpuSeconds.toFixed(1)} s of CPU`);
  return middle;
}

function ofRuns(most: number): Promise<Cost[]> {
  const market = { categories: { [TAXONOMY]: { listings: 60 } }, shops: 6 };
  const options = { market, taxonomies: [TAXONOMY], realTime: true };
  return withRig(options, async (base) => {
    const detour = await Detour.before(base.market);
    const listings = (await base.truth()).listings.map(({ listing_id }) => listing_id);
    const run = (bomb: Bomb): Promise<Took> =>
      withRig(
        { ...options, beside: base, baseUrl: detour.apiUrl, giveUpAfter: '20s', timeout: '10s' },
        async (rig) => {
          await bomb.files?.(rig.folder, listings);
          detour.load(bomb);
          const cost = await took(rig.folder, ({ imports, env }) =>
            rig.start({ imports: [AS_THE_COMMAND, ...imports], env }),
          );
          if (bomb.thrown && !detour.hasThrown) console.log(`${bomb.name}: was never asked for`);
          return cost;
        },
      );
    try {
      const costs: Cost[] = [];
      const start = await plainly(3, () =>
        run({ name: 'empty', files: (folder) => writeFile(join(folder, 'pipeline.yaml'), '') }),
      );
      for (const bomb of settingsFiles.slice(0, most))
        costs.push(beyond('settings files', bomb.name, await run(bomb), start));
      const plain = await plainly(3, () => run({ name: 'plain' }));
      for (const [kind, bombs] of [
        ['other files', otherFiles],
        ['answers', answers],
      ] as const)
        for (const bomb of bombs.slice(0, most)) costs.push(beyond(kind, bomb.name, await run(bomb), plain));
      return costs;
    } finally {
      detour.close();
    }
  });
}

/** Decoded for cutouts and vectors. */
async function ofPictures(most: number): Promise<Cost[]> {
  const run = async (bytes?: Buffer): Promise<Took> => {
    const rig = await PicturesRig.open(1);
    try {
      if (bytes) await rig.writing((database) => rig.putImage(database, 101, bytes));
      return await took(rig.folder, ({ imports, env }) => rig.start([], imports, env));
    } finally {
      await rig.close();
    }
  };
  const plain = await plainly(3, run);
  const costs: Cost[] = [];
  for (const { name, bytes } of pictures.slice(0, most))
    costs.push(beyond('pictures', name, await run(await bytes()), plain));
  return costs;
}

/** Thrown at the open page of the search, one after the other, each at a start of its own. */
async function ofPage(most: number): Promise<Cost[]> {
  const base = await PicturesRig.open(6);
  try {
    await base.run();
    const run = async ({ thrown, bytes }: Pick<PageBomb, 'thrown' | 'bytes'>): Promise<Took> => {
      const picture = (await bytes?.()) ?? Buffer.alloc(0);
      const rig = await base.copy();
      try {
        return await took(
          rig.folder,
          ({ imports, env }) => rig.start(['search'], imports, env),
          async (command) => {
            await command.shows(/Ctrl-C to close/);
            const [, port = '', token = ''] =
              /127\.0\.0\.1:(\d+)(\/\?token=\S+)/.exec(command.transcript) ?? [];
            const entered = await fetch(`http://127.0.0.1:${port}${token}`, { redirect: 'manual' });
            const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
            try {
              await thrown({ port: Number(port), cookie }, picture);
            } finally {
              command.signal('SIGTERM');
            }
          },
        );
      } finally {
        await rig.close();
      }
    };
    // The first picture starts the thread that looks at pictures: that is no bomb's doing.
    const picture = draw({ kind: 'chair', drawing: 1 });
    const plain = await plainly(3, () => run({ bytes: () => picture, thrown: drop }));
    const costs: Cost[] = [];
    for (const bomb of page.slice(0, most))
      costs.push(beyond('requests of the page', bomb.name, await run(bomb), plain));
    return costs;
  } finally {
    await base.close();
  }
}
