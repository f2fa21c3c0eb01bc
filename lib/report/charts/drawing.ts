import { plot } from '@observablehq/plot';
import type { PlotOptions } from '@observablehq/plot';
import { DOMImplementation, XMLSerializer } from '@xmldom/xmldom';
import type { Element } from '@xmldom/xmldom';
import { clip } from '../../text/clean.ts';
import { html, Html, seen } from '../html.ts';

/** Characters. */
const LONGEST_LABEL = 500;
/** How wide a drawing is made, in pixels: once for a wide screen and once for a phone. The page shows one of them. */
const WIDTHS = { wide: 720, narrow: 350 };

export type Room = keyof typeof WIDTHS;

const document = new DOMImplementation().createDocument('http://www.w3.org/1999/xhtml', 'html', null);

/** What stands along an axis, and the lines that lead there. */
const SOFT = { fill: 'var(--soft-ink)', fontSize: 12 };
export const MARK = { ...SOFT, frameAnchor: 'bottom', lineAnchor: 'top', dy: 9 } as const;
export const MARK_LEFT = { ...SOFT, tickSize: 0, label: null } as const;
export const MARK_ABOVE = { ...SOFT, frameAnchor: 'top', lineAnchor: 'bottom', dy: -5 } as const;
export const GRID = { stroke: 'var(--line)', strokeOpacity: 1 };

/**
 * What Plot makes of it, as markup. All colours are to be named as the page's: light and dark are of its style, and
 * none of Plot's goes with it.
 */
export function drawing(label: string, optionsFor: (room: Room) => PlotOptions): Html {
  const drawn = (Object.keys(WIDTHS) as Room[]).map((room) =>
    svgOf(label, { ...optionsFor(room), width: WIDTHS[room], className: room }),
  );
  return html`<div class="chart">${drawn}</div>`;
}

/** One drawing alone. */
export function svgOf(label: string, options: PlotOptions): Html {
  const plotted: unknown = plot({ ...options, document });
  const svg = plotted as Element;
  for (const style of Array.from(svg.getElementsByTagName('style'))) svg.removeChild(style);
  // A group without a role has no name; the whole drawing has one.
  for (const group of Array.from(svg.getElementsByTagName('g'))) group.removeAttribute('aria-label');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', clip(label, LONGEST_LABEL));
  return new Html(seen(new XMLSerializer().serializeToString(svg)));
}
