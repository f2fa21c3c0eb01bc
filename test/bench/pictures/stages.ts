import { readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as nap } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { resizeInput } from '../../../lib/models/onnx.ts';
import type { Registry } from '../../../lib/models/registry.ts';
import { Database } from '../../../lib/store/database.ts';
import { median } from '../../figures.ts';
import { PicturesRig, withRegistry } from '../../pictures-rig.ts';
import type { Command } from '../../rig.ts';
import type { BareModelInput, BareModelOutput } from '../children/bare-model.ts';
import { accountIn, inFolder, runChild, runNothing } from '../usage.ts';

const LAG = new URL('../children/lag.mjs', import.meta.url);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ROUNDS = 3;
const STOPPED = 75;
/** How often the rows are counted while a stage works. Milliseconds. */
const LOOK_MS = 20;

/** Threads that run models, of both alike: as many as sync-data takes by itself. */
export const THREADS = Math.max(1, availableParallelism() - 1);

export interface StageFigures {
  readonly stage: Stage;
  readonly model: string;
  readonly pictures: number;
  /** Pictures a second, median of the rounds, from the first that is done to the last. */
  readonly perSecond: number;
  readonly bare: number;
  /** Median of each round's own. */
  readonly ratio: number;
  /** Peak of the process, and of it what the bare loop does not take. Megabytes. */
  readonly peakMb: number;
  readonly besideMb: number;
  /** The longest that the main thread was not free while pictures were done. Milliseconds. */
  readonly blockedMs: number;
  /** Of one picture, in the bare loop: the median, the slowest. Milliseconds. */
  readonly pictureMs: number;
  readonly slowestMs: number;
  readonly rounds: readonly { readonly ours: number; readonly bare: number }[];
}

type Stage = 'background' | 'embed';
const TABLES = { background: 'cutouts', embed: 'embedding_codes' } as const;

/** Which model a stage is measured with, and where its weights are. */
export interface Measuring {
  readonly model: string;
  readonly registry: Registry;
  /** Absolute: the folder of the models. */
  readonly models: string;
}

/**
 * A stage of the real command against a bare loop over the same files with as many threads, one after the other in
 * each round. Both are timed from the first picture that is done to the last: of the stage, as others see its rows
 * committed.
 */
export async function stage(name: Stage, before: PicturesRig, measuring: Measuring): Promise<StageFigures> {
  if (name === 'embed' && (await before.files('cutouts')).length === 0) {
    await configure(before, measuring);
    await finished(before, 'background');
  }
  const rounds: Round[] = [];
  const nothing = (await runNothing()).maxRssKb / 1024;
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = await bareLoop(name, before, measuring);
    rounds.push({ bare, ours: await realStage(name, before, measuring) });
  }
  const of = (each: (round: Round) => number): number => median(rounds.map(each));
  const pictures = rounds.flatMap(({ bare }) => bare.ms);
  const peakMb = of(({ ours }) => ours.peakMb);
  return {
    stage: name,
    model: measuring.model,
    pictures: rounds[0]?.ours.pictures ?? 0,
    perSecond: of(({ ours }) => ours.perSecond),
    bare: of(({ bare }) => bare.perSecond),
    ratio: of(({ ours, bare }) => ours.perSecond / bare.perSecond),
    peakMb,
    besideMb: peakMb - (of(({ bare }) => bare.peakMb) - nothing * THREADS),
    blockedMs: of(({ ours }) => ours.blockedMs),
    pictureMs: median(pictures),
    slowestMs: Math.max(...pictures),
    rounds: rounds.map(({ ours, bare }) => ({ ours: ours.perSecond, bare: bare.perSecond })),
  };
}

/** Runs a stage to its end. @throws where that was not a good one */
export async function finished(rig: PicturesRig, stage: Stage): Promise<void> {
  const { code, stdout, stderr } = await rig.run(['--stage', stage]);
  if (code !== 0) throw new Error(`The command ended with ${code}: ${stdout}${stderr}`);
}

interface Loop {
  readonly pictures: number;
  readonly perSecond: number;
  readonly peakMb: number;
}
interface Round {
  readonly bare: Loop & { readonly ms: readonly number[] };
  readonly ours: Loop & { readonly blockedMs: number };
}

async function realStage(name: Stage, before: PicturesRig, measuring: Measuring): Promise<Round['ours']> {
  const rig = await before.copy();
  try {
    await configure(rig, measuring);
    const account = accountIn(rig.folder);
    const lag = rig.path('lag.json');
    const command = rig.start(['--stage', name], [LAG, ...account.imports], {
      ...account.env,
      BENCH_LAG: lag,
    });
    const seen = await committed(rig, command, TABLES[name]);
    const { code, stdout, stderr } = await command.ended;
    if (code !== 0) throw new Error(`The command ended with ${code}: ${stdout}${stderr}`);
    const late = JSON.parse(await readFile(lag, 'utf8')) as { at: number; ms: number }[];
    const [first, last] = [seen[0], seen.at(-1)];
    if (!first || !last || last.rows <= first.rows) throw new Error('Too few pictures to be timed.');
    const while_ = late.filter(({ at }) => at >= first.at && at <= last.at);
    return {
      pictures: last.rows,
      perSecond: ((last.rows - first.rows) / (last.at - first.at)) * 1000,
      peakMb: (await account.read()).maxRssKb / 1024,
      blockedMs: Math.max(0, ...while_.map(({ ms }) => ms)),
    };
  } finally {
    await rig.close();
  }
}

