import type { Pipeline } from '../pipeline/config.ts';
import { readStatus } from './read.ts';

/**
 * How long the requests that are left of the run under way take, as the status has it: milliseconds, and whether the
 * day's quota makes it so long. Undefined: nothing is left, or not all of it has been counted.
 */
export async function toGo(
  pipeline: Pipeline,
): Promise<{ readonly ms: number; readonly isQuota: boolean } | undefined> {
  const { sync } = await readStatus(pipeline);
  if (!sync) return undefined;
  const { next, quota } = sync;
  if (next.of !== 'rest' || next.total === 0 || next.uncounted.length > 0) return undefined;
  const isQuota = quota.perDay !== null && next.total > quota.perDay - quota.used;
  return { ms: next.seconds * 1000, isQuota };
}
