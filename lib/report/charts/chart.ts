import { html } from '../html.ts';
import type { Html, Piece } from '../html.ts';

/**
 * The drawings are as wide as the page lets them be: x is in percent, y in pixels, and text keeps its size. So one
 * drawing is legible on a phone and on a wide screen, and its colours are the page's, in light and dark.
 */
export function drawing(label: string, height: number, kind: string, marks: Piece): Html {
  return html`<svg class="chart ${kind}" role="img" aria-label="${label}" width="100%" height="${height}">
    ${marks}
  </svg>`;
}

/** Which of the page's colours a mark has. */
export type Tone = 'main' | 'quiet' | 'alert';

/** "12.34%" */
export function percent(value: number): string {
  return `${Number(value.toFixed(3))}%`;
}

/** How a text stands at this place: near an edge it does not reach over it. @param at percent */
export function anchor(at: number): 'start' | 'middle' | 'end' {
  if (at < 3) return 'start';
  return at > 94 ? 'end' : 'middle';
}

/** What the colours of a drawing mean. */
export function legend(entries: readonly (readonly [kind: string, name: string])[]): Html {
  return html`<ul class="legend">
    ${entries.map(([kind, name]) => html`<li><i class="${kind}"></i>${name}</li>`)}
  </ul>`;
}

/** Drawings with the figures behind them. */
export function figureWith(drawings: Piece, figures: Html): Html {
  return html`<figure>
    ${drawings}
    <details>
      <summary>The figures</summary>
      ${figures}
    </details>
  </figure>`;
}
