import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { BatchListing } from '../lib/etsy/api.ts';
import { ApiError } from '../lib/etsy/errors.ts';
import type { Rejected, Sorted } from '../lib/etsy/schemas.ts';
import type { Database } from '../lib/store/database.ts';
import { BATCH } from '../lib/task/window.ts';
import { nowSeconds } from '../lib/time.ts';

export const WEEK = 7 * 24 * 3600;
export const RUN = 2;
const EARLIER_RUN = 1;
/** On offer, whatever else is. */
export const KNOWN = 5_000_000;

/** What is known of a listing before the stage begins. */
export interface Known {
  readonly entry: 'since' | 'before' | 'unsaid' | 'none';
  readonly seen: boolean;
  /** Its newest dynamic row. */
  readonly row: 'none' | 'stale' | 'fresh' | 'gone, stale' | 'gone, fresh';
  /** It has a static row: it was of the years wanted when it was read. */
  readonly stored: boolean;
  readonly wanted: boolean;
  /** A record of it was set aside in an earlier run. */
  readonly setAside: boolean;
}

/** What Etsy says of it. */
export type Says = 'shown' | 'missing' | 'unusable' | 'old after all';

export interface Listing extends Known {
  readonly id: number;
  readonly says: Says;
}

const YEARS = { since: 2010, before: 1990, unsaid: null } as const;

export async function fill(database: Database, listings: readonly Listing[]): Promise<void> {
  const now = nowSeconds();
  await database.write(async (tx) => {
    for (const table of [
      'meta_data',
      'listings',
      'listings_dynamic',
      'wanted',
      'set_aside',
      'slices',
      'images',
    ])
      await tx.run(`DELETE FROM ${table}`);
    await tx.run(
      `INSERT INTO slices (id, run_id, taxonomy_id, low_cents, high_cents, counted)
       VALUES (5, ?, 967, 0, -1, 9), (6, ?, 967, 0, -1, 9)`,
      [EARLIER_RUN, RUN],
    );
    const put = (sql: string, rows: readonly unknown[]): Promise<unknown> =>
      tx.run(sql, [JSON.stringify(rows)]);
    await put(
      `INSERT INTO meta_data (listing_id, value, earliest_year, seen_slice)
       SELECT r.value ->> 0, '{"shop_id":7}', r.value ->> 1, r.value ->> 2 FROM jsonb_each(?) AS r`,
      listings.flatMap(({ id, entry, seen }) =>
        entry === 'none' ? [] : [[id, YEARS[entry], seen ? 6 : id % 2 === 0 ? 5 : null]],
      ),
    );
    await put(
      `INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state)
       SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2 FROM jsonb_each(?) AS r`,
      listings.flatMap(({ id, row }) => {
        if (row === 'none') return [];
        const at = row.endsWith('fresh') ? now - WEEK + 600 : now - WEEK - 600;
        return [[id, at, row.startsWith('gone') ? 'removed' : 'active']];
      }),
    );
    // Known to be on offer, and so fit to show whether an answer is to be believed.
    await put(
      `INSERT INTO listings_dynamic (listing_id, snapshot_timestamp, state)
       SELECT r.value, ${now + 600}, 'active' FROM json_each(?) AS r`,
      [KNOWN],
    );
    await put(
      `INSERT INTO listings (listing_id, shop_id, when_made)
       SELECT r.value ->> 0, 7, 'made_to_order' FROM jsonb_each(?) AS r`,
      listings.flatMap(({ id, stored }) => (stored ? [[id]] : [])),
    );
    await put(
      'INSERT INTO wanted (listing_id, shop_id) SELECT r.value ->> 0, 7 FROM jsonb_each(?) AS r',
      listings.flatMap(({ id, wanted }) => (wanted ? [[id]] : [])),
    );
    await put(
      `INSERT INTO set_aside (run_id, at, endpoint, reason, raw, listing_id)
       SELECT ${EARLIER_RUN}, 0, 'listings/batch', 'odd', r.value ->> 0, r.value ->> 0 FROM jsonb_each(?) AS r`,
      listings.flatMap(({ id, setAside }) => (setAside ? [[id]] : [])),
    );
  });
}

function listingOf(id: number, when_made = '2010_2019'): BatchListing {
  return {
    listing_id: id,
    shop_id: 7,
    state: 'active',
    when_made,
    imageList: [],
    shopRecord: { shop_id: 7 },
  };
}

/** Etsy's batches, answered in any order. */
export class Etsy {
  readonly #says: ReadonlyMap<number, Says>;
  readonly #luck: Iterator<number>;
  /** Ids of each batch, in the order in which they were asked for. */
  readonly batches: (readonly number[])[] = [];
  /** Listings that no batch may hold. */
  readonly poison = new Set<number>();
  readonly #going = new Set<readonly number[]>();
  most = 0;

  constructor(listings: readonly Listing[], luck: Iterator<number>) {
    this.#says = new Map(listings.map(({ id, says }) => [id, says]));
    this.#luck = luck;
  }

  #draw(): number {
    return Number(this.#luck.next().value ?? 0);
  }

  readonly batch = async (all: readonly number[]): Promise<Sorted<BatchListing>> => {
    assert.ok(all.length <= BATCH);
    const ids = all.filter((id) => id !== KNOWN);
    if (all.some((id) => this.poison.has(id))) throw new ApiError('hopeless', 'listings/batch', 'HTTP 500');
    this.batches.push(ids);
    this.#going.add(ids);
    this.most = Math.max(this.most, this.#going.size);
    for (let left = this.#draw() % 12; left > 0; left -= 1) await turn();
    this.#going.delete(ids);
    const good: BatchListing[] = [];
    const rejected: Rejected[] = [];
    for (const id of ids) {
      const says = this.#says.get(id);
      if (says === 'unusable') rejected.push({ raw: { listing_id: id }, reason: 'odd', listingId: id });
      if (says !== 'shown' && says !== 'old after all') continue;
      good.push(listingOf(id, says === 'shown' ? '2010_2019' : '1950s'));
    }
    if (all.includes(KNOWN)) good.push(listingOf(KNOWN));
    return { good, rejected, misfits: [] };
  };
}
