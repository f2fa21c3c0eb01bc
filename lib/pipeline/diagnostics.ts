import type { KeyPath } from '../task/option-mistakes.ts';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';
import { MOST_DEPTH, MOST_MESSAGE, MOST_MISTAKES } from '../limits.ts';
import { clip, oneLine } from '../text/clean.ts';
import { Redactor, stars } from '../text/redact.ts';
import { masked } from '../text/mask.ts';
import { TOO_DEEP, firstExcess, isDeeper } from './bounds.ts';

export type { KeyPath };

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Mistake {
  readonly label: string;
  readonly at: Span;
  readonly message: string;
  readonly also?: { readonly at: Span; readonly message: string };
}

/** The parser's own words where a person is better served by others. */
const rewordings: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'found a tab as indentation, expected spaces',
  MULTIPLE_DOCS: 'found a second document, expected one',
  BLOCK_AS_IMPLICIT_KEY:
    'found a key where a value is being written, expected it on a line of its own and indented like its neighbours, or quotes around a text that contains ": "',
};

/** Columns of a line that are shown before a mistake and in all. */
const [BEFORE, SHOWN] = [60, 160];

/** A YAML file whose every mistake can be shown in its place. Mistakes are collected and printed in file order. */
export class ConfigFile {
  readonly #name: string;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #mistakes: Mistake[] = [];
  #more = 0;
  readonly #shown: string;
  readonly #secrets: Redactor;

