import type { Telling } from '../task/telling.ts';
import type { OddityCount } from '../dataset/oddities.ts';
import type { Tally } from '../dataset/tally.ts';
import type { Requests } from './requests.ts';

/**
 * What `sync-data status --json` prints. Times are ISO 8601 in UTC, paths absolute. Names are added, never changed or
 * taken away, as long as `shape` is 1.
 */
export interface Status {
  readonly shape: 1;
  readonly at: string;
  readonly pipeline: string;
  readonly database: string;
  /** True while the KILL file exists: nothing is started then. */
  readonly killFile: boolean;
  /** Stages whose own KILL file exists: they are not started then. */
  readonly killedStages: readonly { readonly stage: string; readonly file: string }[];
  /** Who is at work on the database; null: nobody. `pid` is 0 for the first moment of a start. */
  readonly underWay: { readonly pid: number; readonly since: string } | null;
  /** Rows in the tables of the data. */
  readonly rows: Readonly<Record<DataTable, number>>;
  /** Null where the database is of an earlier system or version, which the next start takes over. */
  readonly sync: Sync | null;
}

export const DATA_TABLES = ['listings', 'listings_dynamic', 'shops', 'shops_dynamic', 'reviews'] as const;
export type DataTable = (typeof DATA_TABLES)[number];

export interface Sync {
  /** The run that is to be resumed, or else the last one; null: there was none. */
  readonly run: RunStatus | null;
  readonly lastStart: StartStatus | null;
  /** Of that run, and how things stand. */
  readonly counts: Tally;
  /** What a run that began now would refresh, by `refreshAfter` (seconds); of `reviews`, the shops it would read. */
  readonly due: {
    readonly refreshAfter: number;
    readonly listings: number;
    readonly shops: number;
    readonly reviews: number;
  };
  /** Of the categories that the newest crawl has counted: listings that Etsy counts, and those that it saw. */
  readonly listings: { readonly counted: number; readonly seen: number };
  /**
   * Reviews of the past year: those stored, and those there are by the shops' own figures; and the shop whose reviews
   * were read longest ago, null where none were.
   */
  readonly reviews: {
    readonly stored: number;
    readonly counted: number;
    readonly oldest: { readonly shopId: number; readonly readAt: string } | null;
  };
  /** Why images failed and records are set aside, the most frequent reasons first. */
  readonly imageReasons: readonly { readonly reason: string; readonly n: number }[];
  readonly asideReasons: readonly {
    readonly endpoint: string;
    readonly reason: string;
    readonly n: number;
  }[];
  readonly findings: readonly { readonly kind: string; readonly open: number; readonly repaired: number }[];
  /** What stages whose tasks are not ours said at the end of the last start. */
  readonly told: readonly ToldStage[];
  /**
   * What was odd in that run, how often, and what became of it. `endpoint` and `field` are set where it is a field of
   * Etsy's records that was of another type.
   */
  readonly oddities: readonly OddityCount[];
  readonly quota: QuotaStatus;
  /** The next start, if it came now. */
  readonly next: NextRun;
}

export interface ToldStage extends Omit<Telling, 'counts'> {
  readonly stage: string;
  /** When. */
  readonly at: string;
}

export interface RunStatus {
  readonly id: number;
  readonly startedAt: string;
  /** Null: the next start resumes it. */
  readonly finishedAt: string | null;
  /** Set where it is of one stage alone. */
  readonly onlyStage: string | null;
  readonly stages: readonly StageStatus[];
}

export interface StageStatus {
  readonly id: string;
  readonly state: 'finished' | 'begun' | 'to come';
  readonly units: readonly UnitStatus[];
}

export interface UnitStatus {
  readonly id: string;
  readonly title: string;
  readonly state: 'finished' | 'begun' | 'to come';
  /** What `done` and `total` count; null: not said. */
  readonly noun: string | null;
  readonly done: number | null;
  readonly total: number | null;
  /** Items that it left to the next run, which was due; null: none. */
  readonly left: number | null;
}

export interface StartStatus {
  readonly runId: number;
  readonly startedAt: string;
  /** Null: under way, or it ended without a word. */
  readonly endedAt: string | null;
  readonly outcome: 'finished' | 'stopped' | 'failed' | null;
  readonly reason: string | null;
  /** Null while it is under way. */
  readonly requests: number | null;
  /** Of the requests, those without an answer, or answered 429 or 5xx. */
  readonly faults: number | null;
  /** Most requests in any 1,000 ms. */
  readonly worstSecond: number | null;
}

export interface QuotaStatus {
  /** The most that are sent. */
  readonly perSecond: number;
  /** Requests of the last 24 hours. */
  readonly used: number;
  /** What Etsy said was left of the day, and when; null where it has said nothing in the last 24 hours. */
  readonly left: number | null;
  readonly leftAt: string | null;
  /** The day's limit, as these two tell. */
  readonly perDay: number | null;
  /** When calls come back: the oldest of the last 24 hours is let go of; null: none was made. */
  readonly callsBackAt: string | null;
}

export interface NextRun extends Requests {
  /** `rest`: of the run that is not finished; `whole`: a new one. */
  readonly of: 'rest' | 'whole';
  /** When it begins by `every:`; null: when it is started. */
  readonly beginsAt: string | null;
  /** Of `reviews`: for shops never read, for new reviews, for older pages, and for shops that were not read for long. */
  readonly reviewParts: Readonly<Record<'first' | 'news' | 'older' | 'unread', number>>;
  /** Of the day's quota, by part; null: the quota is not known. */
  readonly days: Readonly<Record<'listings' | 'first' | 'news' | 'older' | 'unread', number>> | null;
  /** Taxonomies that no crawl has counted yet: they come on top. */
  readonly uncounted: readonly number[];
  /** How long it takes at `perSecond`, waits for the daily quota included where that is known. Seconds. */
  readonly seconds: number;
}
