import { MOST_DEPTH, MOST_VALUES } from '../limits.ts';

/** JSON that is larger in what it makes than any answer needs to be. */
export class JsonTooLarge extends Error {
  override readonly name = 'JsonTooLarge';
}

/** What stands where something was nested too deep. */
export const TOO_DEEP = `nested deeper than ${MOST_DEPTH} levels`;

/** Values in which something was cut for its depth, however far down. */
const cut = new WeakSet<object>();

/** Whether something in a value from `boundedJson` was nested too deep: then it is not what was sent. */
export function isCut(value: unknown): boolean {
  return typeof value === 'object' && value !== null && cut.has(value);
}

/**
 * JSON.parse for what a stranger sends: looked through before anything is made of it, in time and memory in proportion
 * to its bytes. What is nested deeper than MOST_DEPTH is replaced by the text TOO_DEEP, and all around it answers to
 * `isCut`: one deep record costs itself and not the answer.
 *
 * @param bytes UTF-8, with or without a byte order mark
 * @param decoder of the bytes, all or some of them
 * @throws JsonTooLarge, SyntaxError
 */
export function boundedJson(
  bytes: Uint8Array,
  decoder: { decode(bytes: Uint8Array): string } = utf8,
): unknown {
  const deep = look(bytes);
  if (deep.length === 0) return JSON.parse(decoder.decode(bytes));
  const parts: string[] = [];
  let after = 0;
  for (const [from, to] of deep) {
    parts.push(decoder.decode(bytes.subarray(after, from)), MARK);
    after = to;
  }
  parts.push(decoder.decode(bytes.subarray(after)));
  const value: unknown = JSON.parse(parts.join(''));
  return unmark(value).value;
}

/** Whether a JSON text is nested deeper than is stored where SQLite reads it: it gives up at 1,000 levels. */
export function isDeep(text: string): boolean {
  // Each level takes two characters at least.
  return text.length > 2 * MOST_DEPTH && isDeepIn(Buffer.from(text));
}

function isDeepIn(bytes: Uint8Array): boolean {
  try {
    return look(bytes).length > 0;
  } catch {
    return true;
  }
}

const utf8 = new TextDecoder();
/** Not to be foreseen, so that nobody can write it. */
const MARKED = `${TOO_DEEP} ${crypto.randomUUID()}`;
const MARK = JSON.stringify(MARKED);

/** @returns where what is too deep begins and ends (exclusive). @throws JsonTooLarge */
function look(bytes: Uint8Array): [from: number, to: number][] {
  const deep: [number, number][] = [];
  const { length } = bytes;
  let [depth, values, from] = [0, 0, 0];
  // A loop over numbers alone: half a millisecond for a page of 300 KB.
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x22) {
      for (at += 1; at < length && bytes[at] !== 0x22; at += 1) if (bytes[at] === 0x5c) at += 1;
    } else if (byte === 0x2c) {
      values += 1;
    } else if (byte === 0x5b || byte === 0x7b) {
      values += 1;
      depth += 1;
      if (depth === MOST_DEPTH + 1) from = at;
    } else if (byte === 0x5d || byte === 0x7d) {
      if (depth === MOST_DEPTH + 1) deep.push([from, at + 1]);
      depth -= 1;
    }
    if (values > MOST_VALUES) throw new JsonTooLarge(`it has more than ${MOST_VALUES} values`);
  }
  return deep;
}

function unmark(value: unknown): { readonly value: unknown; readonly isCut: boolean } {
  if (value === MARKED) return { value: TOO_DEEP, isCut: true };
  if (typeof value !== 'object' || value === null) return { value, isCut: false };
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    const inside = unmark(holder[key]);
    if (!inside.isCut) continue;
    Object.defineProperty(holder, key, { value: inside.value, enumerable: true });
    cut.add(value);
  }
  return { value, isCut: cut.has(value) };
}
