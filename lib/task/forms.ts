import { inspect } from 'node:util';
import { z } from 'zod';
import { durationUpTo, seconds } from './duration.ts';

/** For a schema's own messages, in the form all messages have: what was found, then what was expected. */
export function expects(what: string): { error: (issue: z.core.$ZodRawIssue) => string | undefined } {
  return {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? undefined : `${found(issue.input)}, expected ${what}`,
  };
}

/** What was found, in words. */
export function found(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'found nothing';
  if (Array.isArray(value)) return value.length > 0 ? 'found a list' : 'found an empty list';
  if (typeof value === 'object') return 'found a block of keys';
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value);
  // Cut between words: half a secret would not be known for one.
  const cut = text.slice(0, 79).replace(/[A-Za-z0-9:_-]{1,60}$/, '');
  return `found ${text.length > 80 ? `${cut}…` : text}`;
}

/** A form to be met, with a message of ours here and in editors. */
export const form = (pattern: RegExp, what: string) =>
  z
    .string(expects(what))
    .regex(pattern, expects(what))
    .meta({ patternErrorMessage: `expected ${what}` });

export const text = (what: string) => form(/\S/, what);

export function duration(fallback: string, most: string, description: string, examples: string) {
  return form(durationUpTo(most), `a duration from 1s to ${most}, such as ${examples}`)
    .transform((value) => seconds(value) ?? 0)
    .prefault(fallback)
    .describe(`${description} A number with its unit: s, m, h or d. Default: ${fallback}.`);
}

/** A block left out and a block whose keys are all commented out mean the same: its defaults. */
export function block<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  const keys = z.strictObject(shape, expects(`a block with keys of: ${Object.keys(shape).join(', ')}`));
  return z.preprocess((value) => value ?? {}, keys).meta({ description, type: ['object', 'null'] });
}

export const path = (fallback: string, description: string) =>
  text('a path, relative to this file').default(fallback).describe(`${description} Default: ${fallback}.`);

const loopback = String.raw`(127\.0\.0\.1|localhost|\[::1\])`;
const host = String.raw`([^\s/?#@:\\[\]]+|\[[0-9a-fA-F:.]+\])`;
/** The key travels in a header: over plain http it may go nowhere but to this machine. */
const address = new RegExp(`^(https://${host}|http://${loopback})(:[0-9]{1,5})?(/[^\\s?#]*)?$`);

const ADDRESS = 'an https address without query (http only for localhost, 127.0.0.1 or [::1])';
/** An address that secrets may be sent to. */
export function httpsAddress() {
  return z
    .string(expects(ADDRESS))
    .refine((value) => address.test(value) && URL.canParse(value), expects(ADDRESS))
    .meta({ pattern: address.source, patternErrorMessage: `expected ${ADDRESS}` });
}

/** What a value that may be anything holds under a key. */
export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
