import { z } from 'zod';
import type { Taxonomy } from '../../lib/dataset/taxonomy.ts';
import { OptionMistakes } from '../../lib/task/option-mistakes.ts';
import type { OptionMistake } from '../../lib/task/option-mistakes.ts';
import type { Unit, Write } from '../../lib/task/task.ts';
import { expects } from '../../lib/task/forms.ts';
import { nearest } from '../../lib/text/nearest.ts';
import { ApiError } from '../../lib/etsy/errors.ts';
import { addOddities } from '../../lib/dataset/oddities.ts';
import { settleEndpoint } from '../../lib/dataset/set-aside.ts';
import { DAY_S, nowSeconds } from '../../lib/time.ts';
import type { ServicesWith } from '../../lib/services.ts';
import type { Sql, Tx } from '../../lib/store/database.ts';
import { knownTime } from '../../lib/text/to-come.ts';
import { readTaxonomy, replaceTaxonomy } from '../../lib/dataset/taxonomy-table.ts';

type Services = ServicesWith<'api'>;

const category = expects('the id or the name of a category, such as 975 or Dining Chairs');

/** Categories as a person writes them: ids, names, or paths such as Bedroom Furniture > Steps & Stools. */
export const taxonomies = z
  .array(
    z.union([z.int(category).positive(category), z.string(category).regex(/[^\d\s]/, category)], category),
  )
  .min(1)
  .superRefine((all, { addIssue }) => {
    for (const [index, one] of all.entries()) {
      if (all.indexOf(one) < index) addIssue({ code: 'custom', path: [index], message: already(one) });
    }
  })
  .meta({ uniqueItems: true });

const TREE = 'seller-taxonomy/nodes';

type Written = z.infer<typeof taxonomies>;

/** The names of the categories are for readers of the data too: they are fetched once a month. Seconds. */
const FETCH_AGAIN_AFTER = 30 * DAY_S;
/** What is not in the tree is looked for once more, in case it is new; a mistake may cost a request a day. Seconds. */
const ASK_AGAIN_AFTER = DAY_S;
/** Near misses shown, and categories of one name. */
const SHOWN = 5;

/** Asks Etsy for its categories, where those at hand do not tell what is meant. */
export async function lookUp(written: Written, { api, sql }: Services): Promise<Write<Tx> | undefined> {
  const known = await readTaxonomy(sql);
  const now = nowSeconds();
  const isNew = ageOf(known, now) < ASK_AGAIN_AFTER;
  if (isNew || written.every((one) => meant(one, known).length > 0)) return undefined;
  const categories = await api.taxonomy();
  return (tx) => replaceTaxonomy(tx, categories, now);
}

export async function namesAreDue(sql: Sql): Promise<boolean> {
  return ageOf(await readTaxonomy(sql), nowSeconds()) >= FETCH_AGAIN_AFTER;
}

/** Fetches Etsy's categories for their names alone: the run can do without, and the next one asks again. */
export async function fetchNames({ api }: Services, runId: number): Promise<Write<Tx>> {
  const now = nowSeconds();
  try {
    const categories = await api.taxonomy(true);
    return async (tx) => {
      if (categories.length > 0) await replaceTaxonomy(tx, categories, now);
      await settleEndpoint(tx, TREE, now);
    };
  } catch (error) {
    if (!(error instanceof ApiError) || !['hopeless', 'refused', 'client'].includes(error.kind)) throw error;
    return async (tx) => {
      await addOddities(tx, runId, [
        {
          what: 'the names of categories could not be had',
          became: 'those known before are used; the next run asks again',
          example: error.reason,
        },
      ]);
      // Of a version that set it aside.
      await settleEndpoint(tx, TREE, now);
    };
  }
}

function ageOf({ fetchedAt }: Taxonomy, now: number): number {
  return now - (knownTime(fetchedAt, now) ?? -Infinity);
}

/**
 * A unit a category, whose id is Etsy's: names may change, checkpoints stay.
 *
 * An id that Etsy's tree does not have is refused, though a search would take it: it finds listings of all kinds then,
 * millions of them, and correcting the id does not take them out of the dataset again.
 *
 * @throws OptionMistakes for what means no category, several, or one that is named already
 */
export async function taxonomyUnits(written: Written, sql: Sql): Promise<Unit[]> {
  const known = await readTaxonomy(sql);
  const mistakes: OptionMistake[] = [];
  const places = new Map<number, number>();
  for (const [index, one] of written.entries()) {
    const path = ['taxonomies', index];
    const [id, ...more] = meant(one, known);
    const first = id === undefined ? undefined : places.get(id);
    if (id === undefined) mistakes.push({ path, message: nothing(one, known) });
    else if (more.length > 0) mistakes.push({ path, message: several(one, [id, ...more], known) });
    else if (first === undefined) places.set(id, index);
    else {
      const message = already(`${known.nameOf(id)} (${id})`);
      mistakes.push({ path, message, also: { path: ['taxonomies', first], message: 'the first is at' } });
    }
  }
  if (mistakes.length > 0) throw new OptionMistakes(mistakes);
  return [...places.keys()].map((id) => ({
    id: String(id),
    title: known.nameOf(id),
    noun: 'listings',
    kind: 'categories',
  }));
}

function already(what: number | string): string {
  return `${what} is named twice, expected each category once`;
}

function meant(one: number | string, known: Taxonomy): number[] {
  if (typeof one === 'string') return known.find(one);
  return known.has(one) ? [one] : [];
}

function nothing(one: number | string, known: Taxonomy): string {
  if (typeof one === 'number') return `Etsy has no category ${one}, expected the id or the name of one`;
  const name = one.split('>').at(-1)?.trim() || one;
  const near = nearest(name, known.names);
  const holding = known.names
    .filter((other) => other.toLowerCase().includes(name.toLowerCase()))
    .toSorted((a, b) => a.length - b.length);
  const ids = (near.length > 0 ? near : holding).flatMap((other) => known.find(other));
  const shown = ids.slice(0, SHOWN).map((id) => `"${known.shortestOf(id)}" (${id})`);
  const hint = shown.length > 0 ? ` (did you mean ${shown.join(' or ')}?)` : '';
  return `Etsy has no category "${one}"${hint}, expected the id or the name of one`;
}

function several(one: number | string, ids: readonly number[], known: Taxonomy): string {
  const shown = ids.slice(0, SHOWN).map((id) => `${known.pathOf(id)} (${id})`);
  const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : '';
  const example = known.shortestOf(ids[0] ?? 0);
  return `${ids.length} categories are called "${one}": ${shown.join(', ')}${more}, expected an id, or a path such as ${example}`;
}
