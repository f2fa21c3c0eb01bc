import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

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

/** From the environment, else from `.env` beside pipeline.yaml; undefined where neither has one. */
export async function findKey(folder: string, env: NodeJS.ProcessEnv): Promise<ApiKey | undefined> {
  const file = await readFile(join(folder, '.env'), 'utf8').catch(() => '');
  const settings = { ...parseEnv(file), ...env };
  const keystring = settings['ETSY_API_KEY']?.trim();
  return keystring ? new ApiKey(keystring, settings['ETSY_SHARED_SECRET']?.trim()) : undefined;
}
