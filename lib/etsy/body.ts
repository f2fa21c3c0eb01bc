import { MOST_ERROR_TEXT, MOST_MESSAGE } from '../limits.ts';
import { clip, eachText, oneLine, wellFormed } from '../text/clean.ts';
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

/** Of printable ASCII: nothing is hidden in it. */
const PLAIN = /^[\n\r\t -~]*$/;
const UNSEEN = /[\p{Cc}\p{Cf}\p{DI}]+/gu;

/**
 * What a good answer says: JSON within bounds, every text in it whole, the key struck out where it is echoed. Of what
 * the many texts hide it in, case, base64, hex, escapes and invisible characters are looked for.
 *
 * @throws JsonTooLarge, SyntaxError
 */
export function answerOf(bytes: Buffer, key: ApiKey): unknown {
  const answer = boundedJson(bytes);
  const isEchoed = key.isIn(bytes);
  // An escape in JSON may stand for any letter, so for one of the key; \u00e9 and the like do not.
  const isHidden = isEchoed || bytes.includes('\\u00');
  return eachText(answer, (text) => {
    if (PLAIN.test(text)) return isHidden && isKeyIn(text, key) ? key.redact(text) : text;
    const whole = wellFormed(text);
    return isKeyIn(whole.replaceAll(UNSEEN, ''), key) ? key.redact(whole) : whole;
  });
}

function isKeyIn(text: string, key: ApiKey): boolean {
  return text.length >= 8 && key.isIn(Buffer.from(text));
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
