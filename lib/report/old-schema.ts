import { StoreError } from '../store/store-error.ts';

/**
 * A report changes nothing, so it may meet a file as an earlier system left it.
 * @returns undefined where the table or column that is read is not there yet
 */
export async function whereThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof StoreError && /no such (?:table|column)/.test(error.message)) return undefined;
    throw error;
  }
}
