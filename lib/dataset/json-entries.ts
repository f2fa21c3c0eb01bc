import type { FileHandle } from 'node:fs/promises';
import { MOST_ENTRY_BYTES } from '../limits.ts';
import { chunksOf, openRegular } from '../store/files.ts';
import { Tokenizer, TokenType } from '@streamparser/json';

/** One entry of the outermost object: its key, and its value as written in the file. */
export interface Entry {
  readonly key: string;
  readonly text: string;
}

/** Where a JSON file stops being one. `line` and `column` count from 1, `column` in bytes. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly offset: number;
  line = 1;
  column = 1;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Some editors begin a file with it. The tokenizer drops it, and counts from behind it. */
const BOM = Buffer.from('\ufeff');

const OPEN: ReadonlySet<TokenType> = new Set([TokenType.LEFT_BRACE, TokenType.LEFT_BRACKET]);
const CLOSE: ReadonlySet<TokenType> = new Set([TokenType.RIGHT_BRACE, TokenType.RIGHT_BRACKET]);

/**
 * Streams the entries of a JSON object file, some at a time, in bounded memory.
 * Values stay text: a number beyond 2^53 or an unusual spelling survives the way through, which parsing would lose.
 *
 * @throws JsonFault at the first byte that is wrong; NotAFile for a pipe and the like
 */
export async function* jsonEntries(path: string): AsyncGenerator<Entry[], void, undefined> {
  const splitter = new Splitter();
  const { file } = await openRegular(path, 'follow');
  let skipped: number | undefined;
  try {
    for await (const chunk of chunksOf(file)) {
      const isFirst = skipped === undefined;
      skipped ??= chunk.indexOf(BOM) === 0 ? BOM.length : 0;
      splitter.write(isFirst ? chunk.subarray(skipped) : chunk);
      const entries = splitter.take();
      if (entries.length > 0) yield entries;
    }
    splitter.end();
    const rest = splitter.take();
    if (rest.length > 0) yield rest;
  } catch (error) {
    // From the same handle: under the file's name another may be found by now.
    if (error instanceof JsonFault) await place(error, (skipped ?? 0) + error.offset, file);
    throw error;
  } finally {
    await file.close();
  }
}

/** @param offset of the fault from the start of the file, a byte order mark included */
async function place(fault: JsonFault, offset: number, file: FileHandle): Promise<void> {
  for await (const chunk of chunksOf(file, offset)) {
    for (const byte of chunk) {
      if (byte === 0x0a) [fault.line, fault.column] = [fault.line + 1, 1];
      else fault.column += 1;
    }
  }
}

type Expect = 'start' | 'key or end' | 'key' | 'colon' | 'value' | 'comma or end' | 'nothing';

const WANTED: Readonly<Record<Expect, string>> = {
  start: 'an object, starting with {',
  'key or end': 'a listing id in quotes, or }',
  key: 'a listing id in quotes',
  colon: 'a colon',
  value: 'a value',
  'comma or end': 'a comma or }',
  nothing: 'the end of the file',
};

class Splitter {
  readonly #tokens = new Tokenizer();
  #entries: Entry[] = [];
  /** What has been read from `#base` on and may still be part of an entry. */
  #held: Buffer = Buffer.alloc(0);
  #base = 0;
  #expect: Expect = 'start';
  #depth = 0;
  #key = '';
  #from = 0;
  #end = 0;
  /** Where the last token began. */
  #token = 0;

  constructor() {
    this.#tokens.onToken = ({ token, value, offset }) => {
      this.#accept(token, value, offset);
    };
  }

  write(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#end += chunk.length;
    const isLong = this.#end - this.#token > MOST_ENTRY_BYTES || this.#held.length > 2 * MOST_ENTRY_BYTES;
    if (isLong) throw new JsonFault(`an entry has more than ${MOST_ENTRY_BYTES} bytes`, this.#from);
    try {
      this.#tokens.write(chunk);
    } catch (error) {
      throw this.#fault(error);
    }
    // A number or a text that the chunk cuts has begun, though no token tells of it yet.
    const inValue = this.#expect === 'value' || this.#expect === 'comma or end';
    const keep = inValue ? this.#from : this.#end;
    this.#held = this.#held.subarray(keep - this.#base);
    this.#base = keep;
  }

  end(): void {
    try {
      if (!this.#tokens.isEnded) this.#tokens.end();
    } catch (error) {
      throw this.#fault(error);
    }
    if (this.#expect !== 'nothing')
      throw new JsonFault(`the file ends where ${WANTED[this.#expect]} is expected`, this.#end);
  }

  take(): Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  #accept(token: TokenType, value: unknown, offset: number): void {
    this.#token = offset;
    if (this.#depth > 1) {
      if (OPEN.has(token)) this.#depth += 1;
      if (CLOSE.has(token)) this.#depth -= 1;
      return;
    }
    const end = token === TokenType.RIGHT_BRACE;
    switch (this.#expect) {
      case 'start':
        if (token !== TokenType.LEFT_BRACE) this.#wrong(offset);
        this.#depth = 1;
        this.#expect = 'key or end';
        return;
      case 'key or end':
      case 'key':
        if (end && this.#expect === 'key or end') return this.#finish();
        if (token !== TokenType.STRING) this.#wrong(offset);
        this.#key = String(value);
        this.#expect = 'colon';
        return;
      case 'colon':
        if (token !== TokenType.COLON) this.#wrong(offset);
        this.#expect = 'value';
        this.#from = offset + 1;
        return;
      case 'value':
        if (OPEN.has(token)) this.#depth = 2;
        else if (CLOSE.has(token) || token === TokenType.COMMA || token === TokenType.COLON)
          this.#wrong(offset);
        this.#expect = 'comma or end';
        return;
      case 'comma or end':
        if (!end && token !== TokenType.COMMA) this.#wrong(offset);
        this.#push(offset);
        if (end) return this.#finish();
        this.#expect = 'key';
        return;
      case 'nothing':
        this.#wrong(offset);
    }
  }

  #finish(): void {
    this.#depth = 0;
    this.#expect = 'nothing';
  }

  /** The tokenizer knows words, not grammar: the inside of a value is checked by the real parser. */
  #push(end: number): void {
    const text = this.#held.toString('utf8', this.#from - this.#base, end - this.#base).trim();
    try {
      JSON.parse(text);
    } catch (error) {
      throw new JsonFault(
        `the value of "${this.#key}" is not JSON (${(error as Error).message})`,
        this.#from,
      );
    }
    this.#entries.push({ key: this.#key, text });
  }

  #wrong(offset: number): never {
    throw new JsonFault(`${WANTED[this.#expect]} is expected here`, offset);
  }

  #fault(error: unknown): unknown {
    if (error instanceof JsonFault || !(error instanceof Error)) return error;
    const at = /absolute position "(\d+)"/.exec(error.message)?.[1];
    if (at === undefined) return new JsonFault('the file ends in the middle of a value', this.#end);
    const character = /^Unexpected "(.)"/s.exec(error.message)?.[1] ?? '';
    return new JsonFault(`unexpected ${JSON.stringify(character)}`, Number(at));
  }
}
