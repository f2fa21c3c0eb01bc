import type { Sql } from '../store/database.ts';
import { letThrough } from '../vectors/nearest.ts';
import type { Filter } from '../vectors/nearest.ts';

/** Of a search: more than these say nothing more. */
const MOST_TERMS = 12;
const MOST_LETTERS = 40;

/** What is looked for: each begins a word of the listing. "tables" finds "table", too. */
export function termsOf(words: string): string[] {
  const found =
    words
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(found.map((word) => singular(Array.from(word).slice(0, MOST_LETTERS).join(''))))].slice(
    0,
    MOST_TERMS,
  );
}

function singular(word: string): string {
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

/** Of `terms`, those that begin a word of the text. */
export function hitsIn(terms: readonly string[], text: string): string[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return terms.filter((term) => words.some((word) => word.startsWith(term)));
}

/**
 * Listings whose title, tags or materials have the terms, best first: those with all of them before those with some.
 * Terms are quoted, so that nothing in them is taken for FTS5's own language.
 */
export async function byWords(
  sql: Sql,
  terms: readonly string[],
  limit: number,
  filter?: Filter,
): Promise<number[]> {
  if (terms.length === 0) return [];
  const all = await match(sql, terms.map(quoted).join(' AND '), limit, filter);
  if (all.length >= limit || terms.length === 1) return all;
  const some = await match(sql, terms.map(quoted).join(' OR '), limit, filter);
  return [...new Set([...all, ...some])].slice(0, limit);
}

function quoted(term: string): string {
  return `"${term.replaceAll('"', '""')}"*`;
}

async function match(
  sql: Sql,
  expression: string,
  limit: number,
  filter: Filter | undefined,
): Promise<number[]> {
  const condition = filter ? `AND rowid IN ${letThrough(filter)}` : '';
  const rows = await sql.all<{ id: number }>(
    `SELECT rowid AS id FROM listing_words WHERE listing_words MATCH :match ${condition}
     ORDER BY bm25(listing_words, 4.0, 2.0, 1.0) LIMIT :limit`,
    { ...filter?.params, ':match': expression, ':limit': limit },
  );
  return rows.map((row) => row.id);
}
