import { readdir } from 'node:fs/promises';
import pLimit from 'p-limit';
import { differences } from '../dump.ts';
import type { Dump } from '../dump.ts';
import { aspect, createRandom, hash } from '../marketplace/random.ts';
import type { Random } from '../marketplace/random.ts';
import { repeats } from '../repeats.ts';
import type { Rig } from '../rig.ts';
import type { Disturbance, World } from './disturbance.ts';
import { Lane } from './lane.ts';
import { judge } from './verdict.ts';

/** What became of a round. */
export interface Played {
  readonly number: number;
  readonly world: World;
  readonly notes: readonly string[];
  /** How many times the command was ended in the middle. */
  readonly ends: number;
  /** The stages it was in then, where the disturbance tells. */
  readonly stages: readonly string[];
  readonly lost: number;
  readonly doubled: number;
  /** API requests beyond those of the undisturbed run; undefined: it did not get that far. */
  readonly repeated?: number;
  /** What went wrong, with all that helps to find out why; undefined: it ended up identical. */
  readonly fault?: string;
}

export interface Result {
  readonly disturbance: Disturbance;
  readonly rounds: readonly Played[];
}

/** A round that takes longer hangs. */
const LIMIT_MS = 120_000;
const SLOW_LIMIT_MS = 900_000;
/** Lines of differences, and characters of the transcript's end, that are told of a failed round. */
const TOLD = 12;
const TOLD_TRANSCRIPT = 3000;

/** Plays rounds, two at a time, each decided by the seed, the disturbance's name and the round's number alone. */
export class Harness {
  readonly #seed: number;
  readonly #free: Lane[];
  readonly #lanes: readonly Lane[];
  readonly #turn: ReturnType<typeof pLimit>;
  /** Of the lane that was first there, by what it was furnished with. */
  readonly #expected: Record<World, Map<Disturbance['furnish'], Dump>> = {
    first: new Map(),
    weekly: new Map(),
  };

  constructor(seed: number, lanes = 2) {
    this.#seed = seed;
    this.#lanes = Array.from({ length: lanes }, () => new Lane());
    this.#free = [...this.#lanes];
    this.#turn = pLimit(lanes);
  }

  play(disturbance: Disturbance, number: number): Promise<Played> {
    return this.#turn(async () => {
      const lane = this.#free.pop();
      if (!lane) throw new Error('internal: more turns than lanes');
      try {
        return await this.#play(lane, disturbance, number);
      } finally {
        this.#free.push(lane);
      }
    });
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) await lane.close();
  }

  async #play(lane: Lane, disturbance: Disturbance, number: number): Promise<Played> {
    const world = disturbance.worlds[number % disturbance.worlds.length];
    if (!world) throw new Error(`internal: ${disturbance.name} has no world`);
    if (disturbance.apart) return this.#playApart(disturbance, number, world);
    const undisturbed = await lane.undisturbed(world, disturbance.furnish);
    this.#compareLanes(world, disturbance.furnish, undisturbed.dump);

    const notes: string[] = [];
    const stages: string[] = [];
    const round = { number, world, notes, stages };
    const rig = await lane.open(world, disturbance);
    try {
      const ends = await inTime(
        disturbance.slow ? SLOW_LIMIT_MS : LIMIT_MS,
        disturbance.disturb?.({
          rig,
          world,
          random: this.#random(disturbance, number),
          undisturbed,
          note: (text) => void notes.push(text),
          ended: (where) => void stages.push(...where),
        }) ?? Promise.reject(new Error(`internal: ${disturbance.name} disturbs nothing`)),
      );
      const made = await rig.market.requests();
      const { lost, doubled, differences: found } = judge(await rig.dump(), undisturbed.dump);
      const repeated = repeats(undisturbed.requests, made);
      const twice =
        disturbance.repeatsNothing && repeated > 0 ? [`${repeated} requests were made again`] : [];
      const faults = [...(await loose(rig)), ...twice, ...found];
      const figures = { ...round, ends, lost, doubled, repeated };
      return faults.length === 0 ? figures : { ...figures, fault: told(faults, notes, rig) };
    } catch (error) {
      const fault = told(
        [error instanceof Error ? (error.stack ?? error.message) : String(error)],
        notes,
        rig,
      );
      return { ...round, ends: 0, lost: 0, doubled: 0, fault };
    } finally {
      await rig.close();
    }
  }

  async #playApart(disturbance: Disturbance, number: number, world: World): Promise<Played> {
    const notes: string[] = [];
    const played = { number, world, notes, stages: [], ends: 0, lost: 0, doubled: 0 };
    const chance = {
      random: this.#random(disturbance, number),
      note: (text: string) => void notes.push(text),
    };
    try {
      return { ...played, ends: await inTime(LIMIT_MS, disturbance.apart?.(chance) ?? Promise.resolve(0)) };
    } catch (error) {
      const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { ...played, fault: [...notes.map((note) => `- ${note}`), fault].join('\n') };
    }
  }

  #random(disturbance: Disturbance, number: number): Random {
    return createRandom(hash(this.#seed, number, aspect(disturbance.name)));
  }

  /** That two marketplaces of one seed offer the same is what lets any lane play any round. */
  #compareLanes(world: World, furnish: Disturbance['furnish'], dump: Dump): void {
    const first = this.#expected[world].get(furnish) ?? dump;
    this.#expected[world].set(furnish, first);
    const [difference] = first === dump ? [] : differences(first, dump);
    if (difference !== undefined) throw new Error(`internal: undisturbed runs differ: ${difference}`);
  }
}

/** What may not be left over when a run has finished, whatever went before. */
async function loose(rig: Rig): Promise<string[]> {
  const names = await readdir(rig.folder);
  const left = names.filter((name) => /\.(?:tmp|part)$|^KILL$/.test(name));
  const open = await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NULL');
  const checks = await rig.rows<Record<string, string>>('PRAGMA quick_check(3)');
  const damage = checks.flatMap((row) => Object.values(row)).filter((text) => text !== 'ok');
  return [
    ...left.map((name) => `${name} is left behind`),
    ...(open > 0 ? [`${open} runs are not finished`] : []),
    ...damage.map((text) => `the database is damaged: ${text}`),
  ];
}

function told(faults: readonly string[], notes: readonly string[], rig: Rig): string {
  const more = faults.length > TOLD ? [`and ${faults.length - TOLD} more`] : [];
  return [
    ...notes.map((note) => `- ${note}`),
    ...faults.slice(0, TOLD).map((fault) => (fault.length > 600 ? `${fault.slice(0, 600)} …` : fault)),
    ...more,
    rig.transcript.slice(-TOLD_TRANSCRIPT),
  ].join('\n');
}

async function inTime<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${limitMs / 1000} s: it hangs`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Its commands are killed when the rig is closed; what it then says is of no interest.
    work.catch(() => undefined);
  }
}
