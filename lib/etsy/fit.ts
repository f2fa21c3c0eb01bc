import type { z } from 'zod';

/** A field of a record whose value was not of its type. */
export interface Misfit {
  /** With a dot for a nested one: "price.amount". */
  readonly field: string;
  /** The value as it came, as JSON, cut. */
  readonly example: string;
  /** Its meaning was clear all the same; if not, the field was left empty. */
  readonly isRead: boolean;
}

/** Characters of an example. */
const LONGEST = 80;

/**
 * A record of which some fields are not what the schema says: read where the meaning is clear ("0.5", 0 or 1, "true"),
 * else left out, so that one odd field does not cost the record. Fields that the schema demands are read or stay as they are.
 * @returns the record to be tried once more; undefined where it is no record at all
 */
export function fit(
  schema: z.ZodObject,
  raw: unknown,
  issues: readonly z.core.$ZodIssue[],
): { readonly record: unknown; readonly misfits: Misfit[] } | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  const record: Record<string, unknown> = { ...raw };
  const misfits: Misfit[] = [];
  const lost: [list: unknown[], index: number][] = [];
  for (const issue of issues) {
    const [field, ...rest] = issue.path.map(String);
    if (field === undefined) continue;
    const holder = holderOf(record, field, rest);
    const last = rest.at(-1) ?? field;
    const value = holder?.[last];
    const meant = issue.code === 'invalid_type' ? reading(issue.expected, value) : undefined;
    const isElement = Array.isArray(holder);
    if (holder && meant !== undefined) holder[last] = meant;
    else if (isElement) lost.push([holder as unknown[], Number(last)]);
    else if (isDemanded(schema, field)) continue;
    // Not null: that would be Etsy's word that there is nothing.
    else record[field] = undefined;
    const names = [field, ...rest].filter((name) => !/^\d+$/.test(name));
    misfits.push({ field: names.join('.'), example: shown(value), isRead: meant !== undefined });
  }
  // From the end, so that the places of the others stay what they are.
  for (const [list, index] of lost.toSorted((a, b) => b[1] - a[1])) list.splice(index, 1);
  return { record, misfits };
}

type Holder = Record<string, unknown>;

/** What holds the value: the record, or a copy of its nested object, put in its place. */
function holderOf(record: Holder, field: string, rest: readonly string[]): Holder | undefined {
  let holder = record;
  let name = field;
  for (const next of rest) {
    const inner = holder[name];
    if (typeof inner !== 'object' || inner === null) return undefined;
    const copy = Array.isArray(inner) ? [...(inner as unknown[])] : { ...inner };
    // A second fault in the same list must meet the same copy.
    if (!copies.has(inner)) {
      copies.add(copy);
      holder[name] = copy;
    }
    holder = holder[name] as Holder;
    name = next;
  }
  return holder;
}

const copies = new WeakSet<object>();

function isDemanded(schema: z.ZodObject, field: string): boolean {
  let known = demanded.get(schema);
  if (!known) {
    const shape = Object.entries(schema.shape);
    known = new Set(
      shape.filter(([, type]) => !(type as z.ZodType).safeParse(null).success).map(([name]) => name),
    );
    demanded.set(schema, known);
  }
  return known.has(field);
}

const demanded = new WeakMap<z.ZodObject, ReadonlySet<string>>();

/** What a value means as another type, where that is beyond doubt. */
function reading(expected: string, value: unknown): number | boolean | undefined {
  if (expected === 'number' || expected === 'int') {
    return typeof value === 'string' && /^\s*-?\d{1,15}(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
  }
  if (expected !== 'boolean') return undefined;
  if (value === 1 || value === '1' || value === 'true') return true;
  if (value === 0 || value === '0' || value === 'false') return false;
  return undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return (JSON.stringify(value) ?? 'nothing').slice(0, LONGEST);
}
