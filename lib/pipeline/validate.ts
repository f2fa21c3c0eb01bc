import { z } from 'zod';
import { found } from '../task/forms.ts';
import type { KeyPath } from '../task/option-mistakes.ts';
import { closest, didYouMean } from '../text/nearest.ts';

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

/** Where it is the length of a list that is wrong, that length. */
function foundIn(issue: z.core.$ZodRawIssue): string {
  const { input } = issue;
  const isLength = issue.code === 'too_small' || issue.code === 'too_big';
  if (!isLength || !Array.isArray(input) || input.length === 0) return found(input);
  return `found a list of ${input.length} item${input.length === 1 ? '' : 's'}`;
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
