import assert from 'node:assert/strict';

/** A table as a reader sees it: under each caption the rows, by the titles of their columns. */
export type Row = Readonly<Record<string, string>>;

/** A written report, taken apart as far as tests look into it. It is our own markup, so that patterns do. */
export class ReportPage {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The rows of the table with that caption. */
  table(caption: string): Row[] {
    const tables = [...this.text.matchAll(/<table>([^]*?)<\/table>/g)].map(([, inner = '']) => inner);
    const found = tables.filter(
      (inner) => plain(/<caption>([^]*?)<\/caption>/.exec(inner)?.[1] ?? '') === caption,
    );
    assert.equal(found.length, 1, `tables named "${caption}"`);
    const [head = '', ...rows] = [...(found[0] ?? '').matchAll(/<tr>([^]*?)<\/tr>/g)].map(
      ([, inner = '']) => inner,
    );
    const titles = cells(head);
    return rows.map((row) => {
      const values = cells(row);
      assert.equal(values.length, titles.length, `cells of a row of "${caption}"`);
      // A column may be named as the row is: its total.
      return Object.fromEntries(
        values.map((value, index) => [
          `${titles[index] ?? ''}${titles.indexOf(titles[index] ?? '') < index ? ' total' : ''}`,
          value,
        ]),
      );
    });
  }

  /** The figures on top, by their names, with what stands below each. */
  get tiles(): Readonly<Record<string, readonly [value: string, note: string]>> {
    const found = this.text.matchAll(
      /<dt>([^]*?)<\/dt>\s*<dd class="value">([^]*?)<\/dd>\s*<dd>([^]*?)<\/dd>/g,
    );
    return Object.fromEntries(
      [...found].map(([, name = '', value = '', note = '']) => [plain(name), [plain(value), plain(note)]]),
    );
  }

  /** All that can be read. */
  get words(): string {
    return plain(/<body>([^]*)<\/body>/.exec(this.text)?.[1] ?? '');
  }

  /** What a part says, or why it is empty. */
  part(id: string): string {
    const [, inner] = new RegExp(`<section id="${id}"[^>]*>([^]*?)</section>`).exec(this.text) ?? [];
    assert.ok(inner !== undefined, `no part ${id}`);
    return inner;
  }

  /** All values of an attribute, as they are meant. */
  attributes(name: string): string[] {
    return [...this.text.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) =>
      decoded(value),
    );
  }

  /** What must hold of any report, whatever is in it. */
  assertSound(): void {
    assert.doesNotMatch(this.text, /<script|<iframe|<object|<embed|<form|<base|@import|url\(/i);
    assert.doesNotMatch(this.text.replaceAll(/="[^"]*"/g, ''), /<[^>]*\s(?:on\w+|style)\b/i);
    for (const src of this.attributes('src'))
      assert.match(src, /^data:image\/(?:jpeg|webp);base64,[A-Za-z0-9+/]+=*$/);
    for (const href of this.attributes('href'))
      assert.match(href, /^(?:#[a-z-]+|data:,|https?:\/\/[^\s"<>]+)$/);
    assert.match(
      this.text,
      /<meta\s+http-equiv="Content-Security-Policy"\s+content="default-src &#39;none&#39;; img-src data:; style-src &#39;unsafe-inline&#39;;/,
    );

    const ids = this.attributes('id');
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
      'ids that are there twice',
    );
    for (const anchor of this.attributes('href').filter((href) => href.startsWith('#'))) {
      assert.ok(ids.includes(anchor.slice(1)), `${anchor} leads nowhere`);
    }
    for (const label of this.attributes('aria-labelledby')) assert.ok(ids.includes(label), label);

    const figures = [...this.text.matchAll(/<figure>([^]*?)<\/figure>/g)].map(([, inner = '']) => inner);
    const drawn = [...this.text.matchAll(/<svg\b([^>]*)>/g)].map(([, given = '']) => given);
    // No larger than a word, and its name has its figures.
    const isSpark = (given: string): boolean => given.includes(' class="spark"');
    const drawings = drawn.filter((given) => !isSpark(given));
    for (const given of drawn.filter(isSpark)) assert.match(given, /role="img"[^]*aria-label="[^"]*\d[^"]*"/);
    for (const given of drawings) assert.match(given, /role="img"[^]*aria-label="[^"]{10,}"/);
    for (const figure of figures) assert.match(figure, /<table>/, 'a chart without its table');
    assert.equal(
      figures.reduce((sum, figure) => sum + figure.split('<svg').length - 1, 0),
      drawings.length,
      'a drawing out of a figure',
    );
    // One for a wide screen and one for a phone; what looks like what is the page's affair.
    for (const room of ['wide', 'narrow'])
      assert.equal(
        drawings.filter((given) => given.includes(` class="${room}"`)).length * 2,
        drawings.length,
        room,
      );
    assert.equal(this.text.split('<style').length, 2, 'a style beside that of the page');
    for (const figure of figures) assert.doesNotMatch(figure, /NaN|undefined|\[object|Infinity/);

    const levels = [...this.text.matchAll(/<h([1-6])\b/g)].map(([, level]) => Number(level));
    assert.equal(levels[0], 1);
    assert.equal(levels.filter((level) => level === 1).length, 1);
    levels.forEach((level, index) =>
      assert.ok(level <= (levels[index - 1] ?? 0) + 1, 'a heading was left out'),
    );
    for (const tag of [
      'section',
      'figure',
      'table',
      'tr',
      'svg',
      'details',
      'div',
      'p',
      'ul',
      'li',
      'a',
      'b',
    ]) {
      const opened = [...this.text.matchAll(new RegExp(`<${tag}[\\s>]`, 'g'))].length;
      assert.equal(
        [...this.text.matchAll(new RegExp(`</${tag}\\s*>`, 'g'))].length,
        opened,
        `<${tag}> and its end`,
      );
    }
    assert.ok(this.text.includes(NOTICE));
    assert.ok(Buffer.byteLength(this.text) < 3_000_000, 'larger than 3 MB');
  }
}

const NOTICE =
  'The term &#39;Etsy&#39; is a trademark of Etsy, Inc. This application uses the Etsy API but is not endorsed or certified by Etsy, Inc.';

function cells(row: string): string[] {
  return [...row.matchAll(/<t[hd]\b[^>]*>([^]*?)<\/t[hd]>/g)].map(([, inner = '']) => plain(inner));
}

/** Text without its markup. */
export function plain(markup: string): string {
  return decoded(markup.replaceAll(/<[^>]*>/g, ''))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function decoded(text: string): string {
  const entities: Record<string, string> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&amp;': '&',
  };
  return text.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? '');
}
