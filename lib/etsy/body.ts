import { isAscii } from 'node:buffer';
import { MOST_ERROR_TEXT, MOST_MESSAGE } from '../limits.ts';
import { clip, eachOtherText, eachText, oneLine, wellFormed } from '../text/clean.ts';
import type { Kept } from '../text/clean.ts';
import { boundedJson } from '../text/json.ts';
import type { ApiKey } from './key.ts';

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/**
 * Reads a body, but never more than `limit` bytes into memory.
 *
 * @throws BodyTooLarge as soon as the announced or the actual size passes the limit
 * @throws Error when the body ends before the announced length (a proxy cut it)
 */
export async function readBody(response: Response, limit: number): Promise<Buffer> {
  const encoded = response.headers.has('content-encoding');
  const announced = Number(response.headers.get('content-length') ?? NaN);
  const mebibytes = `${Math.round(limit / 1024 / 1024)} MB`;
  if (announced > limit) {
    await response.body?.cancel();
    throw new BodyTooLarge(`the body has ${announced} bytes, more than the ${mebibytes} allowed`);
  }
  const { bytes, isWhole } = await readStart(response, limit);
  if (!isWhole) throw new BodyTooLarge(`the body is larger than the ${mebibytes} allowed`);
  if (!encoded && Number.isFinite(announced) && bytes.length < announced) {
    throw new Error(`the body ended after ${bytes.length} of ${announced} bytes`);
  }
  return bytes;
}

/** At most `limit` bytes of a body; what follows is not read. */
export async function readStart(
  response: Response,
  limit: number,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    chunks.push(size + bytes.byteLength > limit ? bytes.subarray(0, limit - size) : bytes);
    size += bytes.byteLength;
    if (size > limit) return { bytes: Buffer.concat(chunks, limit), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks, size), isWhole: true };
}

/** What the letters of a key may be split by, and more than that: `redact` looks closer. */
const UNPRINTABLE = /[^ -~]+/g;
const PRINTABLE = /^[ -~]*$/;
/** Of ASCII that stands for itself: as it is in Latin-1, in UTF-8 and in the database. */
const PLAIN = /^[\n\r\t -~]*$/;

/** A character a byte: quick to make and to parse, and half the size. Texts in it that are no ASCII are decoded by themselves. */
const BYTEWISE = {
  decode: (bytes: Uint8Array): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'),
};

/**
 * What a good answer says: JSON within bounds, every text in it whole, the key struck out where it is echoed. Of what
 * the many texts hide it in, case, base64, hex and invisible characters are looked for; escapes of JSON are read by then.
 *
 * @throws JsonTooLarge, SyntaxError
 */
export function answerOf(bytes: Buffer, key: ApiKey, kept: Kept = 'all'): unknown {
  return readerOf(bytes, key)(kept);
}

/**
 * Reads an answer as `answerOf` does. What is not kept is not cleaned, and must go nowhere; asked once more for all of
 * it, the reader cleans the rest of the value that it gave.
 */
export function readerOf(bytes: Buffer, key: ApiKey): (kept?: Kept) => unknown {
  let read: { value: unknown; kept: Kept; change: (text: string) => string } | undefined;
  return (kept = 'all') => {
    if (read) eachOtherText(read.value, read.change, read.kept);
    else {
      const { value, change } = parsed(bytes, key);
      read = { value: eachText(value, change, kept), kept, change };
    }
    return read.value;
  };
}

/** @returns change: what each text in the value has to go through, once */
function parsed(bytes: Buffer, key: ApiKey): { value: unknown; change: (text: string) => string } {
  const isPlain = isAscii(bytes);
  const isEscaped = bytes.includes('\\u');
  // Beside bytes of UTF-8 an escape could stand for the same character as one of them.
  const isBytewise = isPlain || !isEscaped;
  const value = isBytewise ? boundedJson(withoutMark(bytes), BYTEWISE) : boundedJson(bytes);
  // Only an escape can stand for half a character, or for NUL.
  const decoded = isBytewise && !isPlain ? utf8Of : isEscaped ? wellFormed : (text: string) => text;
  const change = (text: string): string => {
    // Most texts are short, and one look is enough for them.
    const isPrintable = PRINTABLE.test(text);
    const whole = isPrintable || PLAIN.test(text) ? text : decoded(text);
    const seen = isPrintable ? text : text.replaceAll(UNPRINTABLE, '');
    return key.isIn(seen) ? key.redact(whole) : whole;
  };
  return { value, change };
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function utf8Of(text: string): string {
  return Buffer.from(text, 'latin1').toString();
}

/** What an answer says that is none: `{"error": "..."}` of Etsy, anything of a proxy in between. One line, clipped. */
export function errorText(bytes: Buffer, key: ApiKey): string {
  return short(saidIn(bytes), key, MOST_ERROR_TEXT) || 'no message';
}

/** A text of a stranger as part of a message: first what cannot be seen goes, then the key, then the rest. */
export function short(text: string, key: ApiKey, most: number): string {
  return clip(key.redact(oneLine(text.slice(0, MOST_MESSAGE))), most);
}

function saidIn(bytes: Buffer): string {
  try {
    const body = boundedJson(bytes);
    if (typeof body === 'object' && body !== null && 'error' in body)
      return typeof body.error === 'string' ? body.error : JSON.stringify(body.error);
  } catch {
    // no JSON: shown as it is
  }
  return bytes.toString('utf8', 0, MOST_MESSAGE);
}
