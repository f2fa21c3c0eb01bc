import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { Html, html, legible } from '../html.ts';
import type { Piece } from '../html.ts';

/** What a drawing is made for. The page shows one of the two, so that its text has the size of the page's. */
export interface Size {
  readonly name: 'wide' | 'narrow';
  /** Pixels. */
  readonly width: number;
}

const SIZES: readonly Size[] = [
  { name: 'wide', width: 704 },
  { name: 'narrow', width: 358 },
];

/** As much of the DOM as is needed here: Node has no types of it. */
interface Element {
  readonly outerHTML: string;
  querySelectorAll(selectors: string): Iterable<Element>;
  removeAttribute(name: string): void;
  remove(): void;
}

const DOM = parseHTML('<!doctype html><html></html>') as unknown as { readonly document: never };

/** One drawing for wide screens and one for phones. Its colours are the page's: they change with light and dark. */
export function drawing(label: string, optionsFor: (size: Size) => Plot.PlotOptions): Html {
  return html`${SIZES.map((size) => {
    const svg = Plot.plot({
      document: DOM.document,
      width: size.width,
      marginTop: 0,
      marginRight: 0,
      marginBottom: 0,
      marginLeft: 0,
      // Colours are said, not looked up.
      color: { type: 'identity' },
      ...optionsFor(size),
    }) as unknown as Element;
    // The page has the style, once; and of its texts only the label is to be read out.
    for (const style of svg.querySelectorAll('style')) style.remove();
    for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
    svg.removeAttribute('class');
    const opened = html`<svg class="chart ${size.name}" role="img" aria-label="${label}"`;
    return new Html(svg.outerHTML.replace(/^<svg/, () => opened.text));
  })}`;
}

/** A text that goes into a drawing, which escapes it. */
export function textFor(text: string): string {
  return legible(text);
}

/** Which of the page's colours a mark has. */
export type Tone = 'main' | 'quiet' | 'alert';

export function colourOf(tone: Tone): string {
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
