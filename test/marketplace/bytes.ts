/**
 * UTF-8 in a string, one character a byte. V8 keeps such strings in one byte a character, so joining the parts of a
 * page and sending it costs a fraction of what text with emoji in it would.
 */
export type Bytes = string;

export function bytes(text: string): Bytes {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function jsonBytes(value: unknown): Bytes {
  return bytes(JSON.stringify(value));
}

/** Texts as they stand between the quotes of a JSON string. */
export function quotable(texts: readonly [string, ...string[]]): readonly [Bytes, ...Bytes[]] {
  const [first, ...rest] = texts.map((text) => jsonBytes(text).slice(1, -1));
  return [first ?? '', ...rest];
}

/** `{"count":…,"results":[…]}` of what is rendered already, each part copied once. */
export function resultsBody(count: number, rendered: readonly Bytes[]): Buffer {
  const head = `{"count":${count},"results":[`;
  const size =
    rendered.reduce((sum, part) => sum + part.length + 1, head.length + 1) + (rendered.length > 0 ? 0 : 1);
  const body = Buffer.allocUnsafe(size);
  let at = body.write(head, 'latin1');
  for (const part of rendered) {
    if (at > head.length) at += body.write(',', at, 'latin1');
    at += body.write(part, at, 'latin1');
  }
  body.write(']}', at, 'latin1');
  return body;
}

export function jsonBody(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
