import * as fc from 'fast-check';
import type { Entry } from '../lib/dataset/json-entries.ts';

export function objectOf(entries: readonly Entry[], colon = ': ', comma = ',\n'): string {
  return `{\n${entries.map(({ key, text }) => `${JSON.stringify(key)}${colon}${text}`).join(comma)}\n}\n`;
}

/** Spellings that would not survive being parsed and written again. */
const UNUSUAL = [
  '12345678901234567890',
  '-0',
  '1.0',
  '1e400',
  '-1E-7',
  '0.10000000000000000000001',
  '"\\u0041\\/\\ud83d"',
  '"😀 ünïcödé \\" \\\\ } ] , {"',
  '"\u007f\u2028"',
  '{ "a" :\t[ 1.50 , { } , [ ] ] ,\n  "a" : "}{" }',
  '[[],[[]],[{"]":"["}]]',
  '{"id": 12345678901234567890, "huge": 1e400, "one": 1.0}',
  '""',
  '{}',
  '[]',
  'true',
  'false',
  'null',
];

export const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });
const valueText = fc.oneof(
  fc.constantFrom(...UNUSUAL),
  fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.jsonValue({ stringUnit: 'grapheme' }).map((value) => JSON.stringify(value, null, 2)),
);
export const key = fc.oneof(
  fc.integer({ min: 1 }).map(String),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '\\', '0', '01', '1.0', '-1', '__proto__', '😀'),
);

export function entryOf(key: fc.Arbitrary<string>): fc.Arbitrary<Entry> {
  return fc.record({ key, text: valueText }, { noNullPrototype: true });
}
