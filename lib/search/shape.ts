import { join, relative } from 'node:path';
import type { Answer } from './engine.ts';
import { etsyUrl } from './words-for.ts';

/** What `sync-data search … --json` prints. Later versions add members; unknown ones are to be ignored. */
export interface SearchAnswer {
  readonly query: {
    readonly words: string;
    readonly listings: readonly number[];
    /** Names of the files. */
    readonly pictures: readonly string[];
  };
  /** What answered: "words" (full text), and models by name. */
  readonly spaces: readonly string[];
  /** What could not take part, and why. */
  readonly notes: readonly string[];
  /** 20 at most, best first. */
  readonly results: readonly SearchResult[];
}

export interface SearchResult {
  /** From 1. */
  readonly rank: number;
  readonly listing_id: number;
  /** Of ranks, 1 is first in every space; comparable within one answer only. */
  readonly score: number;
  readonly why: readonly string[];
  readonly title: string | null;
  /** In units of `currency`, not cents. */
  readonly price: number | null;
  readonly currency: string | null;
  readonly shop_id: number;
  /** Etsy's word; removed: Etsy no longer shows it. */
  readonly state: string | null;
  readonly url: string | null;
  /** Paths from the current folder; null: there is none. */
  readonly image: string | null;
  readonly cutout: string | null;
}

export interface Folders {
  readonly cwd: string;
  readonly images: string;
  readonly cutouts: string;
}

export function shaped({ asked, spaces, notes, results }: Answer, folders: Folders): SearchAnswer {
  const { cwd, images, cutouts } = folders;
  const path = (folder: string, name: string): string => relative(cwd, join(folder, name));
  return {
    query: { words: asked.words, listings: asked.listings, pictures: asked.pictures.map(({ name }) => name) },
    spaces,
    notes,
    results: results.map(({ rank, score, why, listing }) => ({
      rank,
      listing_id: listing.listing_id,
      score: Number(score.toFixed(4)),
      why,
      title: listing.title,
      price: listing.price,
      currency: listing.currency,
      shop_id: listing.shop_id,
      state: listing.state,
      url: etsyUrl(listing.url) ?? null,
      image: listing.hasImage ? path(images, `${listing.listing_id}.jpg`) : null,
      cutout: listing.hasCutout ? path(cutouts, `${listing.listing_id}.webp`) : null,
    })),
  };
}
