/** What replaces a secret. */
const STRUCK = '[key]';
/** Shorter parts would be found in ordinary words. Etsy's are 24 and 10 characters long. */
const SHORTEST = 8;
/** A long text is looked through in pieces, which overlap by more than the longest form of a secret. Characters. */
const PIECE = 64 * 1024;
const OVERLAP = 4 * 1024;

/** How else one letter is written, none of which a key can have in it: escape codes go, the rest stand for the letter they name. */
const MARKED = [
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/u,
  /&#([0-9]{1,7});?/u,
  /&#x([0-9a-f]{1,6});?/u,
  /%(?:25)*([0-9a-f]{2})/u,
  /\\+u\{?([0-9a-f]{1,6})\}?/u,
  /\\+x([0-9a-f]{2})/u,
];
const MARKED_FORMS = formsIn(MARKED);
/** With the one that is made of letters and digits alone, as a key is. */
const ALL_FORMS = formsIn([...MARKED, /0x([0-9a-f]{2})/u]);

function formsIn(forms: readonly RegExp[]): RegExp {
  return new RegExp(forms.map(({ source }) => source).join('|'), 'giu');
}

type Span = readonly [from: number, to: number];

/** A text reduced to the letters and digits it is made of, and where in the text each of them stands. */
interface Reduced {
  readonly letters: string;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/**
 * Strikes secrets out of texts, in whatever form they are echoed: upper or lower case, backwards, as base64 or hex, with
 * letters escaped (%61, \u0061, &#97;), or split by whatever is neither letter nor digit. What else can be made of a
 * secret (a hash, a cipher, every other letter) is not found.
 */
export class Redactor {
  /** Letters and digits alone. */
  readonly #needles: readonly string[];
  /** Too short to be looked for in any form but their own. */
  readonly #short: readonly string[];
  /** Any form of a secret, unsplit. */
  readonly #forms: RegExp;
  /** Characters of the shortest form. */
  readonly #least: number;

  /** @param secrets those of fewer than 8 letters are found only as they stand */
  constructor(secrets: readonly string[]) {
    const known = secrets.filter((secret) => lettersOf(secret).length >= SHORTEST);
    this.#short = secrets.filter((secret) => secret !== '' && !known.includes(secret));
    this.#needles = [...new Set(known.flatMap((secret) => formsOf(secret).map(lettersOf)))];
    const forms = [...new Set(known.flatMap(formsOf))];
    // What holds another form is found with it.
    const least = forms.filter((form) => !forms.some((other) => other !== form && form.includes(other)));
    this.#forms = new RegExp(least.map(escapeRegExp).join('|') || '(?!)', 'i');
    this.#least = Math.min(...[...forms, ...this.#short].map((form) => form.length));
  }

  /** `text` with every secret in it struck out. */
  text(text: string): string {
    return strike(text, this.#spans(text), () => STRUCK);
  }

  /** The same with stars, so that every place in the text stays where it is; lines stay lines. */
  stars(text: string): string {
    return strike(text, this.#spans(text), stars);
  }

  #spans(text: string): Span[] {
    const spans = this.#short.flatMap((secret) => exactPlaces(secret, text));
    for (let start = 0; start < text.length; start += PIECE) {
      const piece = text.slice(start, start + PIECE + OVERLAP);
      for (const [from, to] of this.#spansIn(piece)) spans.push([start + from, start + to]);
    }
    return spans;
  }

  /** Whether a text holds a secret, unsplit: much quicker than `text`, for what seldom holds one. */
  isIn(text: string): boolean {
    if (text.length < this.#least) return false;
    return this.#forms.test(text) || this.#short.some((secret) => text.includes(secret));
  }

  #spansIn(text: string): Span[] {
    // A form may hide the plain text: in "=%abcdef" the letters ab are the key's, and a key may have "0x41" in it.
    const forms = [MARKED_FORMS, ALL_FORMS].filter((form) => text.search(form) >= 0);
    const readings = [reduced(text), ...forms.map((form) => reduced(text, form))];
    return readings.flatMap((reading) => this.#needles.flatMap((needle) => placesOf(needle, reading)));
  }
}

/** What a secret may be written as, in lower case. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [secret, Array.from(secret).toReversed().join(''), bytes.toString('hex')];
  // Base64 of a text that the secret is in: what of it does not depend on its neighbours, at each of three offsets.
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    forms.push(padded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)));
  }
  return forms.map((form) => form.toLowerCase());
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[^a-z0-9]/g, String.raw`\$&`);
}

function lettersOf(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** @param forms what is read as the letter that it stands for, or as none */
function reduced(text: string, forms?: RegExp): Reduced {
  const codes = Buffer.alloc(text.length);
  const from = new Int32Array(text.length);
  const to = new Int32Array(text.length);
  let length = 0;
  const add = (point: number, start: number, end: number): void => {
    // Wide and styled letters are letters, and accents are not: only ASCII is quick to tell.
    const plain = point < 128 ? point : String.fromCodePoint(point).normalize('NFKD').charCodeAt(0);
    const code = lower(plain < 128 ? plain : 0);
    const isLetter = (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
    if (!isLetter) return;
    codes[length] = code;
    from[length] = start;
    to[length] = end;
    length += 1;
  };
  const addAll = (start: number, end: number): void => {
    for (let index = start; index < end;) {
      const point = text.codePointAt(index) ?? 0;
      const next = index + (point > 0xffff ? 2 : 1);
      add(point, index, next);
      index = next;
    }
  };
  let after = 0;
  for (const match of forms ? text.matchAll(forms) : []) {
    addAll(after, match.index);
    after = match.index + match[0].length;
    const [, decimal, ...digits] = match;
    const hex = digits.find((one) => one !== undefined);
    const point = hex === undefined ? Number(decimal ?? 0) : parseInt(hex, 16);
    if (point <= 0x10ffff) add(point, match.index, after);
  }
  addAll(after, text.length);
  return { letters: codes.toString('latin1', 0, length), from, to };
}

function placesOf(needle: string, { letters, from, to }: Reduced): Span[] {
  const places: Span[] = [];
  for (let at = letters.indexOf(needle); at >= 0; at = letters.indexOf(needle, at + 1))
    places.push([from[at] ?? 0, to[at + needle.length - 1] ?? 0]);
  return places;
}

function exactPlaces(secret: string, text: string): Span[] {
  const places: Span[] = [];
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length))
    places.push([at, at + secret.length]);
  return places;
}

/** As many stars as there were characters. */
export function stars(text: string): string {
  return text.replaceAll(/[^\r\n]/g, '*');
}

function strike(text: string, spans: readonly Span[], instead: (struck: string) => string): string {
  const whole: [number, number][] = [];
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = whole.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  const parts: string[] = [];
  let after = 0;
  for (const [from, to] of whole) {
    parts.push(text.slice(after, from), instead(text.slice(from, to)));
    after = to;
  }
  return [...parts, text.slice(after)].join('');
}

function lower(byte = 0): number {
  return byte >= 65 && byte <= 90 ? byte | 32 : byte;
}
