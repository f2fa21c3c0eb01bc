import type { Sql, Value } from '../store/database.ts';
import type { Vectors } from './open.ts';
import { mean, quantise } from './quantise.ts';
import type { Space } from './spaces.ts';

export interface Hit {
  readonly listingId: number;
  /** Cosine: 1 is the same direction, 0 has nothing in common. */
  readonly score: number;
}

/** Which listings may be found. */
export interface Filter {
  /** A condition on a row `l` of listings, written in code: never anything that a person or a page gave. */
  readonly where: string;
  /** What they gave goes here. */
  readonly params: Readonly<Record<`:${string}`, Value>>;
}

/** All listings that pass a filter, as a list in SQL: for a look through many rows. */
export function letThrough({ where }: Filter): string {
  return `(SELECT l.listing_id FROM listings AS l WHERE ${where})`;
}

/** Candidates of the rough look, measured on a million vectors: recall@10 against the exact order is 1.000. */
const CANDIDATES = 600;
/** Candidates for each listing wanted: people look at the first few dozen, so the order further down may be rough. */
const CANDIDATES_EACH = 2;
/** With a filter, so many times more, for most will not pass. To list every listing that passes takes a second per million. */
const CANDIDATES_FILTERED = 10;

/**
 * The `k` listings whose vectors point most nearly as the queries do, nearest first; of several queries the mean
 * direction counts. Codes of one bit per dimension choose the candidates, the stored bytes order them.
 *
 * @throws RangeError for a query of other dimensions than the space's
 */
export async function nearest(
  vectors: Vectors,
  space: Space,
  queries: readonly ArrayLike<number>[],
  k: number,
  filter?: Filter,
): Promise<Hit[]> {
  const dims = space.dims ?? 0;
  const { bytes, code } = quantise(mean(queries, dims), dims);
  const query = { ':space': space.id, ':code': code };
  const many = Math.max(CANDIDATES, k * CANDIDATES_EACH);
  const most = filter ? many * CANDIDATES_FILTERED : many;
  const found = await candidates(vectors, query, most);
  const first = await ordered(vectors.sql, space, bytes, found, k, filter);
  // Too few passed: look roughly through those alone that pass.
  if (!filter || first.length >= k || found.length < most) return first;
  return ordered(vectors.sql, space, bytes, await candidates(vectors, query, many, filter), k);
}

/** The exact order of every vector in the space: slow (seconds a million), for measuring. */
export async function exact(
  sql: Sql,
  space: Space,
  queries: readonly ArrayLike<number>[],
  k: number,
): Promise<Hit[]> {
  const { bytes } = quantise(mean(queries, space.dims ?? 0), space.dims ?? 0);
  return sql.all<Hit>(
    `SELECT listing_id AS listingId, 1 - vec_distance_cosine(vec_int8(vector), vec_int8(:query)) AS score
     FROM embeddings WHERE space = :space AND vector IS NOT NULL ORDER BY score DESC, listing_id LIMIT :k`,
    { ':space': space.id, ':query': asBytes(bytes), ':k': k },
  );
}

async function candidates(
  vectors: Vectors,
  query: { readonly ':space': number; readonly ':code': Uint8Array },
  limit: number,
  filter?: Filter,
): Promise<number[]> {
  const parts = await vectors.eachPart(query[':space'], async (sql, from, to) => {
    const row = await sql.get<{ found: string }>(
      `SELECT json_group_array(json_array(id, distance)) AS found FROM (
         SELECT listing_id AS id, vec_distance_hamming(vec_bit(code), vec_bit(:code)) AS distance
         FROM embedding_codes
         WHERE space = :space AND listing_id >= :from AND listing_id < :to${filter ? ` AND listing_id IN ${letThrough(filter)}` : ''}
         ORDER BY distance LIMIT :limit)`,
      { ...filter?.params, ...query, ':from': from, ':to': to, ':limit': limit },
    );
    return JSON.parse(row?.found ?? '[]') as [id: number, distance: number][];
  });
  return parts
    .flat()
    .toSorted(([, one], [, other]) => one - other)
    .slice(0, limit)
    .map(([id]) => id);
}

function ordered(
  sql: Sql,
  space: Space,
  query: Int8Array,
  ids: readonly number[],
  k: number,
  filter?: Filter,
): Promise<Hit[]> {
  const passes = filter
    ? `EXISTS (SELECT 1 FROM listings AS l WHERE l.listing_id = r.value AND (${filter.where}))`
    : 'true';
  return sql.all<Hit>(
    `SELECT listing_id AS listingId, 1 - vec_distance_cosine(vec_int8(vector), vec_int8(:query)) AS score
     FROM json_each(:ids) AS r CROSS JOIN embeddings ON space = :space AND listing_id = r.value AND vector IS NOT NULL
     WHERE ${passes} ORDER BY score DESC, listing_id LIMIT :k`,
    { ...filter?.params, ':space': space.id, ':query': asBytes(query), ':ids': JSON.stringify(ids), ':k': k },
  );
}

/** The driver takes no other kind of array. */
function asBytes({ buffer, byteOffset, byteLength }: Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
