import { stripVTControlCharacters } from 'node:util';

// Text from elsewhere, made fit for where it goes: stored whole, shown without what a reader cannot see or a terminal
// would obey. At a sink: clean first, then strike out secrets (redact.ts), then cut.

/** Not to be seen, or turning round what follows: format and direction characters, fillers, selectors, tags. */
const INVISIBLE = /[\p{Cf}\p{DI}\u2800]+/gu;
/** More marks than this on one letter are there to cover its neighbours. */
const PILE = /(\p{M}{4})\p{M}+/gu;
/** Half surrogates, which no UTF-8 can hold, and code points that are no characters. */
const BROKEN = /[\p{Cs}\p{Noncharacter_Code_Point}]/gu;
const UNSTORABLE = /[\p{Cs}\0]/gu;

/**
 * What every reader of the database and of files can take: half surrogates and NUL become U+FFFD. SQLite ends a text
 * at a NUL, and half a surrogate is no UTF-8.
 */
export function wellFormed(text: string): string {
  return isStorable(text) ? text : text.replaceAll(UNSTORABLE, '\uFFFD');
}

/** To look is ten times as quick as to replace. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Text for one line: no escape codes, line breaks, control or invisible characters. */
export function oneLine(text: string): string {
  return visible(text)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** Text for a terminal, lines kept: what servers and file names say must not move its cursor or change its colours. */
export function printable(text: string): string {
  return visible(text).replaceAll(/(?:[^\P{Cc}\n]|[\u2028\u2029])+/gu, ' ');
}

/** What cannot be seen goes first: it could split an escape code. */
function visible(text: string): string {
  return stripVTControlCharacters(text.replaceAll(INVISIBLE, ''))
    .replaceAll(BROKEN, '\uFFFD')
    .replaceAll(PILE, '$1');
}

/** JSON for programs that is safe to look at, too: what cannot be seen is written as \uXXXX, so no value changes. */
export function visibleJson(value: unknown, indent?: number): string {
  return (JSON.stringify(value, undefined, indent) ?? 'null').replaceAll(
    /[\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{DI}|\p{Noncharacter_Code_Point}/gu,
    (character) => Array.from({ length: character.length }, (_, index) => escaped(character, index)).join(''),
  );
}

function escaped(text: string, index: number): string {
  return `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`;
}

/** Cut at so many characters (code points), with … in place of the rest. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  // A character has two units at most: what is beyond need not be split.
  const characters = Array.from(text.slice(0, 2 * most + 2));
  if (characters.length <= most) return text;
  return `${characters
    .slice(0, most - 1)
    .join('')
    .trimEnd()}…`;
}

/** What of a JSON value is read: all of it; or of an object, and of each object in a list, the members named. */
export type Kept = 'all' | readonly (readonly [name: string, kept: Kept])[];

/**
 * Every text in a JSON value, keys included, made over by `change`. The value is changed in place where it can be.
 * Recursive: only for what is no deeper than MOST_DEPTH.
 *
 * @param kept the rest is not looked at, and stays as it is
 */
export function eachText(value: unknown, change: (text: string) => string, kept: Kept = 'all'): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) value[index] = eachText(value[index], change, kept);
    return value;
  }
  const holder = value as Record<string, unknown>;
  if (kept !== 'all') {
    for (const [name, inner] of kept) eachMember(holder, name, change, inner);
    return value;
  }
  for (const key of Object.keys(holder)) eachNamed(holder, key, change);
  return value;
}

/** What `eachText` has left, where it was told what is kept: after it, in place. */
export function eachOtherText(value: unknown, change: (text: string) => string, kept: Kept): void {
  if (typeof value !== 'object' || value === null || kept === 'all') return;
  if (Array.isArray(value)) {
    for (const item of value) eachOtherText(item, change, kept);
    return;
  }
  const holder = value as Record<string, unknown>;
  const known = new Map(kept);
  for (const key of Object.keys(holder)) {
    const inner = known.get(key);
    if (inner === undefined) eachNamed(holder, key, change);
    else eachOtherText(holder[key], change, inner);
  }
}

/** All of a member, its name included. */
function eachNamed(holder: Record<string, unknown>, key: string, change: (text: string) => string): void {
  eachMember(holder, key, change, 'all');
  const name = change(key);
  if (name === key) return;
  const after = holder[key];
  delete holder[key];
  put(holder, name, after);
}

function eachMember(
  holder: Record<string, unknown>,
  name: string,
  change: (text: string) => string,
  kept: Kept,
): void {
  const before = holder[name];
  if (typeof before !== 'string' && typeof before !== 'object') return;
  const after = eachText(before, change, kept);
  if (after === before) return;
  if (name === '__proto__') put(holder, name, after);
  else holder[name] = after;
}

/** `__proto__` is a name like any other, as JSON.parse has it. */
function put(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}
