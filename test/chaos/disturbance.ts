import type { MarketplaceOptions } from '../marketplace/index.ts';
import type { Random } from '../marketplace/random.ts';
import type { Rig } from '../rig.ts';

/**
 * What is there to sync: `first` everything, into an empty folder; `weekly` a week's changes, into the folder of a
 * finished first run: new rows are due, some listings are gone, so that every stage has work.
 */
export type World = 'first' | 'weekly';

/** What every round has. */
export interface Chance {
  /** Seeded by the round: all chance comes from here. */
  readonly random: Random;
  /** Adds to what is told of this round, where it fails or all is told: "SIGKILL after 811 ms, in reviews". */
  readonly note: (text: string) => void;
}

/** One installation to be disturbed. Its marketplace and the undisturbed run it is compared with are the lane's. */
export interface Round extends Chance {
  readonly rig: Rig;
  readonly world: World;
  /** What an undisturbed run of this world takes: it tells where in a run to aim. */
  readonly undisturbed: {
    readonly ms: number;
    /** Its SQL statements and what it wrote and renamed, in their order, as test/fixtures/kill-at.mjs puts them. */
    readonly events: readonly string[];
  };
  /** Counts an end in each of these stages: how the ends spread over the stages is told below the table. */
  readonly ended: (stages: readonly string[]) => void;
}

export interface Disturbance {
  /** Of its row in the table: "SIGKILL at a random moment". */
  readonly name: string;
  /** In a full run; `npm test` plays one of each. */
  readonly rounds: number;
  readonly worlds: readonly World[];
  /** What it is a variant of: `npm test` takes one of a kind. */
  readonly kind?: string;
  /** Left out of `npm test`, because it takes minutes by its nature. */
  readonly slow?: boolean;
  /** Why it cannot be done on this machine (it needs to mount, say); undefined: it can. */
  readonly impossible?: () => string | undefined;
  /** Has a marketplace of its own, because it changes it or wants one with these options. */
  readonly ownMarket?: boolean | MarketplaceOptions;
  /** What it finds in its folder, and the undisturbed run likewise: a database of the earlier system, say. */
  readonly furnish?: (rig: Rig) => Promise<void>;
  /** Ends the command as it wants to be ended: then not one request may be made twice. */
  readonly repeatsNothing?: boolean;
  /**
   * Disturbs the installation, and starts it again until it has finished. The harness then compares.
   *
   * @returns how many times it was ended in the middle: the requests repeated are told per end
   * @throws where the command did not behave as it promises (exit code, message, files left behind)
   */
  disturb?(round: Round): Promise<number>;
  /**
   * In place of `disturb`, where there is no marketplace: it has an installation of its own, and compares by itself.
   *
   * @throws where what comes of it is not what comes of an undisturbed run
   */
  apart?(chance: Chance): Promise<number>;
}
