import type { Progress } from '../task/task.ts';
import type { Figures } from '../task/telling.ts';

export type StageState = 'waiting' | 'running' | 'finished' | 'failed' | 'stopped' | 'skipped';

/** Everything a screen may show. The runner emits; it draws nothing itself. Times are epoch milliseconds. */
export type RunEvent =
  | { readonly type: 'run'; readonly runId: number; readonly resumed: boolean; readonly startedAt: number }
  | { readonly type: 'stage'; readonly stage: string; readonly state: StageState; readonly reason?: string }
  | { readonly type: 'units'; readonly stage: string; readonly units: readonly UnitView[] }
  | { readonly type: 'unit'; readonly stage: string; readonly unit: string; readonly state: StageState }
  | { readonly type: 'progress'; readonly stage: string; readonly unit: string; readonly progress: Progress }
  /** Something waits: the daily quota, an API that does not answer. `until` is when it tries next. */
  | { readonly type: 'hold'; readonly reason: string; readonly until: number }
  | { readonly type: 'released' }
  | { readonly type: 'warning'; readonly stage?: string; readonly message: string }
  /** Worth a line, and nothing is wrong: a worker that comes or goes. */
  | { readonly type: 'news'; readonly message: string }
  /** A stop was asked for; requests in flight are being finished. */
  | { readonly type: 'stopping'; readonly reason: string };

export interface UnitView {
  readonly id: string;
  readonly title: string;
  /** What its progress counts: "pages". */
  readonly noun?: string | undefined;
  /** What several of them are called. */
  readonly kind?: string | undefined;
  readonly state: StageState;
  readonly progress: Progress;
}

/** Figures a screen may ask for at any time; gathered by the command from the ledger and the stages. */
export interface Gauges {
  /** Undefined where no stage makes requests. */
  readonly api:
    | {
        /** The name of what is asked. */
        readonly label: string;
        /** Requests put on the wire in the last full 5 seconds, per second. */
        readonly perSecond: number;
        /** The most that are put there. */
        readonly limit: number;
        /** Requests in the last 24 hours, from the ledger. */
        readonly usedToday: number;
        /** From x-remaining-today as last seen; undefined before the first answer. */
        readonly leftToday: number | undefined;
        /** When the oldest request leaves the sliding day, and a call comes back; undefined: none was made. Epoch ms. */
        readonly backAt: number | undefined;
      }
    | undefined;
  /** Lines of the stages' own. */
  readonly figures: readonly Figures[];
  /** When the run is expected to end (epoch ms), and whether the day's quota sets the pace; undefined: not known. */
  readonly toGo?: { readonly until: number; readonly isQuota: boolean } | undefined;
}

export type Api = NonNullable<Gauges['api']>;

export type Listener = (event: RunEvent) => void;
