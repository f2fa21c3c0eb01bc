import type { Fact } from '../text/table.ts';

/** What a task says of its work, in the summary of a run and in status. */
export interface Telling {
  readonly rows?: readonly ToldRow[];
  readonly problems?: readonly Problem[];
  /** Lines below the rows in status. */
  readonly notes?: readonly string[];
  /** Kept in the history of starts and in the log, beside those of other tasks: choose names that are yours. */
  readonly counts?: Readonly<Record<string, unknown>>;
}

/** A row of figures. Rows of several stages that are the same in all are shown once. */
export interface ToldRow {
  /** "listings" */
  readonly label: string;
  /** What the run has brought so far: [[3, 'new'], [5, 'refreshed']]. */
  readonly brought?: readonly Fact[];
  /** How things stand, whatever the run: [[120, 'kept'], [4, 'due']]. */
  readonly stands?: readonly Fact[];
  /** For the summary, in place of `brought`, or of `stands` where there is none. Empty: no row there. */
  readonly summary?: readonly Fact[];
  /** Smaller ones stand higher; of equal ones, that of the earlier stage. Left out: 50. */
  readonly order?: number;
}

/** What a person should look at. The summary points to status where there is any. */
export interface Problem {
  /** "Images that failed; the next run tries them again" */
  readonly title: string;
  /** In all; with 0 nothing is said. */
  readonly count: number;
  /** The most frequent first; what they leave of `count` is told as "for other reasons". */
  readonly reasons: readonly { readonly text: string; readonly n: number }[];
  /** A few, for the summary, in a line each, and what more of them are called: "findings". */
  readonly examples?: { readonly lines: readonly string[]; readonly of: string };
}

/** The run that is told of. */
export interface ToldRun {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** All its stages have ended: that nothing was found says something then. */
  readonly isComplete: boolean;
}

/** A line below the list on the screen: its label, and figures that are read about once a second. */
export interface Figures {
  readonly label: string;
  readonly facts: readonly Figure[];
}

export interface Figure {
  readonly text: string;
  /** Stands out. */
  readonly isAlarm?: boolean;
  /** Left out where there is no room for all. */
  readonly isSpare?: boolean;
}
