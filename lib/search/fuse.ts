/** What one way of searching found, best first. */
export interface List {
  readonly hits: readonly number[];
}

/** A place further down counts less, but not much less at the top of a list: the usual constant of rank fusion. */
const SOFTNESS = 60;

export interface Fused {
  readonly id: number;
  /** Of ranks, so that lists need no common scale. 1: first in every list. */
  readonly score: number;
}

/** Reciprocal rank fusion: who stands high in several lists stands first. Ties go to the smaller id. */
export function fuse(lists: readonly List[]): Fused[] {
  const best = lists.length / (SOFTNESS + 1);
  const sums = new Map<number, number>();
  for (const { hits } of lists) {
    hits.forEach((id, place) => sums.set(id, (sums.get(id) ?? 0) + 1 / (SOFTNESS + place + 1)));
  }
  return [...sums]
    .map(([id, sum]) => ({ id, score: sum / best }))
    .toSorted((a, b) => b.score - a.score || a.id - b.id);
}
