import { count } from './format.ts';

/** A figure and what it counts: [12, 'failed']. */
export type Fact = readonly [figure: number | string, of: string];

/** A row of figures under a name. */
export interface FactRow {
  readonly label: string;
  readonly facts: readonly Fact[];
}

const INDENT = '  ';
const GAP = '  ';

/**
 * Lines in which each figure is below the figure of the row above; where the widest does not fit into `width`
 * columns, a figure a line.
 */
export function table(rows: readonly FactRow[], width: number): string[] {
  const label = Math.max(0, ...rows.map((row) => row.label.length));
  const beside = lines(rows, label);
  if (beside.every((line) => line.length <= width)) return beside;
  const below = rows.flatMap((row) =>
    row.facts.map((fact, index) => ({ label: index === 0 ? row.label : '', facts: [fact] })),
  );
  return lines(below, label);
}

function lines(rows: readonly FactRow[], label: number): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.facts.length));
  const widths = Array.from({ length: columns }, (_, column) => {
    const facts = rows.flatMap((row) => (row.facts[column] ? [row.facts[column]] : []));
    return {
      figure: Math.max(...facts.map(([figure]) => shown(figure).length)),
      of: Math.max(...facts.map(([, of]) => of.length)),
    };
  });
  return rows.map((row) => {
    const cells = row.facts.map(([figure, of], column) => {
      const width = widths[column] ?? { figure: 0, of: 0 };
      return `${shown(figure).padStart(width.figure)} ${of.padEnd(width.of)}`;
    });
    return `${INDENT}${[row.label.padEnd(label), ...cells].join(GAP)}`.trimEnd();
  });
}

function shown(figure: number | string): string {
  return typeof figure === 'number' ? count(figure) : figure;
}
