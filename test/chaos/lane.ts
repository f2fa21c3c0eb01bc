import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from '../dump.ts';
import type { Dump } from '../dump.ts';
import type { MarketplaceOptions, RequestRecord } from '../marketplace/index.ts';
import { Rig } from '../rig.ts';
import type { RigOptions, StartOptions } from '../rig.ts';
import type { Disturbance, World } from './disturbance.ts';
import { finish } from './finish.ts';
import { KILL_AT } from './kills.ts';

/** Slow enough that a random moment finds requests under way. */
export const FAULTS = {
  api: { latency: { min: 1, max: 8 } },
  cdn: { latency: { min: 1, max: 4 } },
};
/** Small, so that a run takes a second or two, and with a shop whose reviews fill four pages. */
const MARKET = {
  categories: { 12371: { listings: 15 }, 12372: { listings: 104 } },
  shops: 30,
  reviews: { perShop: 12, big: { shop: 0, count: 350 } },
  badImages: {},
  faults: FAULTS,
} satisfies MarketplaceOptions;

export interface Undisturbed {
  readonly dump: Dump;
  readonly requests: readonly RequestRecord[];
  readonly ms: number;
  readonly events: readonly string[];
}

/** A world's marketplace, and what a run in it begins with. */
interface Ground {
  readonly owner: Rig;
  readonly begin: Pick<RigOptions, 'copyOf'>;
  /** By what the folder was furnished with. */
  readonly undisturbed: Map<Disturbance['furnish'], Promise<Undisturbed>>;
}

/**
 * Plays rounds one after another, so that it is known which requests are whose: each in an installation of its own, all
 * on one marketplace a world.
 */
export class Lane {
  readonly #grounds = new Map<World, Promise<Ground>>();

  /** What an undisturbed run of this world does and leaves behind. */
  async undisturbed(world: World, furnish: Disturbance['furnish']): Promise<Undisturbed> {
    const ground = await this.#ground(world);
    const known = ground.undisturbed.get(furnish) ?? undisturbed(ground, furnish);
    ground.undisturbed.set(furnish, known);
    return known;
  }

  /** An installation that is ready to be disturbed. */
  async open(world: World, { ownMarket, furnish }: Disturbance): Promise<Rig> {
    const ground = await this.#ground(world);
    const rig = ownMarket
      ? await Rig.open({ market: { ...MARKET, ...(ownMarket === true ? {} : ownMarket) }, ...ground.begin })
      : await Rig.open({ beside: ground.owner, ...ground.begin });
    if (ownMarket && world === 'weekly') await aWeekLater(rig);
    await makeReady(rig, furnish);
    return rig;
  }

  async close(): Promise<void> {
    for (const ground of this.#grounds.values()) await (await ground).owner.close();
  }

  #ground(world: World): Promise<Ground> {
    const ground = this.#grounds.get(world) ?? breakGround(world);
    this.#grounds.set(world, ground);
    return ground;
  }
}

async function breakGround(world: World): Promise<Ground> {
  const owner = await Rig.open({ market: MARKET });
  try {
    if (world === 'first') return { owner, begin: {}, undisturbed: new Map() };
    await finish(owner);
    await aWeekLater(owner);
    return { owner, begin: { copyOf: owner.folder }, undisturbed: new Map() };
  } catch (error) {
    await owner.close();
    throw error;
  }
}

/** More of everything than comes by itself in a week, so that each stage has its share of the run. */
async function aWeekLater(rig: Rig): Promise<void> {
  const { listings } = await rig.truth();
  await rig.advance(8);
  for (const { listing_id } of listings.filter((_, index) => index % 16 === 0))
    await rig.market.removeListing(listing_id);
  for (let index = 0; index < 24; index += 1)
    await rig.market.addListing({ taxonomyId: rig.taxonomies[index % 2] ?? 0 });
}

async function makeReady(rig: Rig, furnish: Disturbance['furnish']): Promise<void> {
  await furnish?.(rig);
  await rig.market.setFaults(FAULTS);
  await rig.market.resetRequests();
}

async function undisturbed(ground: Ground, furnish: Disturbance['furnish']): Promise<Undisturbed> {
  const notes = await mkdtemp(join(tmpdir(), 'sync-data-test-'));
  const trace = join(notes, 'events');
  try {
    const traced = await once(ground, furnish, {
      imports: [KILL_AT],
      env: { KILL_AT: JSON.stringify({ trace }) },
    });
    const plain = await once(ground, furnish, {});
    // The first has waited for pictures, which the marketplace draws when they are first asked for.
    const [difference] = differences(traced.dump, plain.dump);
    if (difference !== undefined) throw new Error(`internal: two undisturbed runs differ: ${difference}`);
    const events = (await readFile(trace, 'utf8')).split('\n');
    return { ...plain, events };
  } finally {
    await rm(notes, { recursive: true });
  }
}

async function once({ owner, begin }: Ground, furnish: Disturbance['furnish'], options: StartOptions) {
  const rig = await Rig.open({ beside: owner, ...begin });
  try {
    await makeReady(rig, furnish);
    const began = performance.now();
    const { code, stderr } = await rig.run(options);
    if (code !== 0) throw new Error(`An undisturbed run ended with ${code}: ${stderr}`);
    const ms = performance.now() - began;
    return { dump: await rig.dump(), requests: await rig.market.requests(), ms };
  } finally {
    await rig.close();
  }
}
