import { clockTime, count, duration, oneLine, plural } from '../text/format.ts';
import { table } from '../text/table.ts';
import { listingsRow, reviewsRow, shopsRow } from '../dataset/tally-rows.ts';
import type { StageStatus, Sync, UnitStatus } from './shape.ts';

/** The run and its checkpoint, in words. @param now epoch ms */
export function runLines(
  { run, lastStart, counts }: Sync,
  { width, hasDataset }: { readonly width: number; readonly hasDataset: boolean },
  isUnderWay: boolean,
  now: number,
): string[] {
  if (!run) return ['Nothing was run yet.'];
  const name = run.onlyStage === null ? `Run ${run.id}` : `Run ${run.id}, of stage ${run.onlyStage} alone,`;
  const ended =
    run.finishedAt === null ? 'is not finished' : `finished ${clockTime(Date.parse(run.finishedAt), now)}`;
  const began = clockTime(Date.parse(run.startedAt), now);
  const lines = [
    `${name} began ${began} and ${isUnderWay && run.finishedAt === null ? 'is under way' : ended}.`,
  ];
  if (lastStart && !isUnderWay) lines.push(...startLines(lastStart, now));
  const ids = Math.max(...run.stages.map(({ id }) => id.length));
  lines.push(...run.stages.flatMap((stage) => stageLines(stage, ids)));
  if (!hasDataset) return lines;
  return [
    ...lines,
    '',
    run.finishedAt === null ? 'So far it has brought' : 'It has brought',
    ...table([listingsRow(counts), shopsRow(counts), reviewsRow(counts)], width),
  ];
}

function startLines(start: NonNullable<Sync['lastStart']>, now: number): string[] {
  const began = Date.parse(start.startedAt);
  const took = start.endedAt === null ? '' : ` after ${duration(Date.parse(start.endedAt) - began)}`;
  const how = start.outcome === null ? '' : ` ${start.outcome}${took}`;
  const why = (start.reason ?? '').split('\n').map(oneLine);
  const sent =
    start.requests === null
      ? []
      : [`It sent ${plural(start.requests, 'request')}, at most ${start.worstSecond ?? 0} in one second.`];
  return [
    `The last start, ${clockTime(began, now)},${how === '' ? ' ended unexpectedly (killed, or power lost)' : how}${why[0] ? `: ${why[0]}` : ''}.`,
    ...why.slice(1),
    ...sent,
  ];
}

function stageLines({ id, state, units }: StageStatus, width: number): string[] {
  const name = `  ${id.padEnd(width)}  `;
  const [only] = units;
  if (units.length === 1 && only) return [`${name}${inWords(only)}`];
  const begun = units.filter((unit) => unit.state === 'begun');
  const finished = units.filter((unit) => unit.state === 'finished').length;
  const parts = state === 'begun' ? `${count(finished)} of ${count(units.length)} finished` : whole(units);
  return [
    `${name}${parts}`,
    ...begun.map(
      (unit) =>
        `  ${' '.repeat(width)}  ${unit.title === unit.id ? '' : `${unit.id} `}${unit.title}: ${inWords(unit)}`,
    ),
  ];
}

/** Of a stage that is over or to come: its items all together, where they are of one kind. */
function whole(units: readonly UnitStatus[]): string {
  const [first, ...others] = units;
  if (!first) return 'to come';
  const alike = others.every(({ noun }) => noun === first.noun);
  const done = alike ? units.reduce((sum, unit) => sum + (unit.done ?? 0), 0) : null;
  return inWords({ ...first, done });
}

function inWords(unit: UnitStatus): string {
  const left = unit.left === null ? '' : `; ${count(unit.left)} left to the next run`;
  return `${stateInWords(unit)}${left}`;
}

function stateInWords({ state, done, total, noun }: UnitStatus): string {
  if (done === null || state === 'to come') return state;
  const amount = `${count(done)}${total === null || state === 'finished' ? '' : ` of ${count(total)}`}${noun === null ? '' : ` ${noun}`}`;
  return state === 'finished' ? `finished, ${amount}` : amount;
}
