import type { Run } from '../../checkpoints/checkpoints.ts';
import type { Starts } from '../../checkpoints/starts.ts';
import { describe } from '../errors.ts';
import { fullText } from '../log/file.ts';
import type { Log } from '../log/file.ts';
import type { Pipeline } from '../pipeline/config.ts';
import type { Outcome } from '../pipeline/runner.ts';
import type { Stopped } from '../pipeline/stop.ts';
import { MOST_MESSAGE } from '../limits.ts';
import { clip, printable } from '../text/clean.ts';
import type { Database } from '../store/database.ts';
import { reasonOf as endOf, summary } from './summary.ts';
import { keepTold } from './told.ts';
import { sourcesOf } from './sources.ts';
import { tellings } from './tellings.ts';
import type { Telling } from '../task/telling.ts';

export interface ConcludeOptions {
  readonly pipeline: Pipeline;
  readonly database: Database;
  readonly starts: Starts;
  /** The row of this start. */
  readonly start: number;
  readonly log: Log;
  readonly run: Run;
  readonly outcome: Outcome;
  readonly stopped: Stopped | undefined;
  readonly redact: (text: string) => string;
  /** Epoch ms of this start. */
  readonly begun: number;
  readonly cwd: string;
  readonly width: number;
  /** Whether any stage makes requests. */
  readonly asks: boolean;
}

/**
 * Counts what the run has changed, and notes it in the history and in the log. What a failed run can no longer read is
 * left out: the reason was already shown. A history that cannot be written changes nothing; the next start completes it.
 * @returns what is left on the terminal, and whether a finished run has not gone well all the same
 */
export async function conclude(options: ConcludeOptions): Promise<{ text: string; isUnusable: boolean }> {
  const { pipeline, database, starts, start, log, run, outcome, stopped, redact, begun } = options;
  const orNothing = <T>(work: Promise<T>): Promise<T | undefined> =>
    outcome.state === 'failed' ? work.catch(() => undefined) : work;
  const isFinished = outcome.state === 'finished';
  const isComplete = isFinished && run.onlyStage === undefined;
  const told = await orNothing(
    tellings(
      pipeline,
      sourcesOf(pipeline, database),
      {
        id: run.id,
        startedAt: run.startedAt,
        isFinished,
        isComplete,
      },
      'summary',
    ),
  );
  const counts = told?.all.counts;
  const now = Date.now();
  const reason = reasonOf(options, told?.all);
  const ending = {
    outcome: outcome.state,
    reason: reason && clip(redact(printable(reason)), MOST_MESSAGE),
    counts: counts ?? null,
  };
  const pace = await starts.end(start, ending, now).catch((error: unknown) => {
    log.write('failure', { during: 'noting the end in the history', error: fullText(error) });
    return orNothing(starts.pace(start));
  });

  for (const { stage, unit, error } of outcome.failures) {
    log.write('failure', { stage, unit, error: fullText(error) });
  }
  const { requests, faults, worstSecond } = pace ?? {};
  log.write('summary', {
    outcome: outcome.state,
    reason,
    tookMs: now - begun,
    requests,
    faults,
    worstSecond,
    perSecond: pace && Number(pace.perSecond.toFixed(2)),
    counts,
  });
  if (told) await keepTold(database, told.byStage, now, redact).catch(() => undefined);
  const text = summary({
    pipeline,
    run,
    outcome,
    stopped,
    took: now - begun,
    told: told?.all,
    pace: options.asks || (pace?.requests ?? 0) > 0 ? pace : undefined,
    describe,
    logFile: log.path,
    cwd: options.cwd,
    width: options.width,
  });
  return { text, isUnusable: (told?.all.unusable.lines ?? []).length > 0 };
}

function reasonOf({ outcome, stopped }: ConcludeOptions, told: Required<Telling> | undefined): string | null {
  const { lines: unusable = [] } = told?.unusable ?? {};
  if (outcome.state === 'stopped') return endOf(outcome, stopped) || null;
  if (outcome.state === 'finished')
    return unusable.length === 0 ? null : `most could not be used: ${unusable.join('; ')}`;
  return outcome.failures.map(({ stage, error }) => `${stage}: ${describe(error)}`).join('\n');
}
