import { clip } from '../text/clean.ts';

/** Markup that may go into a page as it stands. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = Html | string | number | undefined | readonly Piece[];

/**
 * Markup with pieces in it: text is escaped, markup is not, undefined is nothing, lists are joined. The indentation of
 * the code is not the page's.
 */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const outdented = parts.map((part) => part.replaceAll(/\s*\n\s*/g, '\n'));
  return new Html(outdented.map((part, index) => part + textOf(pieces[index])).join(''));
}

function textOf(piece: Piece): string {
  if (piece === undefined) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'object') return piece.map(textOf).join('');
  return escape(String(piece));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Of one piece of text in the page. Characters. */
const MOST_TEXT = 1000;

/** What a reader would not see, or what would break the page, is left out: control, direction and broken characters. */
export function seen(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu, ' ')
    .replaceAll(/[\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\uFFFD');
}

function escape(text: string): string {
  return clip(seen(text), MOST_TEXT).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

const NAMED: Readonly<Record<string, string>> = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>' };

/** Etsy's titles come with entities in them (`&quot;`, `&#39;`): what the seller wrote. */
export function plainText(text: string): string {
  return text.replaceAll(
    /&(?:(quot|apos|amp|lt|gt)|#(\d{1,7}));/g,
    (entity, name?: string, code?: string) => {
      if (name !== undefined) return NAMED[name] ?? entity;
      const point = Number(code);
      const isCharacter = point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
      return isCharacter ? String.fromCodePoint(point) : entity;
    },
  );
}

/** Characters of an address that becomes a link. */
const LONGEST_ADDRESS = 500;

/** The address, if it is one of Etsy's pages: nothing else becomes a link. */
export function etsyAddress(text: string | null): string | undefined {
  if (text === null || text.length > LONGEST_ADDRESS || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isEtsy = /^(?:[a-z0-9-]+\.)*etsy\.com$/.test(url.host);
  return url.protocol === 'https:' && isEtsy && url.username === '' && url.password === ''
    ? url.href
    : undefined;
}