/** How many rows there were at which time, each time there were more. Epoch milliseconds. */
async function committed(
  rig: PicturesRig,
  command: Command,
  table: string,
): Promise<{ at: number; rows: number }[]> {
  const seen: { at: number; rows: number }[] = [];
  const database = await Database.open(rig.path('etsy_data.db'), { readOnly: true });
  try {
    for (let isLast = false; !isLast;) {
      isLast = command.isOver;
      const rows = (await database.read.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n ?? 0;
      if (rows > (seen.at(-1)?.rows ?? 0))
        seen.push({ at: performance.timeOrigin + performance.now(), rows });
      await nap(LOOK_MS);
    }
    return seen;
  } finally {
    await database.close();
  }
}

function bareLoop(name: Stage, before: PicturesRig, measuring: Measuring): Promise<Round['bare']> {
  return inFolder(async (folder) => {
    const files = await before.files(name === 'background' ? 'images' : 'cutouts');
    const of = await bareModel(name, measuring, folder);
    const shares = Array.from({ length: THREADS }, (_, thread) =>
      files.filter((_, at) => at % THREADS === thread),
    );
    const found = await Promise.all(
      shares.map(async (share, at) => {
        const output = join(folder, `${at}.json`);
        const usage = await runChild('bare-model.ts', {
          ...of,
          files: share,
          folder: join(folder, 'cutouts'),
          output,
        });
        const { done } = JSON.parse(await readFile(output, 'utf8')) as BareModelOutput;
        return { done, peakMb: usage.maxRssKb / 1024 };
      }),
    );
    const done = found.flatMap((one) => one.done);
    const times = done.map(({ at }) => at).toSorted((a, b) => a - b);
    return {
      pictures: done.length,
      perSecond: ((done.length - 1) / ((times.at(-1) ?? 0) - (times[0] ?? 0))) * 1000,
      peakMb: found.reduce((sum, { peakMb }) => sum + peakMb, 0),
      ms: done.map(({ ms }) => ms),
    };
  });
}

/** The weights as a loop that knows nothing of them needs them: made for the size that they are run at. */
async function bareModel(
  name: Stage,
  { model, registry, models }: Measuring,
  folder: string,
): Promise<Omit<BareModelInput, 'files' | 'folder' | 'output'>> {
  const work = name === 'background' ? 'cutout' : 'image';
  const found = (work === 'cutout' ? registry.cutouts : registry.embeddings).find(
    (one) => one.name === model,
  );
  if (!found) throw new Error(`There is no model ${model}.`);
  const { size, mean, deviation } = found.pixels;
  const own = join(ROOT, 'lib', 'models', 'baseline');
  const file = await readFile(join(found.weights.url === undefined ? own : models, found.weights.name));
  if ('madeFor' in found && found.madeFor !== undefined) resizeInput(file, found.madeFor, size);
  const weights = join(folder, 'bare.onnx');
  await writeFile(weights, file);
  return { work, weights, size, mean, deviation };
}

/** The pipeline of both stages; the weights of another registry come in by a task that hands them to sync-data's own. */
export async function configure(rig: PicturesRig, { model, registry, models }: Measuring): Promise<void> {
  const isOwn = model === 'baseline';
  const settings = isOwn ? '' : `data: { models: ${JSON.stringify(models)} }\n`;
  if (!isOwn) await writeFile(rig.path('background.ts'), withRegistry(registry));
  await writeFile(
    rig.path('pipeline.yaml'),
    `${settings}models: { threads: ${THREADS} }
stages:
  - { id: background, task: ${isOwn ? './tasks/background.ts' : './background.ts'}, kill: KILL_BG, with: { model: ${model} } }
  - { id: embed, task: ./tasks/embed.ts, needs: [background], kill: KILL_EMBED, with: { models: [baseline] } }
`,
  );
}

export interface Stops {
  readonly model: string;
  readonly tookMs: readonly number[];
}

/** Touches each of the KILL files over and over while pictures are under way; the copy resumes until it is through. */
export async function stops(before: PicturesRig, measuring: Measuring, times: number): Promise<Stops> {
  const tookMs: number[] = [];
  let rig: PicturesRig | undefined;
  try {
    for (let time = 0; tookMs.length < times && time < 3 * times; time += 1) {
      if (!rig) {
        rig = await before.copy();
        await configure(rig, measuring);
        await rm(rig.path('cutouts'), { recursive: true, force: true });
        await rig.writing((database) => database.write((tx) => tx.run('DELETE FROM cutouts')));
      }
      const name = (['KILL', 'KILL_BG'] as const)[time % 2] ?? 'KILL';
      const took = await stopOnce(rig, name);
      if (took !== undefined) tookMs.push(took);
      else {
        await rig.close();
        rig = undefined;
      }
    }
  } finally {
    await rig?.close();
  }
  return { model: measuring.model, tookMs };
}

/** @returns undefined when the run was finished first */
async function stopOnce(rig: PicturesRig, name: 'KILL' | 'KILL_BG'): Promise<number | undefined> {
  const command = rig.start(['--stage', 'background']);
  const before = await rows(rig);
  while (!command.isOver && (await rows(rig)) === before) await nap(LOOK_MS);
  await nap(Math.random() * 300);
  const began = performance.now();
  await writeFile(rig.path(name), '');
  const { code, stdout, stderr } = await command.ended;
  const took = performance.now() - began;
  await rm(rig.path(name), { force: true });
  if (code === 0) return undefined;
  if (code !== STOPPED) throw new Error(`The command ended with ${code}: ${stdout}${stderr}`);
  return took;
}

async function rows(rig: PicturesRig): Promise<number> {
  const [row] = await rig.rows('SELECT count(*) AS n FROM cutouts');
  return Number(row?.['n'] ?? 0);
}
