import type { Fact, FactRow } from '../text/table.ts';
import type { Tally } from './tally.ts';

// What summary and status tell in the same words.

export function listingsRow({ listings }: Tally): FactRow {
  return {
    label: 'listings',
    facts: [
      [listings.new, 'new'],
      [listings.refreshed, 'refreshed'],
      [listings.gone, 'gone'],
    ],
  };
}

/** @param madeSince year */
export function leftOutRow({ before, uncertain, unrecognised }: Tally, madeSince: number): FactRow {
  return {
    label: 'left out',
    facts: [
      [before, `before ${madeSince}`],
      [uncertain, 'uncertain'],
      [unrecognised, 'unrecognised'],
    ],
  };
}

export function shopsRow({ shops }: Tally): FactRow {
  return {
    label: 'shops',
    facts: [
      [shops.new, 'new'],
      [shops.refreshed, 'refreshed'],
    ],
  };
}

export function reviewsRow({ reviews }: Tally): FactRow {
  const { new: added, changed = 0 } = reviews;
  return {
    label: 'reviews',
    facts: [[added, 'new'], ...(changed > 0 ? [[changed, 'changed'] satisfies Fact] : [])],
  };
}

/** Those without one are shown once no more can arrive. */
export function imagesRow({ images }: Tally): FactRow {
  return {
    label: 'images',
    facts: [
      [images.done, 'on disk'],
      [images.failed + images.missing, 'failed'],
      images.waiting > 0 ? [images.waiting, 'waiting'] : [images.none, 'without one'],
    ],
  };
}

/** Findings by whether they are repaired. */
export function findingsRow({ open, repaired }: Tally['findings']): FactRow {
  return {
    label: 'findings',
    facts: [
      [open, 'open'],
      [repaired, 'repaired'],
    ],
  };
}
