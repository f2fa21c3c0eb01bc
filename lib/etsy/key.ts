import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { UserError } from '../errors.ts';
import { characterName } from '../text/characters.ts';

/** The API key. Keeps itself out of everything that is printed: only `header()` gives it away. */
export class ApiKey {
  readonly #value: string;
  readonly #parts: readonly string[];

  constructor(keystring: string, sharedSecret?: string) {
    this.#value = sharedSecret && !keystring.includes(':') ? `${keystring}:${sharedSecret}` : keystring;
    // Short parts are left: they would be found in ordinary words, and Etsy's are 24 and 10 characters long.
    this.#parts = [this.#value, ...this.#value.split(':').filter((part) => part.length >= 8)];
  }

  /** The value of `x-api-key`: `keystring:shared_secret`. */
  header(): string {
    return this.#value;
  }

  /** `text` with the key and its parts struck out: servers and proxies do echo headers in their error pages. */
  redact(text: string): string {
    return this.#parts.reduce((rest, part) => rest.replaceAll(part, '[key]'), text);
  }

  /** Whether there is anything to strike out: to look through the bytes is much quicker than through a text. */
  isIn(bytes: Buffer): boolean {
    return this.#parts.some((part) => bytes.includes(part));
  }

  toJSON(): string {
    return '[key]';
  }
}

export const WHERE_TO_GET_A_KEY =
  'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret ' +
  'into a file named .env beside pipeline.yaml, or into the environment.';

const NAMES = ['ETSY_API_KEY', 'ETSY_SHARED_SECRET'] as const;
const HINT =
  'Type that place again, or paste the key as plain text. A key is made of ordinary letters and digits: ETSY_API_KEY=keystring:shared_secret';

interface Written {
  readonly value: string;
  /** Where it was found, for messages. */
  readonly place: string;
}

/**
 * From the environment, else from `.env` beside pipeline.yaml; undefined where neither has one.
 * @throws UserError (exit code 2) where the key has a character that no key has; it is named, the key is not
 */
export async function findKey(folder: string, env: NodeJS.ProcessEnv): Promise<ApiKey | undefined> {
  const text = decoded(await readFile(join(folder, '.env')).catch(() => Buffer.alloc(0)));
  const file = parseEnv(text);
  const [keystring, secret] = NAMES.map((name): Written | undefined => {
    const inEnv = env[name] !== undefined;
    const value = (inEnv ? env[name] : file[name])?.trim();
    if (!value) return undefined;
    return { value, place: inEnv ? `${name} in the environment` : `${name} in .env${lineOf(name, text)}` };
  });
  if (!keystring) return undefined;
  for (const written of [keystring, secret]) if (written) checkCharacters(written);
  return new ApiKey(keystring.value, secret?.value);
}

/** A header takes no others, and neither has Etsy any in its keys: they come with what a key was pasted from. */
function checkCharacters({ value, place }: Written): void {
  const characters = Array.from(value);
  const at = characters.findIndex((character) => !/^[!-~]$/.test(character));
  const wrong = characters[at];
  if (wrong === undefined) return;
  throw new UserError(
    `${place}: character ${at + 1} of ${characters.length} is ${characterName(wrong)}, which is not part of a key.`,
    { exitCode: 2, hint: HINT },
  );
}

function lineOf(name: string, text: string): string {
  const line = text
    .split('\n')
    .findLastIndex((one) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(one));
  return line < 0 ? '' : `, line ${line + 1}`;
}

/** Some editors write a byte order mark, and some write UTF-16 after it. */
function decoded(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes);
}
