/** Reading and refusing query parameters. */

/** A request that Etsy answers with an error body. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Query = URLSearchParams;

/** The value of a parameter; of several, only the last survives. Empty is as good as absent. */
export function text(query: Query, name: string): string | undefined {
  return query.getAll(name).at(-1) || undefined;
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (value < least || value > most) {
    throw new Refusal(400, `Invalid value (${value}) for '${name}': expected ${least} to ${most}.`);
  }
  return value;
}

export function toInt(name: string, given: string): number {
  const value = Number(given);
  if (!/^-?\d+$/.test(given) || !Number.isSafeInteger(value)) {
    throw new Refusal(400, `Expected int value for '${name}' (got string)`);
  }
  return value;
}

export function int(query: Query, name: string, least: number, most = Infinity): number | undefined {
  const given = text(query, name);
  return given === undefined ? undefined : inRange(name, toInt(name, given), least, most);
}

export function decimal(query: Query, name: string): number | undefined {
  const given = text(query, name);
  if (given === undefined) return undefined;
  if (!/^-?(\d+\.?\d*|\.\d+)$/.test(given)) {
    throw new Refusal(400, `Expected float value for '${name}' (got string)`);
  }
  return inRange(name, Number(given), 0, Infinity);
}

export function bool(query: Query, name: string): boolean | undefined {
  const given = text(query, name)?.toLowerCase();
  if (given === undefined) return undefined;
  if (given === 'true' || given === '1') return true;
  if (given === 'false' || given === '0') return false;
  throw new Refusal(400, `Expected bool value for '${name}' (got string)`);
}

/** One of a list of words, whatever its case. The answer's quotes come HTML-escaped, as Etsy sends them. */
export function word<T extends string>(given: string, words: readonly T[]): T {
  const found = words.find((known) => known.toLowerCase() === given.toLowerCase());
  if (found !== undefined) return found;
  const shown = words.map((known) => known.toLowerCase()).join(', ');
  throw new Refusal(400, `Invalid value (&quot;${given}&quot;) for enum(${shown})`);
}

export function code(query: Query, name: string, pattern: RegExp): string | undefined {
  const given = text(query, name)?.toUpperCase();
  if (given !== undefined && !pattern.test(given)) {
    throw new Refusal(400, `Invalid value (&quot;${given}&quot;) for '${name}'`);
  }
  return given;
}

/** A comma-separated list in one parameter. */
export function list(query: Query, name: string): string[] {
  return text(query, name)?.split(',') ?? [];
}

const MAX_OFFSET = 12_000;

export interface Page {
  limit: number;
  offset: number;
}

export function page(query: Query, overLimit: 'refuse' | 'clamp'): Page {
  const offset = int(query, 'offset', 0) ?? 0;
  if (offset > MAX_OFFSET)
    throw new Refusal(400, 'Offset provided is greater than the maximum offset allowed.');
  const limit = int(query, 'limit', 1, overLimit === 'clamp' ? Infinity : 100) ?? 25;
  return { limit: Math.min(limit, 100), offset };
}

export function within(count: number, { offset }: Page, pastTheEnd: 'error' | 'empty'): void {
  if (offset > count && pastTheEnd === 'error') {
    throw new Refusal(400, 'Offset provided is greater than the total count of search results.');
  }
}
