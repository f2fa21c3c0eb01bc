import type { Sql } from '../store/database.ts';
import type { Space } from '../vectors/spaces.ts';

/** Cosine from which on two pictures are taken to show the same. */
const ALIKE = 0.985;
/**
 * The work is bounded: of so many listings, the newest, the parts of the codes are compared; vectors are read of so many
 * that have a part in common.
 */
const NEWEST = 200_000;
const READ = 2000;
/** Bytes of a part. Codes that are nearly the same agree in one of a few parts nearly always. */
const PART = 6;
const PARTS = 4;
/** A part that so many share says nothing. */
const MOST_OF_A_PART = 24;

export interface Pair {
  readonly listings: readonly [number, number];
  /** Cosine. */
  readonly score: number;
}

/** Pairs on offer in different shops, of different files, whose vectors are nearly the same; the most alike first. */
export async function alike(sql: Sql, space: Space): Promise<Pair[]> {
  const bytes = (space.dims ?? 0) / 8;
  const candidates = new Set<string>();
  const listings = new Set<number>();
  for (let part = 0; part < PARTS && bytes >= PART; part += 1) {
    const from = 1 + Math.floor((part * (bytes - PART)) / (PARTS - 1));
    const groups = await sql.all<{ ids: string }>(
      `SELECT json_group_array(listing_id) AS ids FROM (
         SELECT listing_id, substr(code, ?, ${PART}) AS part FROM embedding_codes
         WHERE space = ? ORDER BY listing_id DESC LIMIT ${NEWEST})
       GROUP BY part HAVING count(*) BETWEEN 2 AND ${MOST_OF_A_PART} LIMIT ${READ}`,
      [from, space.id],
    );
    for (const { ids } of groups) {
      const group = (JSON.parse(ids) as number[]).toSorted((a, b) => a - b);
      if (listings.size + group.length > READ) break;
      for (const [at, one] of group.entries()) {
        listings.add(one);
        for (const other of group.slice(at + 1)) candidates.add(`${one} ${other}`);
      }
    }
  }
  const known = await vectorsOf(sql, space, [...listings]);
  const pairs: Pair[] = [];
  for (const candidate of candidates) {
    const [one = 0, other = 0] = candidate.split(' ').map(Number);
    const [a, b] = [known.get(one), known.get(other)];
    if (!a || !b || a.shop === b.shop || a.file === b.file) continue;
    const score = cosine(a.vector, b.vector);
    if (score >= ALIKE) pairs.push({ listings: [one, other], score });
  }
  return apart(pairs.toSorted((a, b) => b.score - a.score || a.listings[0] - b.listings[0]));
}

/** Each listing in one pair: of a piece that twenty shops have, nobody looks at all pairs. */
function apart(pairs: readonly Pair[]): Pair[] {
  const used = new Set<number>();
  return pairs.filter(({ listings }) => {
    const isNew = !listings.some((id) => used.has(id));
    if (isNew) for (const id of listings) used.add(id);
    return isNew;
  });
}

interface Known {
  readonly shop: number;
  readonly file: string;
  readonly vector: Int8Array;
}

async function vectorsOf(sql: Sql, space: Space, listings: readonly number[]): Promise<Map<number, Known>> {
  const rows = await sql.all<{ id: number; shop: number; file: string | null; vector: Buffer }>(
    `SELECT e.listing_id AS id, o.shop_id AS shop, i.sha256 AS file, e.vector
     FROM json_each(?) AS r CROSS JOIN embeddings AS e ON e.space = ? AND e.listing_id = r.value
     CROSS JOIN offers AS o ON o.listing_id = e.listing_id CROSS JOIN images AS i ON i.listing_id = e.listing_id
     WHERE e.vector IS NOT NULL`,
    [JSON.stringify(listings), space.id],
  );
  return new Map(
    rows.map(({ id, shop, file, vector }) => [
      id,
      { shop, file: file ?? `of ${id}`, vector: new Int8Array(vector) },
    ]),
  );
}

function cosine(a: Int8Array, b: Int8Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    const [x, y] = [a[at] ?? 0, b[at] ?? 0];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
