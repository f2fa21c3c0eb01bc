import { median } from '../figures.ts';
import { markdownTable } from '../markdown.ts';
import type { Result } from './harness.ts';

const COLUMNS = ['disturbance', 'rounds', 'identical', 'rows lost', 'rows doubled', 'requests repeated'];

export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.disturbance.name,
    String(result.rounds.length),
    share(result.rounds.filter((round) => round.fault === undefined).length, result.rounds.length),
    String(sum(result.rounds.map((round) => round.lost))),
    String(sum(result.rounds.map((round) => round.doubled))),
    repeated(result),
  ]);
  return markdownTable(COLUMNS, rows, 'right');
}

/** In which stages the ends were, a line a disturbance; none where it does not tell. */
export function spread(results: readonly Result[]): string[] {
  return results.flatMap(({ disturbance, rounds }) => {
    const counts = new Map<string, number>();
    for (const stage of rounds.flatMap((round) => round.stages))
      counts.set(stage, (counts.get(stage) ?? 0) + 1);
    const told = [...counts].toSorted(([, a], [, b]) => b - a).map(([stage, count]) => `${stage} ${count}`);
    return told.length > 0 ? [`${disturbance.name}: ${told.join(', ')}`] : [];
  });
}

/** The median and the most: for each end in the middle or, where there was none, for each round. */
function repeated({ rounds }: Result): string {
  const ended = rounds.some((round) => round.ends > 0);
  const figures = rounds
    .filter((round) => round.repeated !== undefined && (round.ends > 0 || !ended))
    .map((round) => (round.repeated ?? 0) / Math.max(1, round.ends));
  if (figures.length === 0) return '';
  return `${round(median(figures))} / ${round(Math.max(...figures))}${ended ? '' : ' a round'}`;
}

function share(part: number, whole: number): string {
  return part === whole ? '100 %' : `${part} of ${whole}`;
}

function round(figure: number): string {
  return String(Math.round(figure * 10) / 10);
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
