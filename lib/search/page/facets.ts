import type { Sql } from '../../store/database.ts';

export interface Facet {
  readonly value: string;
  readonly name: string;
  readonly n: number;
}

/** What can be chosen from, with how many listings each has. Counted once a start: a run under way changes little. */
export interface Facets {
  readonly categories: readonly Facet[];
  readonly countries: readonly Facet[];
  readonly made: readonly Facet[];
  readonly currencies: readonly string[];
  readonly listings: number;
  /** Words that many titles have, for examples to try. */
  readonly words: readonly string[];
}

const MOST_CHOICES = 60;
const SAMPLE = 2000;

export async function readFacets(sql: Sql): Promise<Facets> {
  const facets = (query: string): Promise<Facet[]> =>
    sql.all<Facet>(`${query} ORDER BY n DESC, name LIMIT ${MOST_CHOICES}`);
  const [categories, countries, made, currencies, total, titles] = await Promise.all([
    facets(`SELECT CAST(taxonomy_id AS TEXT) AS value, coalesce(t.name, 'Category ' || taxonomy_id) AS name, count(*) AS n
      FROM listings LEFT JOIN taxonomy AS t USING (taxonomy_id) WHERE taxonomy_id IS NOT NULL GROUP BY taxonomy_id`),
    facets(`SELECT s.country AS value, s.country AS name, count(*) AS n FROM listings AS l
      JOIN current_shops AS s ON s.shop_id = l.shop_id WHERE s.country IS NOT NULL GROUP BY s.country`),
    facets(
      `SELECT when_made AS value, when_made AS name, count(*) AS n FROM listings WHERE when_made IS NOT NULL GROUP BY when_made`,
    ),
    sql.all<{ c: string }>(
      'SELECT price_currency AS c FROM listings WHERE price_currency IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 20',
    ),
    sql.get<{ n: number }>('SELECT count(*) AS n FROM listings'),
    sql.all<{ title: string | null }>('SELECT title FROM listings ORDER BY listing_id DESC LIMIT ?', [
      SAMPLE,
    ]),
  ]);
  return {
    categories,
    countries,
    made,
    currencies: currencies.map(({ c }) => c),
    listings: total?.n ?? 0,
    words: frequentPairs(titles.map(({ title }) => title ?? '')),
  };
}

const EXAMPLES = 3;

/** Two words that often stand together, no word twice: they read as something to look for. */
function frequentPairs(titles: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const title of titles) {
    const words = title.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
    for (const pair of new Set(words.slice(1).map((word, place) => `${words[place]} ${word}`)))
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  const chosen: string[] = [];
  const used = new Set<string>();
  for (const [pair] of [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    const words = pair.split(' ');
    if (words.some((word) => used.has(word)) || new Set(words).size < 2) continue;
    words.forEach((word) => used.add(word));
    chosen.push(pair);
    if (chosen.length === EXAMPLES) break;
  }
  return chosen;
}
