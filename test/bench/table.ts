import type { Section } from './section.ts';

/** Markdown, aligned as prettier does it. */
export function table({ title, lines }: Section): string {
  const head = [title, 'here', 'wanted'];
  const rows = [head, ...lines.map(([what, value, wanted = '']) => [what, value, wanted])];
  const widths = head.map((_, at) => Math.max(3, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(head), rule, ...rows.slice(1).map(line)].join('\n');
}
