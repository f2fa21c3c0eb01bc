import type { Run } from './screen.ts';

const CELL = { width: 8.4, height: 19 };
const PADDING = 18;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
const figure = (value: number): string => String(Number(value.toFixed(2)));

/** The terminal's colours that the screens use, in dark and light. */
const STYLE = `
  :root { --paper: #16181d; --line: #2c3038; --ink: #e3e5e8; --c1: #f07178; --c2: #7fc97f; --c3: #e5c07b; --c6: #5cc3d0; }
  @media (prefers-color-scheme: light) {
    :root { --paper: #fbfbf9; --line: #dcdcd6; --ink: #24262b; --c1: #b3261e; --c2: #2b7a2b; --c3: #8a6100; --c6: #0f7480; }
  }
  rect { fill: var(--paper); stroke: var(--line); }
  text { fill: var(--ink); font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }
  .b { font-weight: 700; } .d { opacity: .62; }
  .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); } .c6 { fill: var(--c6); }
`;

/** What a terminal showed, as a picture that follows the reader's light or dark. @param title for who cannot see it */
export function svg(lines: readonly (readonly Run[])[], columns: number, title: string): string {
  const width = figure(columns * CELL.width + 2 * PADDING);
  const height = figure(lines.length * CELL.height + 2 * PADDING);
  const texts = lines.flatMap((runs, row) =>
    runs.filter(({ text }) => text.trim() !== '').map((run) => textOf(run, row)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<style>${STYLE}</style>
<rect x="0.5" y="0.5" width="${figure(Number(width) - 1)}" height="${figure(Number(height) - 1)}" rx="8" />
${texts.join('\n')}
</svg>
`;
}

function textOf({ column, width, text, colour, bold, dim }: Run, row: number): string {
  const x = figure(PADDING + column * CELL.width);
  const y = figure(PADDING + (row + 0.75) * CELL.height);
  const looks = [bold && 'b', dim && 'd', colour !== undefined && `c${colour}`].filter(
    (look) => look !== false,
  );
  const look = looks.length > 0 ? ` class="${looks.join(' ')}"` : '';
  // Whatever font it is, each text is as wide as its cells.
  return `<text x="${x}" y="${y}" textLength="${figure(width * CELL.width)}" lengthAdjust="spacingAndGlyphs"${look}>${escape(text)}</text>`;
}
