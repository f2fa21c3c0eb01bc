import type { Result } from './harness.ts';

const COLUMNS = [
  'disturbance',
  'rounds',
  'identical',
  'rows lost',
  'rows doubled',
  'requests repeated',
] as const;

/** Markdown, aligned as prettier does it. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.disturbance.name,
    String(result.rounds.length),
    share(result.rounds.filter((round) => round.fault === undefined).length, result.rounds.length),
    String(sum(result.rounds.map((round) => round.lost))),
    String(sum(result.rounds.map((round) => round.doubled))),
    repeated(result),
  ]);
  const widths = COLUMNS.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(COLUMNS), line(rule), ...rows.map(line)].join('\n');
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
    .map((round) => (round.repeated ?? 0) / Math.max(1, round.ends))
    .toSorted((a, b) => a - b);
  if (figures.length === 0) return '';
  const middle = ((figures.at((figures.length - 1) >> 1) ?? 0) + (figures.at(figures.length >> 1) ?? 0)) / 2;
  return `${round(middle)} / ${round(figures.at(-1) ?? 0)}${ended ? '' : ' a round'}`;
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
