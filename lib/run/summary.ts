import { ApiError } from '../etsy/errors.ts';
import { relative } from 'node:path';
import type { Run } from '../../checkpoints/checkpoints.ts';
import type { Pipeline } from '../pipeline/config.ts';
import type { Outcome } from '../pipeline/runner.ts';
import { count, duration, oneLine } from '../text/format.ts';
import type { Stopped } from '../pipeline/stop.ts';
import type { Finding } from '../dataset/findings.ts';
import type { Pace } from '../store/ledger.ts';
import { table } from '../text/table.ts';
import type { Fact, FactRow } from '../text/table.ts';
import type { Tally } from '../dataset/tally.ts';
import { unusableLine } from '../dataset/answers.ts';
import type { Unusable } from '../dataset/answers.ts';
import { oddityLine } from '../dataset/oddities.ts';
import type { OddityCount } from '../dataset/oddities.ts';
import {
  findingsRow,
  imagesRow,
  leftOutRow,
  listingsRow,
  reviewsRow,
  shopsRow,
} from '../dataset/tally-rows.ts';
import { asTyped } from '../text/typed.ts';

export interface SummaryOptions {
  readonly pipeline: Pipeline;
  readonly run: Run;
  readonly outcome: Outcome;
  readonly stopped: Stopped | undefined;
  /** Milliseconds that this start took. */
  readonly took: number;
  /** Undefined where the database could not be asked any more. */
  readonly counts: Tally | undefined;
  /** Requests of the whole run, the rate of this start. */
  readonly pace: Pace | undefined;
  /** Open ones, the first few. */
  readonly findings: readonly Finding[];
  /** What was odd in the run, and what became of it. */
  readonly oddities: readonly OddityCount[];
  /** Endpoints of which more than half was of no use. */
  readonly unusable: readonly Unusable[];
  readonly describe: (error: unknown) => string;
  readonly logFile: string;
  /** Paths are shown from here. */
  readonly cwd: string;
  /** Columns of the terminal. */
  readonly width: number;
}

/** What is left on the terminal: how it ended, what the run has changed so far, and what to do next. */
export function summary(options: SummaryOptions): string {
  const { outcome, counts, findings, width } = options;
  // Nothing came of it, and nothing more helps than its last line.
  if (outcome.state === 'failed' && outcome.failures.every(({ error }) => isRefusedKey(error)))
    return `\n${ending(options).join('\n')}\n`;
  const figures = counts === undefined ? [] : table(rowsOf(options, counts), width);
  const open = findings.map(({ kind, subject, detail }) => `  ${oneLine(`${kind}: ${subject}: ${detail}`)}`);
  const more = (counts?.findings.open ?? 0) - findings.length;
  if (more > 0) open.push(`  and ${count(more)} more findings`);
  const isWhole = outcome.state === 'finished';
  // The places last: where a report is written, its line follows them.
  const blocks = [
    ending(options),
    figures,
    open,
    odd(options),
    next(options),
    isWhole ? places(options) : [],
  ];
  const text = blocks.flatMap((block) => (block.length > 0 ? [['', ...block].join('\n')] : []));
  return `${text.join('\n')}\n`;
}

function isRefusedKey(error: unknown): boolean {
  return error instanceof ApiError && error.kind === 'key';
}

/** Kinds of oddities told; status has all of them. */
const ODDITIES = 8;

function odd({ oddities }: SummaryOptions): string[] {
  if (oddities.length === 0) return [];
  const more = oddities.length - ODDITIES;
  return [
    'Odd in this run:',
    ...oddities.slice(0, ODDITIES).map((one) => `  ${oneLine(oddityLine(one))}`),
    ...(more > 0 ? [`  and ${count(more)} more: ${asTyped('npx sync-data status')}`] : []),
  ];
}

function ending(options: SummaryOptions): string[] {
  const { outcome, stopped, run, took, unusable, describe, pipeline } = options;
  switch (outcome.state) {
    case 'finished':
      return [
        `Finished in ${duration(took)}${run.resumed ? ' (resumed)' : ''}${leftText(outcome)}${unusable.length > 0 ? ', but most of what an endpoint sent could not be used' : ''}.`,
        ...unusable.map((one) => `  ${oneLine(unusableLine(one))}`),
        ...(unusable.length > 0
          ? ['  Etsy may have changed its answers: look for a newer sync-data, then start again.']
          : []),
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

/** " with 300 shops left (reviews); the next run, which is due, reads them first" */
function leftText({ left }: Outcome): string {
  const parts = left.map(({ stage, n, noun = 'items' }) => `${count(n)} ${noun} left (${stage})`);
  return parts.length === 0 ? '' : ` with ${parts.join(', ')}; they come in the next run`;
}

/** Why it stopped: the run as a whole, or stages by their own KILL files. */
export function reasonOf({ killed }: Outcome, stopped: Stopped | undefined): string {
  return stopped?.message ?? killed.map(({ stage, reason }) => `stage ${stage}: ${reason}`).join('; ');
}

/** "Images: 377", "Crawl, Coffee Tables: 40 of 90 listings" */
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

function rowsOf({ pipeline, run, outcome, pace }: SummaryOptions, counts: Tally): FactRow[] {
  const { findings, setAside } = counts;
  // What has not run through has looked at less than everything: that it found nothing then says nothing.
  const isJudged = outcome.state === 'finished' && run.onlyStage === undefined;
  const isLeft = findings.open + findings.repaired > 0;
  const rows: (FactRow | false)[] = [
    listingsRow(counts),
    leftOutRow(counts, pipeline.rules.madeSince),
    shopsRow(counts),
    reviewsRow(counts),
    imagesRow(counts),
    (isJudged || isLeft) && findingsRow(findings),
    setAside.met > 0 && {
      label: 'set aside',
      facts: [
        [setAside.met, setAside.met === 1 ? 'record' : 'records'],
        [setAside.open, 'open'],
      ],
    },
    pace !== undefined && { label: 'requests', facts: requestFacts(pace) },
  ];
  return rows.filter((row) => row !== false);
}

function requestFacts({ requests, perSecond, worstSecond, faults }: Pace): Fact[] {
  return [
    [requests, 'sent'],
    // A start that sent none, or one, has no rate.
    ...(perSecond > 0 ? [[perSecond.toFixed(2), 'a second'] satisfies Fact] : []),
    [worstSecond, 'in the busiest'],
    ...(faults > 0 ? [[faults, 'in vain'] satisfies Fact] : []),
  ];
}

function places({ pipeline, logFile, cwd }: SummaryOptions): string[] {
  return [place('data', relative(cwd, pipeline.data.database)), place('log', relative(cwd, logFile))];
}

/** Where something lies: "The data:   etsy_data.db". */
export function place(what: 'data' | 'log' | 'report', path: string): string {
  return `${`The ${what}:`.padEnd(12)}${path}`;
}

function next({ outcome, run, pipeline, counts, cwd, logFile }: SummaryOptions): string[] {
  const again = `${asTyped('npx sync-data')}${run.onlyStage === undefined ? '' : ` --stage ${run.onlyStage}`}`;
  if (outcome.state === 'stopped') return [`Everything up to there is saved. To resume: ${again}`];
  if (outcome.state === 'failed') {
    return [
      `The checkpoint is in ${pipeline.data.database}. To resume: ${again}`,
      `The full error is in ${relative(cwd, logFile)}.`,
    ];
  }
  const isOpen =
    counts !== undefined &&
    counts.images.failed + counts.images.missing + counts.findings.open + counts.setAside.open > 0;
  return isOpen ? [asTyped('What failed and why: npx sync-data status')] : [];
}
