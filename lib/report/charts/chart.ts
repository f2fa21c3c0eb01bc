import { html } from '../html.ts';
import type { Html, Piece } from '../html.ts';

/** Which of the page's colours a mark has. */
export type Tone = 'main' | 'quiet' | 'alert';

/** The tone as a drawing names it. */
export function colour(tone: Tone): string {
  return `var(--${tone})`;
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
