import { createHash } from 'node:crypto';
import { parseEnv } from 'node:util';
import { UserError } from '../errors.ts';
import { readEnvFile } from '../store/env-file.ts';
import { characterName } from '../text/characters.ts';
import { Redactor } from '../text/redact.ts';

/** The API key. Keeps itself out of everything that is printed: only `header()` gives it away. */
export class ApiKey {
  readonly #value: string;
  readonly #redactor: Redactor;
  /** What its owner should know of where it was found. */
  readonly warning: string | undefined;

  constructor(keystring: string, sharedSecret?: string, warning?: string) {
    this.warning = warning;
    this.#value = sharedSecret && !keystring.includes(':') ? `${keystring}:${sharedSecret}` : keystring;
    this.#redactor = new Redactor(secretsOf([this.#value]));
  }

  /** Tells keys apart, and gives none away. The shared secret may be renewed: the key stays the same. */
  get fingerprint(): string {
    const [keystring = ''] = this.#value.split(':');
    return createHash('sha256').update(`sync-data ${keystring}`).digest('hex').slice(0, 16);
  }

  /** The value of `x-api-key`: `keystring:shared_secret`. */
  header(): string {
    return this.#value;
  }

  /** `text` with the key and its parts struck out, however they are spelt: servers do echo headers in error pages. */
  redact(text: string): string {
    return this.#redactor.text(text);
  }

  /** Whether there is anything to strike out, unsplit: much quicker than `redact`. */
  isIn(text: string): boolean {
    return this.#redactor.isIn(text);
  }

  toJSON(): string {
    return '[key]';
  }
}

export const WHERE_TO_GET_A_KEY =
  'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret ' +
  'into a file named .env beside pipeline.yaml, or into the environment.';

const OPEN_TO_OTHERS =
  'Other users of this computer can read the API key in .env. To keep it to yourself: chmod 600 .env';
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
 * @throws UserError (exit code 2) where the key has a character that no key has (it is named, the key is not), or no secret
 */
export async function findKey(folder: string, env: NodeJS.ProcessEnv): Promise<ApiKey | undefined> {
  const settings = await readEnvFile(folder);
  const file = parseEnv(settings.text);
  const [keystring, secret] = NAMES.map((name): Written | undefined => {
    const inEnv = env[name] !== undefined;
    const value = (inEnv ? env[name] : file[name])?.trim();
    if (!value) return undefined;
    return {
      value,
      place: inEnv ? `${name} in the environment` : `${name} in .env${lineOf(name, settings.text)}`,
    };
  });
  if (!keystring) {
    if (settings.problem === undefined) return undefined;
    throw new UserError(`The API key cannot be read: ${settings.problem}`, {
      exitCode: 2,
      hint: WHERE_TO_GET_A_KEY,
    });
  }
  for (const written of [keystring, secret]) if (written) checkCharacters(written);
  if (!secret && !/^[^:]+:[^:]/.test(keystring.value)) {
    throw new UserError(`${keystring.place} has no shared secret: Etsy refuses a keystring alone.`, {
      exitCode: 2,
      hint: 'Both are on the page of your app at https://www.etsy.com/developers/your-apps: ETSY_API_KEY=keystring:shared_secret',
    });
  }
  const isOpen = settings.isOpen && keystring.place.includes('.env');
  return new ApiKey(keystring.value, secret?.value, isOpen ? OPEN_TO_OTHERS : undefined);
}

/**
 * Strikes out whatever is given as key, also where it is none that Etsy would take. Never throws.
 * @param others names of other secrets: struck out whole where they are too long to be an ordinary word
 */
export async function keyRedactor(
  folder: string,
  env: NodeJS.ProcessEnv,
  others: readonly string[] = [],
): Promise<Redactor> {
  const file = parseEnv((await readEnvFile(folder)).text);
  const given = (name: string): string[] => [env[name]?.trim() ?? '', file[name]?.trim() ?? ''];
  const words = others.flatMap(given).filter((secret) => secret.length >= 8);
  return new Redactor([...secretsOf(NAMES.flatMap(given)), ...words]);
}

/** Copied from a hint they are no secrets; struck out they would make the hint unreadable. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['keystring', 'shared_secret', 'keystring:shared_secret']);

/** What is to be struck out: the values whole, and their parts, but for short ones, which ordinary words hold. */
function secretsOf(values: readonly string[]): string[] {
  const parts = values.flatMap((value) => value.split(':')).filter((part) => part.length >= 8);
  return [...values, ...parts].filter((secret) => !PLACEHOLDERS.has(secret));
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
