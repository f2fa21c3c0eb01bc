import { existsSync } from 'node:fs';
import type { Pipeline } from '../pipeline/config.ts';
import { UserError } from '../errors.ts';
import { isCurrent } from '../dataset/migrations.ts';
import { Models } from '../models/models.ts';
import { Database } from '../store/database.ts';
import type { Sql } from '../store/database.ts';
import { pathToRead } from '../store/reading.ts';
import { nearest } from '../vectors/nearest.ts';
import type { Filter } from '../vectors/nearest.ts';
import { Vectors } from '../vectors/open.ts';
import { allSpaces, answering } from '../vectors/spaces.ts';
import type { Space } from '../vectors/spaces.ts';
import type { Asked, Picture } from './asked.ts';
import { filterOf } from './filters.ts';
import type { Filters } from './filters.ts';
import { listingsOf } from './found.ts';
import type { Listing } from './found.ts';
import { fuse } from './fuse.ts';
import type { Fused } from './fuse.ts';
import { Looks } from './looks.ts';
import type { Look } from './looks.ts';
import { byWords, hitsIn, termsOf } from './words.ts';

export interface Result {
  /** From 1. */
  readonly rank: number;
  /** Of ranks in the ways of searching that took part: 1 is first in each. */
  readonly score: number;
  /** Why it was found, for a person: "words: oak, table", "looks 0.912 (siglip2-base)". */
  readonly why: readonly string[];
  readonly listing: Listing;
}

export interface Answer {
  readonly asked: Asked;
  readonly results: readonly Result[];
  /** How many were found in all, MOST at most. */
  readonly found: number;
  /** What answered: "words", and models by name. */
  readonly spaces: readonly string[];
  /** What could not take part, and why. */
  readonly notes: readonly string[];
}

export type Sort = 'best' | 'cheap' | 'dear' | 'new';

export interface Ask extends Asked {
  readonly filters?: Filters;
  /** Listings that the answer is to look less like. */
  readonly lessLike?: readonly number[];
  readonly sort?: Sort;
  readonly offset?: number;
  readonly limit?: number;
}

/** One way of searching, and what it found. */
interface Way {
  readonly space: string;
  readonly hits: readonly number[];
  /** Why this way found a listing; undefined: it did not. */
  readonly why: (listing: Listing) => string | undefined;
}

/** Of one search: further down nobody looks. */
export const MOST = 480;
const LIMIT = 20;
const SAME = 24;
const NO_SPACE =
  'Pictures cannot be compared yet: uncomment the stages background and embed in pipeline.yaml, then run sync-data.';

/** A dataset that is searched. Reads alone, also while a run is under way; asks nothing of Etsy. */
export class Search {
  readonly sql: Sql;
  /** Real path of the database, where its lock is. */
  readonly path: string;
  readonly #opened: Opened;
  readonly #models: Models;
  readonly #looks: Looks;

  private constructor(opened: Opened, models: Models, looks: Looks) {
    this.#opened = opened;
    this.sql = opened.database.read;
    this.path = opened.database.path;
    this.#models = models;
    this.#looks = looks;
  }

