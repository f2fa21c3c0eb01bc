import assert from 'node:assert/strict';
import { DOMParser } from '@xmldom/xmldom';
import type { Element } from '@xmldom/xmldom';
import type { Html } from '../lib/report/html.ts';

/** A bar of whatever direction, in pixels. */
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string | undefined;
}

/** One of the drawings of a chart, taken apart. */
export class Drawing {
  readonly width: number;
  private readonly svg: Element;

  constructor({ text }: Html, room: 'wide' | 'narrow') {
    const all = Array.from(new DOMParser().parseFromString(text, 'text/xml').getElementsByTagName('svg'));
    const found = all.filter((svg) => svg.getAttribute('class') === room);
    assert.equal(found.length, 1, `drawings that are ${room}`);
    const [svg] = found;
    assert.ok(svg);
    this.svg = svg;
    this.width = numberOf(svg, 'width');
  }

  /** The bars of that colour, in the order they are drawn. */
  of(colour: string): Box[] {
    return this.all('rect')
      .filter((rect) => inherited(rect, 'fill') === `var(--${colour})`)
      .map((rect) => ({
        x: numberOf(rect, 'x'),
        y: numberOf(rect, 'y'),
        width: numberOf(rect, 'width'),
        height: numberOf(rect, 'height'),
        title: rect.getElementsByTagName('title')[0]?.textContent ?? undefined,
      }));
  }

  /** The lines of that colour. */
  lines(colour: string): { readonly x1: number; readonly x2: number }[] {
    return this.all('line')
      .filter((line) => inherited(line, 'stroke') === `var(--${colour})`)
      .map((line) => ({ x1: numberOf(line, 'x1'), x2: numberOf(line, 'x2') }));
  }

  get texts(): string[] {
    return this.all('text').map(({ textContent }) => textContent ?? '');
  }

  private all(tag: string): Element[] {
    return Array.from(this.svg.getElementsByTagName(tag));
  }
}

function numberOf(element: Element, name: string): number {
  const value = Number(element.getAttribute(name) ?? NaN);
  assert.ok(Number.isFinite(value), `${element.tagName} ${name}`);
  return value;
}

/** As a browser finds it: at the element, or at what it stands in. */
function inherited(element: Element, name: string): string | null {
  const own = element.getAttribute(name);
  if (own !== null) return own;
  return element.parentElement ? inherited(element.parentElement, name) : null;
}
