import type { Sql } from '../store/database.ts';
import { STAMP, TRIES } from './cutouts.ts';

/** What vectors are made of: a listing's cutout, its image, or its words. */
export type EmbeddingInput = 'cutout' | 'image' | 'listing';

export interface EmbeddingDue {
  readonly listingId: number;
  readonly stamp: string;
  /** sha256 of what the vector there was made of; null: there is none. */
  readonly source: string | null;
  /** Of a cutout: done, whole (its image is embedded as it is). */
  readonly state: 'done' | 'whole' | null;
  readonly title: string | null;
  /** JSON array. */
  readonly materials: string | null;
}

const AGAIN = `(e.vector IS NULL AND e.attempts < ${TRIES} AND e.tried_run IS NOT :run)`;

/** What is due, by input: where it comes from, and the state of it that a vector answers to. */
const WORK = {
  cutout: {
    stamp: 'coalesce(c.sha256, c.source)',
    more: 'c.state AS state, NULL AS title, NULL AS materials',
    from: `FROM cutouts AS c LEFT JOIN embeddings AS e ON e.space = :space AND e.listing_id = c.listing_id
      WHERE c.listing_id > :after AND c.state IN ('done', 'whole')
        AND (e.id IS NULL OR e.stamp <> coalesce(c.sha256, c.source) OR ${AGAIN})`,
    id: 'c.listing_id',
  },
  image: {
    stamp: STAMP,
    more: 'NULL AS state, NULL AS title, NULL AS materials',
    from: `FROM images AS i INDEXED BY images_state LEFT JOIN embeddings AS e ON e.space = :space AND e.listing_id = i.listing_id
      WHERE i.state = 'done' AND i.listing_id > :after
        AND (e.id IS NULL OR e.stamp <> ${STAMP} OR ${AGAIN})`,
    id: 'i.listing_id',
  },
  // A static row never changes. One without words has no vector, and is not due.
  listing: {
    stamp: "'words'",
    more: 'NULL AS state, l.title AS title, l.materials AS materials',
    from: `FROM listings AS l LEFT JOIN embeddings AS e ON e.space = :space AND e.listing_id = l.listing_id
      WHERE l.listing_id > :after AND (e.id IS NULL OR ${AGAIN})
        AND (trim(coalesce(l.title, '')) <> '' OR coalesce(l.materials, '[]') NOT IN ('', '[]', 'null'))`,
    id: 'l.listing_id',
  },
} as const satisfies Record<EmbeddingInput, object>;

interface Place {
  /** Undefined: it is not made yet. */
  readonly space: number | undefined;
  readonly runId: number;
}

/** The next after this listing. */
export function dueEmbeddings(
  sql: Sql,
  input: EmbeddingInput,
  place: Place,
  after: number,
  limit: number,
): Promise<EmbeddingDue[]> {
  const columns = WORK[input];
  return sql.all<EmbeddingDue>(
    `SELECT ${columns.id} AS listingId, ${columns.stamp} AS stamp, iif(e.vector IS NULL, NULL, e.source) AS source, ${columns.more}
     ${columns.from} ORDER BY ${columns.id} LIMIT :limit`,
    { ...params(place, after), ':limit': limit },
  );
}

export async function countDueEmbeddings(sql: Sql, input: EmbeddingInput, place: Place): Promise<number> {
  const columns = WORK[input];
  const row = await sql.get<{ n: number }>(`SELECT count(*) AS n ${columns.from}`, params(place, 0));
  return row?.n ?? 0;
}

function params({ space, runId }: Place, after: number): Readonly<Record<`:${string}`, number>> {
  // No space has the id 0: with it nothing is there yet.
  return { ':space': space ?? 0, ':run': runId, ':after': after };
}

/** As the earlier system built it: the title, then the materials. Empty where there are no words. */
export function textOf({ title, materials }: Pick<EmbeddingDue, 'title' | 'materials'>): string {
  return [title ?? '', materialsOf(materials).join(', ')]
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('. ');
}

function materialsOf(json: string | null): string[] {
  try {
    const list: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