  /**
   * @param signal ends what a search waits for
   * @throws UserError where there is no database, or one of another version; StoreError where it cannot be read
   */
  static async open(pipeline: Pipeline, signal: AbortSignal): Promise<Search> {
    const { data, models: settings } = pipeline;
    if (!existsSync(data.database)) {
      throw new UserError(`There is nothing to search yet: ${data.database}`, {
        exitCode: 2,
        hint: 'Run a sync first: npx sync-data',
      });
    }
    const opened = await openBest(await pathToRead(data.database));
    const { database } = opened;
    try {
      if (!(await isCurrent(database))) {
        throw new UserError(`${data.database} was made by an earlier version.`, {
          exitCode: 2,
          hint: 'The next run brings it up to date: npx sync-data',
        });
      }
      const models = new Models({ folder: data.models, source: settings.source, threads: 1 });
      const cutouts = (await allSpaces(database.read)).filter(({ kind }) => kind === 'cutout');
      const looks = new Looks({
        sql: database.read,
        models,
        cutoutModel: cutouts.at(-1)?.model,
        images: data.images,
        signal,
      });
      return new Search(opened, models, looks);
    } catch (error) {
      await closeOf(opened);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#models.close();
    await closeOf(this.#opened);
  }

  /** The spaces of pictures that answer now, best first. */
  async spaces(): Promise<Space[]> {
    return this.#opened.vectors ? answering(await allSpaces(this.sql), 'image', undefined) : [];
  }

  async ask(ask: Ask): Promise<Answer> {
    const {
      words,
      listings,
      pictures,
      filters = {},
      lessLike = [],
      sort = 'best',
      offset = 0,
      limit = LIMIT,
    } = ask;
    const filter = filterOf(filters);
    const many = Math.min(MOST, offset + limit + MOST / 2);
    const notes = new Set<string>();
    const ways: Way[] = [];
    const terms = termsOf(words);
    if (terms.length > 0) ways.push(await this.#inWords(terms, many, filter));
    const { noVectors } = this.#opened;
    if (noVectors !== undefined && (listings.length > 0 || pictures.length > 0)) notes.add(noVectors);
    for (const space of await this.spaces())
      ways.push(...(await this.#inSpace(space, ask, many, filter, lessLike, notes)));
    if (ways.length === 0 && (listings.length > 0 || pictures.length > 0) && notes.size === 0)
      notes.add(NO_SPACE);

    const asking = new Set(listings);
    const isBrowsing = words === '' && listings.length === 0 && pictures.length === 0;
    const order = (isBrowsing ? await this.#newest(filter) : fuse(ways))
      .filter(({ id }) => !asking.has(id))
      .slice(0, MOST);
    const sorted = await this.#sorted(order, sort);
    const page = sorted.slice(offset, offset + limit);
    const details = await listingsOf(
      this.sql,
      page.map(({ id }) => id),
    );
    const known = new Map(details.map((listing) => [listing.listing_id, listing]));
    const results = page.flatMap(({ id, score }, place) => {
      const listing = known.get(id);
      if (!listing) return [];
      const why = ways.flatMap((way) => way.why(listing) ?? []);
      return [{ rank: offset + place + 1, score, why, listing }];
    });
    const spaces = [...new Set(ways.map(({ space }) => space))];
    return { asked: { words, listings, pictures }, results, found: order.length, spaces, notes: [...notes] };
  }

  /** Why pictures cannot be searched with; undefined: they can. */
  async whyNoPictures(): Promise<string | undefined> {
    if (this.#opened.noVectors !== undefined) return this.#opened.noVectors;
    return (await this.spaces()).length > 0 ? undefined : NO_SPACE;
  }

  /** Other listings with the very same picture, as the file is on disk. */
  async samePicture({ listing_id, picture }: Listing): Promise<Result[]> {
    if (picture === null) return [];
    const rows = await this.sql.all<{ id: number }>(
      `SELECT listing_id AS id FROM images WHERE sha256 = ? AND state = 'done' ORDER BY listing_id LIMIT ${SAME + 1}`,
      [picture],
    );
    const ids = rows.map(({ id }) => id).filter((id) => id !== listing_id);
    const found = await listingsOf(this.sql, ids.slice(0, SAME));
    return found.map((listing, place) => ({ rank: place + 1, score: 1, why: ['the same picture'], listing }));
  }

  /** With nothing to look for: what is newest on Etsy, whose ids grow. */
  async #newest(filter: Filter | undefined): Promise<Fused[]> {
    const rows = await this.sql.all<{ id: number }>(
      `SELECT l.listing_id AS id FROM listings AS l WHERE ${filter ? filter.where : 'true'} ORDER BY l.listing_id DESC LIMIT ${MOST}`,
      filter?.params ?? [],
    );
    return rows.map(({ id }) => ({ id, score: 0 }));
  }

  /** What was found, in another order than that of the best match. */
  async #sorted(order: readonly Fused[], sort: Sort): Promise<readonly Fused[]> {
    if (sort === 'best') return order;
    if (sort === 'new') return order.toSorted((a, b) => b.id - a.id);
    const listings = await listingsOf(
      this.sql,
      order.map(({ id }) => id),
    );
    const prices = new Map(listings.map(({ listing_id, price }) => [listing_id, price]));
    const way = sort === 'cheap' ? 1 : -1;
    // What has no price stands last, either way.
    const key = ({ id }: Fused): number => prices.get(id) ?? way * Infinity;
    return order.toSorted((a, b) => (key(a) === key(b) ? 0 : way * (key(a) - key(b))));
  }

  async #inWords(terms: readonly string[], limit: number, filter: Filter | undefined): Promise<Way> {
    const hits = await byWords(this.sql, terms, limit, filter);
    const among = new Set(hits);
    const why = ({ listing_id, title, tags, materials }: Listing): string | undefined => {
      if (!among.has(listing_id)) return undefined;
      const found = hitsIn(terms, [title, tags, materials].join(' '));
      return found.length === 0 ? 'words' : `words: ${found.join(', ')}`;
    };
    return { space: 'words', hits, why };
  }

  /** As the words say, and as the pictures and listings look: two ways, for a picture of words is no picture. */
  async #inSpace(
    space: Space,
    { words, listings, pictures }: Asked,
    limit: number,
    filter: Filter | undefined,
    lessLike: readonly number[],
    notes: Set<string>,
  ): Promise<Way[]> {
    const of = async (looks: readonly Promise<Look>[]): Promise<ArrayLike<number>[]> =>
      (await Promise.all(looks)).flatMap(({ vector, note }) => {
        if (note !== undefined) notes.add(note);
        return vector ? [vector] : [];
      });
    const { vectors } = this.#opened;
    if (!vectors) return [];
    const said = await of(words === '' ? [] : [this.#looks.ofWords(space, words)]);
    const shown = await of([
      ...listings.map((id) => this.#looks.ofListing(space, id)),
      ...pictures.map((picture: Picture) => this.#looks.ofPicture(space, picture)),
    ]);
    const unwanted =
      shown.length === 0 ? [] : await of(lessLike.map((id) => this.#looks.ofListing(space, id)));
    const ways: Way[] = [];
    for (const [what, queries] of [
      ['means', said],
      ['looks', [...shown, ...unwanted.map(opposite)]],
    ] as const) {
      if (queries.length === 0) continue;
      const found = await nearest(vectors, space, queries, limit, filter);
      const scores = new Map(found.map(({ listingId, score }) => [listingId, score]));
      ways.push({
        space: space.model,
        hits: found.map(({ listingId }) => listingId),
        why: ({ listing_id }) => {
          const score = scores.get(listing_id);
          return score === undefined ? undefined : `${what} ${score.toFixed(3)} (${space.model})`;
        },
      });
    }
    return ways;
  }
}

/** Half as strong as what is wanted, or nothing would be left of it. */
function opposite(vector: ArrayLike<number>): Float32Array {
  return Float32Array.from(vector, (value) => -value);
}

/** What of a dataset can be had here. */
interface Opened {
  readonly database: Database;
  /** Undefined: they cannot take part; then `noVectors` says why. */
  readonly vectors?: Vectors;
  readonly noVectors?: string;
}

async function openBest(path: string): Promise<Opened> {
  try {
    const vectors = await Vectors.open(path);
    return { database: vectors.database, vectors };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { database: await Database.open(path, { readOnly: true }), noVectors: error.message };
  }
}

function closeOf({ database, vectors }: Opened): Promise<void> {
  return (vectors ?? database).close();
}
