import type { RequestRecord } from './marketplace/index.ts';

const BATCH = /\/listings\/batch$/;

export function ofKind(requests: readonly RequestRecord[], kind: RequestRecord['kind']): RequestRecord[] {
  return requests.filter((request) => request.kind === kind);
}

/**
 * API requests made beyond those that an undisturbed run needed. Batches may be put together anew after a kill: of them
 * only the number counts.
 */
export function repeats(needed: readonly RequestRecord[], made: readonly RequestRecord[]): number {
  const count = (requests: readonly RequestRecord[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { path, query } of ofKind(requests, 'api')) {
      const name = BATCH.test(path) ? path : `${path}?${query.replace(/&?min_created=\d+/, '')}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  };
  const once = count(needed);
  return [...count(made)].reduce((sum, [name, times]) => sum + Math.max(0, times - (once.get(name) ?? 0)), 0);
}
