import { UserError } from '../errors.ts';
import { relative } from 'node:path';
import type { Run } from '../../checkpoints/checkpoints.ts';
import type { Pipeline } from '../pipeline/config.ts';
import type { Outcome } from '../pipeline/runner.ts';
import { count, duration, oneLine } from '../text/format.ts';
import type { Stopped } from '../pipeline/stop.ts';
import type { Pace } from '../store/ledger.ts';
import { table } from '../text/table.ts';
import type { Fact, FactRow } from '../text/table.ts';
import { factRows } from '../task/telling.ts';
import type { Telling } from '../task/telling.ts';
import { asTyped } from '../text/typed.ts';

export interface SummaryOptions {
  readonly pipeline: Pipeline;
  readonly run: Run;
  readonly outcome: Outcome;
  readonly stopped: Stopped | undefined;
  /** Milliseconds that this start took. */
  readonly took: number;
  /** What the stages say; undefined where the database could not be asked any more. */
  readonly told: Required<Telling> | undefined;
  /** Requests of the whole run, the rate of this start; undefined: not known, or no stage makes any. */
  readonly pace: Pace | undefined;
  readonly describe: (error: unknown) => string;
  readonly logFile: string;
  /** Paths are shown from here. */
  readonly cwd: string;
  /** Columns of the terminal. */
  readonly width: number;
}

/** What is left on the terminal: how it ended, what the run has changed so far, and what to do next. */
export function summary(options: SummaryOptions): string {
  const { outcome, told, pace, width } = options;
  // Nothing more helps than its last line.
  if (outcome.state === 'failed' && outcome.failures.every(({ error }) => needsUser(error)))
    return `\n${ending(options).join('\n')}\n`;
  const requests: FactRow[] = pace === undefined ? [] : [{ label: 'requests', facts: requestFacts(pace) }];
  const figures = told === undefined ? [] : table([...factRows(told.rows, 'summary'), ...requests], width);
  const isWhole = outcome.state === 'finished';
  // The places last: where a report is written, its line follows them.
  const blocks = [
    ending(options),
    figures,
    examples(told),
    odd(told),
    next(options),
    isWhole ? places(options) : [],
  ];
  const text = blocks.flatMap((block) => (block.length > 0 ? [['', ...block].join('\n')] : []));
  return `${text.join('\n')}\n`;
}

function needsUser(error: unknown): boolean {
  return error instanceof UserError && error.needsUser;
}

/** Kinds of oddities shown; status has all of them. */
const ODDITIES = 8;

function odd(told: Required<Telling> | undefined): string[] {
  const { oddities = [] } = told ?? {};
  if (oddities.length === 0) return [];
  const more = oddities.length - ODDITIES;
  return [
    'Odd in this run:',
    ...oddities.slice(0, ODDITIES).map((line) => `  ${oneLine(line)}`),
    ...(more > 0 ? [`  and ${count(more)} more: ${asTyped('npx sync-data status')}`] : []),
  ];
}

function ending(options: SummaryOptions): string[] {
  const { outcome, stopped, run, took, told, describe, pipeline } = options;
  const { lines: unusable = [], hint = '' } = told?.unusable ?? {};
  switch (outcome.state) {
    case 'finished':
      return [
        `Finished in ${duration(took)}${run.resumed ? ' (resumed)' : ''}${leftText(outcome)}${unusable.length > 0 ? ', but most of what an endpoint sent could not be used' : ''}.`,
        ...unusable.map((line) => `  ${oneLine(line)}`),
        ...(unusable.length > 0 ? [`  ${hint}`] : []),
      ];
    case 'stopped':
      return [
        `Stopped after ${duration(took)}: ${reasonOf(outcome, stopped)}.`,
        ...(outcome.places.length > 0
          ? outcome.places.map((place) => placeOf(place, pipeline))
          : ['  between two stages']),
      ];
    case 'failed':
      return outcome.failures.flatMap(({ stage, unit, error }) => [
        `Stage ${stage} failed${unit === undefined ? '' : `, at ${titleOf(unit)}`}:`,
        ...describe(error)
          .split('\n')
          .map((line) => `  ${line}`),
      ]);
  }
}

