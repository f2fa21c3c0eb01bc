import { html } from '../html.ts';
import type { Html, Piece } from '../html.ts';

export interface Column {
  readonly title: string;
  /** Figures stand at the right, under each other; they and short words stay on one line. */
  readonly kind?: 'figure' | 'short';
}

/** @param caption what the table shows; tables wider than a phone scroll by themselves */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Piece[])[],
): Html {
  const kindOf = (index: number): Html | undefined =>
    columns[index]?.kind && html` class="${columns[index].kind}"`;
  const cell = (piece: Piece, index: number): Html =>
    index === 0
      ? html`<th scope="row" ${kindOf(index)}>${piece}</th>`
      : html`<td${kindOf(index)}>${piece}</td>`;
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