  /** `name` is how the file is called in messages. Unreadable YAML is reported at once. */
  constructor(name: string, text: string, secrets = new Redactor([])) {
    this.#name = name;
    this.#secrets = secrets;
    // As long as the text itself: positions stay true.
    this.#shown = masked(secrets.stars(text), stars);
    const excess = firstExcess(text);
    // Of a text that goes too far only the lines up to there are looked at. Duplicate keys are looked for below: the
    // parser would show the second place only.
    this.#document = parseDocument(excess ? '' : text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
    });
    if (excess) {
      for (let at = text.indexOf('\n'); at !== -1 && at < excess.start; at = text.indexOf('\n', at + 1))
        this.#lines.addNewLine(at + 1);
      this.#add('YAML', excess, excess.message);
    }
    const reported = new Set<number>();
    for (const { code, message, pos } of [...this.#document.errors, ...this.#document.warnings]) {
      const { line } = this.#lines.linePos(pos[0]);
      // One slip makes the parser stumble several times; the first on a line is the one to correct.
      if (!reported.has(line)) this.#add('YAML', { start: pos[0], end: pos[1] }, rewordings[code] ?? message);
      reported.add(line);
    }
  }

  get hasMistakes(): boolean {
    return this.#mistakes.length > 0;
  }

  /** The plain value of the file, or undefined where the YAML itself is broken: what follows from that is noise. */
  read(): { readonly value: unknown } | undefined {
    if (this.hasMistakes || !this.#checkNodes(this.#document.contents, [])) return undefined;
    try {
      const value: unknown = this.#document.toJS();
      if (!isDeeper(value, MOST_DEPTH)) return { value };
      this.#add('YAML', { start: 0, end: 1 }, TOO_DEEP);
    } catch (error) {
      this.#add('YAML', { start: 0, end: 1 }, reworded(error));
    }
    // Only aliases that multiply or nest each other beyond reason get here.
    return undefined;
  }

  /** Reports a mistake in the value at `path`, or in its key; where neither exists, at the closest thing around it. */
  report(
    path: KeyPath,
    message: string,
    place: { on?: 'key' | 'value'; also?: { path: KeyPath; message: string } } = {},
  ): void {
    const also = place.also && { at: this.#spanOf(place.also.path, 'value'), message: place.also.message };
    this.#add(labelOf(path), this.#spanOf(path, place.on ?? 'value'), message, also);
  }

  print(): string {
    const inFileOrder = this.#mistakes.toSorted((a, b) => a.at.start - b.at.start);
    const shown = inFileOrder
      .map(({ label, at, message, also }) => {
        const main = `${this.#position(at)} ${label}: ${message}${this.#excerpt(at)}`;
        return also ? `${main}\n  ${also.message} ${this.#position(also.at)}${this.#excerpt(also.at)}` : main;
      })
      .join('\n\n');
    return this.#more > 0 ? `${shown}\n\nand ${this.#more} more` : shown;
  }

  #add(label: string, at: Span, message: string, also?: Mistake['also']): void {
    if (this.#mistakes.length === MOST_MISTAKES) {
      this.#more += 1;
      return;
    }
    const clean = (text: string): string => masked(this.#secrets.text(oneLine(text)), () => '[key]');
    this.#mistakes.push({
      label: clip(clean(label), SHOWN),
      at,
      message: clip(clean(message), MOST_MESSAGE),
      ...(also && { also: { at: also.at, message: clean(also.message) } }),
    });
  }

  /** Keys written twice, keys that are no words, aliases of nothing. False where reading on makes no sense. */
  #checkNodes(node: unknown, path: KeyPath): boolean {
    if (isAlias(node)) {
      if (node.resolve(this.#document)) return true;
      this.#add(
        labelOf(path),
        spanOfNode(node),
        `found *${node.source}, expected an anchor &${node.source} before it`,
      );
      return false;
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => this.#checkNodes(item, [...path, index])).every(Boolean);
    }
    if (!isMap<Node, Node | null>(node)) return true;
    let readable = true;
    const seen = new Map<string, Span>();
    for (const { key, value } of node.items) {
      const at = spanOfNode(key);
      if (!isScalar(key)) {
        this.#add(labelOf(path), at, 'found a key that is not a word, expected a word');
        readable = false;
        continue;
      }
      const name = String(key.value);
      const inside = [...path, name];
      const first = seen.get(name);
      if (first) {
        this.#add(labelOf(inside), at, 'written twice, expected once', {
          at: first,
          message: 'the first is at',
        });
      }
      seen.set(name, first ?? at);
      if (!this.#checkNodes(value, inside)) readable = false;
    }
    return readable;
  }

  #spanOf(path: KeyPath, on: 'key' | 'value'): Span {
    let key: Node | undefined;
    let value: Node | null = this.#document.contents;
    let whole = true;
    for (const part of path) {
      const inside: Node | null | undefined = isAlias(value) ? value.resolve(this.#document) : value;
      // Of a key written twice the last one counts, as in the value that is validated.
      const pair = isMap<Node, Node | null>(inside)
        ? inside.items.findLast((item) => isScalar(item.key) && String(item.key.value) === String(part))
        : undefined;
      const item = isSeq<Node>(inside) ? inside.items[Number(part)] : undefined;
      if (!pair && !item) {
        whole = false;
        break;
      }
      key = pair?.key;
      value = pair ? pair.value : (item ?? null);
    }
    const valueSpan = value ? spanOfNode(value) : undefined;
    const isEmpty = !valueSpan || valueSpan.start === valueSpan.end;
    // Something missing is missed by the key around it; so is a value that was left empty.
    if (key && (on === 'key' || !whole || isEmpty)) return spanOfNode(key);
    return valueSpan ?? { start: 0, end: 1 };
  }

  #position({ start }: Span): string {
    const { line, col } = this.#lines.linePos(start);
    // The counter has no line 0; an empty file ends before its first line.
    return `${this.#name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }

  /** The source line, and a marker under the span, which is cut where the line ends. */
  #excerpt({ start, end }: Span): string {
    const lineStart = this.#shown.lastIndexOf('\n', start - 1) + 1;
    const line = /^[^\r\n]*/.exec(this.#shown.slice(lineStart))?.[0] ?? '';
    if (line.trim() === '') return '';
    const place = start - lineStart;
    // Of a long line, what is around the place.
    const from = line.length > SHOWN && place > BEFORE ? place - BEFORE : 0;
    const shown = line.slice(from, from + SHOWN);
    const indent = shown.slice(0, place - from).replace(/[^\t]/g, ' ');
    const width = Math.max(1, Math.min(end - lineStart - from, shown.trimEnd().length) - (place - from));
    return `\n    ${shown}\n    ${indent}${'~'.repeat(width)}`;
  }
}

function reworded(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  return /^Excessive alias/.test(said) ? 'found aliases of aliases beyond reason, expected a few' : said;
}

function spanOfNode(node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

/** stages[2].needs[0], the way people write it. */
export function labelOf(path: KeyPath): string {
  const parts = path.map((part, index) =>
    typeof part === 'number' ? `[${part}]` : index > 0 ? `.${part}` : part,
  );
  return parts.join('') || 'pipeline';
}
