import type { Fact, FactRow } from '../text/table.ts';

/** What a task says of its work, in the summary of a run and in status. */
export interface Telling {
  readonly rows?: readonly ToldRow[];
  /** Lines below the rows in status. */
  readonly notes?: readonly string[];
  /** What was odd in the run, the most frequent first: a line each. */
  readonly oddities?: readonly string[];
  /** Why a run that has finished has not gone well, and what to do: it ends with exit code 1 then. */
  readonly unusable?: { readonly lines: readonly string[]; readonly hint: string };
  readonly problems?: readonly Problem[];
  /** Kept in the history of starts and in the log, beside those of other tasks: choose names that are yours. */
  readonly counts?: Readonly<Record<string, unknown>>;
}

/** A row of figures under a name. Rows of several stages that are the same in all are shown once. */
export interface ToldRow {
  /** "pages" */
  readonly label: string;
  /** What the run has brought so far: [[3, 'new'], [5, 'refreshed']]. */
  readonly brought?: readonly Fact[];
  /** How things stand, whatever the run: [[120, 'kept'], [4, 'due']]. */
  readonly stands?: readonly Fact[];
  /** For the summary, in place of `brought`, or of `stands` where there is none. Empty: no row there. */
  readonly summary?: readonly Fact[];
  /** Smaller ones stand higher; of equal ones, that of the earlier stage. Left out: 60. */
  readonly order?: number;
}

/** What a person should look at. Where there is any, the summary points to status. */
export interface Problem {
  /** "Images that failed; the next run tries them again" */
  readonly title: string;
  /** In all; with 0 nothing is said. */
  readonly count: number;
  /** The most frequent first; the rest of `count` is shown as "for other reasons". */
  readonly reasons: readonly { readonly text: string; readonly n: number }[];
  /** For the summary: a few of them, a line each, and what more of them are called: "findings". */
  readonly examples?: { readonly lines: readonly string[]; readonly of: string };
}

/** The run in question. */
export interface ToldRun {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** The stages that were to run have ended. */
  readonly isFinished?: boolean;
  /** These are all stages: that nothing was found says something then. */
  readonly isComplete: boolean;
}

/** A line below the list on the screen. */
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

/** Where a row stands that does not say it. */
const ORDER = 60;

/** What several stages tell, as one. */
export function merged(tellings: readonly Telling[]): Required<Telling> {
  const rows = tellings.flatMap((telling) => telling.rows ?? []);
  const problems = tellings.flatMap((telling) => telling.problems ?? []);
  return {
    rows: unique(rows).toSorted((a, b) => (a.order ?? ORDER) - (b.order ?? ORDER)),
    notes: unique(tellings.flatMap((telling) => telling.notes ?? [])),
    oddities: unique(tellings.flatMap((telling) => telling.oddities ?? [])),
    unusable: {
      lines: unique(tellings.flatMap((telling) => telling.unusable?.lines ?? [])),
      hint: tellings.find((telling) => telling.unusable)?.unusable?.hint ?? '',
    },
    problems: unique(problems).filter(({ count }) => count > 0),
    counts: Object.assign({}, ...tellings.map((telling) => telling.counts ?? {})) as Record<string, unknown>,
  };
}

/** The rows for one of both places. */
export function factRows(rows: readonly ToldRow[], place: 'summary' | 'status'): FactRow[] {
  return rows.flatMap(({ label, brought, stands, summary }) => {
    const facts = place === 'summary' ? (summary ?? brought ?? stands) : (stands ?? brought);
    return facts && facts.length > 0 ? [{ label, facts }] : [];
  });
}

function unique<T>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}
