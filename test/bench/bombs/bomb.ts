import type { ServerResponse } from 'node:http';

/** In place of one answer: what is sent, or what is done with the response. */
export type Thrown =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body: Buffer | string;
    }
  | ((response: ServerResponse) => void);

/** One record, file or answer that is made to cost as much as it can. */
export interface Bomb {
  readonly name: string;
  /** Of what is asked: the path with its query, from the base URL on; the first that matches gets the bomb. */
  readonly at?: RegExp;
  /** @param good what would have been answered */
  readonly thrown?: (good: Buffer) => Thrown;
  /** Writes into the folder before the start. @param ids of listings that are there or will be */
  readonly files?: (folder: string, ids: readonly number[]) => Promise<void>;
}

type Record_ = Record<string, unknown>;

/** A good list of records with one of them, or all, made worse. Texts `@…@` in it may be replaced by what no value can be. */
export function worse(
  good: Buffer,
  change: (record: Record_, index: number) => Record_,
  most = 1,
  raw: Readonly<Record<string, string>> = {},
): string {
  const answer = JSON.parse(good.toString()) as { results: Record_[] };
  const results = answer.results.map((record, index) => (index < most ? change(record, index) : record));
  let text = JSON.stringify({ ...answer, results });
  for (const [mark, inPlace] of Object.entries(raw)) text = text.replaceAll(`"@${mark}@"`, () => inPlace);
  return text;
}

export const nested = (levels: number, open = '[', close = ']'): string =>
  open.repeat(levels) + close.repeat(levels);

/** Sends without end, as fast as it is taken. */
export function endless(head: Readonly<Record<string, string>>, part: Buffer): Thrown {
  return (response) => {
    response.writeHead(200, head);
    const more = (): void => {
      while (!response.destroyed && response.write(part));
    };
    response.on('drain', more).on('error', () => undefined);
    more();
  };
}

/** Everything that a terminal, a log, a page or a pattern may stumble over, over and over. Bytes: about `size`. */
export function evil(size: number): string {
  const part =
    '\u001b]8;;http://evil.example\u0007\u001b[31m\u202e\u200b\u2028\ud800\0&#x61;%41\\u0061<script>"\'\u0301\u{e0041}\u{1f468}\u200d\u{1f469}';
  return part.repeat(Math.ceil(size / Buffer.byteLength(part)));
}

/** Like an image at both ends. */
export const jpegOf = (inside: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), inside, Buffer.from([0xff, 0xd9])]);
