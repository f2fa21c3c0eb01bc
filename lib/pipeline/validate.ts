import { inspect } from 'node:util';
import { z } from 'zod';
import type { KeyPath } from './diagnostics.ts';

export interface Issue {
  readonly path: KeyPath;
  readonly message: string;
  /** An unknown key is shown at the key, everything else at the value. */
  readonly on: 'key' | 'value';
}

export type Validated<Value> = { readonly ok: true; readonly value: Value } | Refused;

export interface Refused {
  readonly ok: false;
  readonly issues: readonly Issue[];
}

/** Validates, and words what is wrong our way. Messages that a schema brings along itself are kept. */
export async function validate<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
  under: KeyPath = [],
): Promise<Validated<Value>> {
  const knownKeys = new Map<string, readonly string[]>();
  const result = await schema.safeParseAsync(value, {
    reportInput: true,
    error: (issue) => {
      // Only here does an issue tell which schema raised it.
      if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject) {
        knownKeys.set(JSON.stringify(issue.path ?? []), Object.keys(issue.inst.shape));
      }
      const expected = expectation(issue);
      return expected === undefined ? undefined : `${foundIn(issue)}, expected ${expected}`;
    },
  });
  if (result.success) return { ok: true, value: result.data };
  const misspelt = new Set<string>();
  const issues = result.error.issues.flatMap((issue): (Issue & { readonly missing?: boolean })[] => {
    const path = [...under, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
    if (issue.code !== 'unrecognized_keys') {
      return [{ path, message: issue.message, on: 'value', missing: issue.input === undefined }];
    }
    const known = knownKeys.get(JSON.stringify(issue.path));
    return issue.keys.map((key) => {
      const meant = known && closest(key, known);
      if (meant !== undefined) misspelt.add(JSON.stringify([...path, meant]));
      return { path: [...path, key], message: known ? unknownKey(key, known) : issue.message, on: 'key' };
    });
  });
  // A key that is there, but misspelt, is not missing as well.
  return {
    ok: false,
    issues: issues.filter((issue) => !issue.missing || !misspelt.has(JSON.stringify(issue.path))),
  };
}

/** For a schema's own messages, in the form all messages have: what was found, then what was expected. */
export function expects(what: string): { error: (issue: z.core.$ZodRawIssue) => string | undefined } {
  return {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? undefined : `${found(issue.input)}, expected ${what}`,
  };
}

/** Where it is the length of a list that is wrong, that length. */
function foundIn(issue: z.core.$ZodRawIssue): string {
  const { input } = issue;
  const isLength = issue.code === 'too_small' || issue.code === 'too_big';
  if (!isLength || !Array.isArray(input) || input.length === 0) return found(input);
  return `found a list of ${input.length} item${input.length === 1 ? '' : 's'}`;
}

function found(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'found nothing';
  if (Array.isArray(value)) return value.length > 0 ? 'found a list' : 'found an empty list';
  if (typeof value === 'object') return 'found a block of keys';
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value);
  // Cut between words: half a secret would not be known for one.
  const cut = text.slice(0, 79).replace(/[A-Za-z0-9:_-]{1,60}$/, '');
  return `found ${text.length > 80 ? `${cut}…` : text}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of keys',
  record: 'a block of keys',
};

/** What a schema without messages of its own would have accepted. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `${issue.values.length > 1 ? 'one of: ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return amount(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return amount(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `a text that matches ${issue.pattern}`
        : `a text of the form ${issue.format}`;
    case 'invalid_union': {
      const forms = issue.errors.flat().flatMap(({ message }) => /expected (.+)$/s.exec(message)?.[1] ?? []);
      return forms.length > 0 ? [...new Set(forms)].join(', or ') : undefined;
    }
    default:
      return undefined;
  }
}

function amount(origin: string, relation: string, limit: number | bigint): string {
  const plural = Number(limit) === 1 ? '' : 's';
  if (origin === 'string') return `a text of ${relation} ${limit} character${plural}`;
  if (origin === 'array' || origin === 'set') return `a list of ${relation} ${limit} item${plural}`;
  return `a number of ${relation} ${limit}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const expected = known.length > 0 ? `expected one of: ${known.join(', ')}` : 'expected no keys here';
  return `unknown key${didYouMean(key, known)}, ${expected}`;
}

/** " (did you mean crawl?)", or nothing where no candidate is close. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

/** base_url, base-url and baseURL are all near misses of baseUrl. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  return nearest(word, candidates)[0];
}

/** All near misses, the closest first. */
export function nearest(word: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain(word), plain(candidate)) }))
    .filter(
      ({ candidate, distance }) => distance <= Math.max(1, candidate.length / 3) && distance < word.length,
    )
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What a value that may be anything holds under a key. */
export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