/** " with 300 pages left (notes); they come in the next run" */
function leftText({ left }: Outcome): string {
  const parts = left.map(({ stage, n, noun = 'items' }) => `${count(n)} ${noun} left (${stage})`);
  return parts.length === 0 ? '' : ` with ${parts.join(', ')}; they come in the next run`;
}

/** Why it stopped: the run as a whole, or stages by their own KILL files. */
export function reasonOf({ killed }: Outcome, stopped: Stopped | undefined): string {
  return stopped?.message ?? killed.map(({ stage, reason }) => `stage ${stage}: ${reason}`).join('; ');
}

/** "Images: 377", "Crawl, Coffee Tables: 40 of 90 pages" */
function placeOf({ stage, unit, noun, progress }: Outcome['places'][number], pipeline: Pipeline): string {
  const { done, total } = progress;
  const name = pipeline.stages.find(({ id }) => id === stage)?.task.title ?? stage;
  const title = titleOf(unit);
  const isSame = (one: string, other = ''): boolean => one.toLowerCase() === other.toLowerCase();
  const where = isSame(title, name) || isSame(title, noun) ? name : `${name}, ${title}`;
  if (done === undefined) return `  ${where}`;
  const what = noun === undefined || isSame(noun, name) ? '' : ` ${noun}`;
  return `  ${where}: ${count(done)}${total === undefined ? '' : ` of ${count(total)}`}${what}`;
}

/** Of "12371 (Coffee Tables)" the name: the id is the checkpoint's. */
function titleOf(unit: string): string {
  return /\((.+)\)$/.exec(unit)?.[1] ?? unit;
}

/** The first of what a person should look at. */
function examples(told: Required<Telling> | undefined): string[] {
  return (told?.problems ?? []).flatMap(({ count: all, examples: shown }) => {
    if (!shown) return [];
    const more = all - shown.lines.length;
    return [
      ...shown.lines.map((line) => `  ${oneLine(line)}`),
      ...(more > 0 ? [`  and ${count(more)} more ${shown.of}`] : []),
    ];
  });
}

function requestFacts({ requests, perSecond, worstSecond, faults }: Pace): Fact[] {
  return [
    [requests, 'sent'],
    // A start that sent none, or one, has no rate.
    ...(perSecond > 0 ? [[perSecond.toFixed(2), 'a second'] satisfies Fact] : []),
    [worstSecond, 'at peak'],
    ...(faults > 0 ? [[faults, 'failed'] satisfies Fact] : []),
  ];
}

function places({ pipeline, logFile, cwd }: SummaryOptions): string[] {
  return [place('data', relative(cwd, pipeline.data.database)), place('log', relative(cwd, logFile))];
}

/** Where something is: "The data:   etsy_data.db". */
export function place(what: 'data' | 'log' | 'report', path: string): string {
  return `${`The ${what}:`.padEnd(12)}${path}`;
}

function next({ outcome, run, pipeline, told, cwd, logFile }: SummaryOptions): string[] {
  const again = `${asTyped('npx sync-data')}${run.onlyStage === undefined ? '' : ` --stage ${run.onlyStage}`}`;
  if (outcome.state === 'stopped') return [`Everything up to there is saved. To resume: ${again}`];
  if (outcome.state === 'failed') {
    return [
      `The checkpoint is in ${pipeline.data.database}. To resume: ${again}`,
      `The full error is in ${relative(cwd, logFile)}.`,
    ];
  }
  const isOpen = told !== undefined && told.problems.length > 0;
  return isOpen ? [asTyped('What failed and why: npx sync-data status')] : [];
}
