import { clip } from '../../text/clean.ts';
import { count } from '../../text/format.ts';
import { html } from '../html.ts';
import type { Html, Piece } from '../html.ts';

export interface Column {
  readonly title: string;
  /** Figures are right-aligned; they and short words stay on one line. */
  readonly kind?: 'figure' | 'short';
}

/** Rows of a table, and characters of a cell: a faulty source may have made up many names, and long ones. */
const MOST_ROWS = 100;
const LONGEST = 80;

/** @param caption what the table shows; tables wider than a phone scroll by themselves */
export function table(
  caption: string,
  columns: readonly Column[],
  all: readonly (readonly Piece[])[],
  longest = LONGEST,
): Html {
  const more = all.length - MOST_ROWS;
  const rows = more > 0 ? [...all.slice(0, MOST_ROWS), [`and ${count(more)} more`]] : all;
  const kindOf = (index: number): Html | undefined =>
    columns[index]?.kind && html` class="${columns[index].kind}"`;
  const cell = (whole: Piece, index: number): Html => {
    const piece = typeof whole === 'string' ? clip(whole, longest) : whole;
    return index === 0
      ? html`<th scope="row" ${kindOf(index)}>${piece}</th>`
      : html`<td${kindOf(index)}>${piece}</td>`;
  };
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column, index) => html`<th scope="col" ${kindOf(index)}>${column.title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A column of words, of words that are short, or of figures. */
export const words = (title: string): Column => ({ title });
export const short = (title: string): Column => ({ title, kind: 'short' });
export const figures = (title: string): Column => ({ title, kind: 'figure' });
