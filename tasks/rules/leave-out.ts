import { ApiError } from '../../lib/etsy/errors.ts';
import type { Rejected } from '../../lib/etsy/schemas.ts';

/**
 * An answer that cannot be had, though Etsy answers everything else: the rest of the stage must not wait for it.
 * @param instead makes what replaces the answer, from the reason to be set aside
 * @throws every other error
 */
export async function orLeaveOut<T>(answer: Promise<T>, instead: (leftOut: Rejected) => T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'hopeless') return instead({ raw: null, reason: `given up: ${error.reason}` });
    if (error.kind === 'refused') return instead({ raw: null, reason: `refused: ${error.reason}` });
    throw error;
  }
}
