import type { Sql } from '../store/database.ts';
import type { Album } from './album.ts';
import type { Html } from './html.ts';

/** What every part of the report is written from. */
export interface Source {
  /** One snapshot of the database: all parts see the same moment. */
  readonly sql: Sql;
  /** Epoch ms. */
  readonly now: number;
  readonly rules: { readonly madeSince: number; readonly refreshAfter: number };
  readonly album: Album;
  /** Name of a category, by its taxonomy id. */
  readonly category: (id: number | null) => string;
}

/** A part of the report: what it says in words, and the figures; or why there is nothing, and what fills it. */
export type Content =
  | {
      readonly says: Html;
      readonly shows: Html;
      /** Over the whole width. */
      readonly below?: Html | undefined;
    }
  | { readonly empty: string };

export interface Subject {
  /** Its anchor in the page. */
  readonly id: string;
  readonly title: string;
  /** Of the data itself, not of what it is about. */
  readonly isQuality?: boolean;
  /** Undefined: nothing fills it, and nothing is to. */
  readonly write: (source: Source) => Promise<Content | undefined>;
}
