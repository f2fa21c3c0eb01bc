import { differences } from '../dump.ts';
import type { Dump } from '../dump.ts';

export interface Verdict {
  /** In words; none where the two are identical. */
  readonly differences: readonly string[];
  /** Rows of the undisturbed installation that are not here. */
  readonly lost: number;
  /** Rows here that are more than there. */
  readonly doubled: number;
}

/** What is kept for good. The rest of a dump is how matters stand: it must be equal, but is no rows. */
const KEPT = [
  'shops',
  'shops_dynamic',
  'listings',
  'listings_dynamic',
  'reviews',
  'meta_data',
  'json',
  'image_records',
  'images',
] as const satisfies readonly (keyof Dump)[];

/** Compares a disturbed installation with an undisturbed one. */
export function judge(here: Dump, undisturbed: Dump): Verdict {
  let [lost, doubled] = [0, 0];
  for (const section of KEPT) {
    const [rows, expected] = [here[section], undisturbed[section]];
    for (const key of new Set([...Object.keys(rows), ...Object.keys(expected)])) {
      const more = (rows[key]?.length ?? 0) - (expected[key]?.length ?? 0);
      if (more > 0) doubled += more;
      else lost -= more;
    }
  }
  return { differences: differences(here, undisturbed), lost, doubled };
}
