import type { Random } from '../marketplace/random.ts';

/** One of them by chance. */
export function pick<T>(random: Random, from: readonly T[]): T {
  const one = from[random.int(from.length)];
  if (one === undefined) throw new Error('internal: nothing to pick from');
  return one;
}
