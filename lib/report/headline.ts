import type { Sql } from '../store/database.ts';
import { countImages } from '../dataset/images.ts';
import { count, duration, plural } from '../text/format.ts';
import { asTyped } from '../text/typed.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { whereThere } from './old-schema.ts';
import type { Source } from './subject.ts';
import { day, dayInYear, figure, moment, share, timeOfDay } from './words.ts';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

interface RunTimes {
  readonly id: number;
  readonly started_at: number;
  readonly finished_at: number | null;
}

/** The figures that the rest of the page spells out, and whether a run is open. */
export async function headline({ sql }: Source): Promise<Html> {
  const [, open] = await lastRuns(sql);
  const tiles = [
    await listingsTile(sql, await countOf(sql, 'SELECT count(*) AS listings FROM listings')),
    await shopsTile(sql),
    await reviewsTile(sql),
    await imagesTile(sql),
  ];
  return html`${tilesOf(tiles)}
  ${open ? html`<p class="note">Run ${open.id}, begun ${moment(open.started_at)}, is not finished: what it still has to bring is not in here.</p>` : undefined}`;
}

/** How new all of it is: for the end of the page. */
export async function recency(source: Source): Promise<Html> {
  const { sql } = source;
  const [done] = await lastRuns(sql);
  const listings = await countOf(sql, 'SELECT count(*) AS listings FROM listings');
  return tilesOf([
    await freshnessTile(source, listings ?? 0),
    done?.finished_at
      ? {
          name: 'Last complete run',
          value: dayInYear(done.finished_at),
          note: `${new Date(done.finished_at).getUTCFullYear()}, ${timeOfDay(done.finished_at)}; run ${done.id}, begun ${duration(done.finished_at - done.started_at)} before`,
        }
      : { name: 'Last complete run', value: 'none', note: asTyped('To complete one: npx sync-data') },
  ]);
}

function tilesOf(tiles: readonly Tile[]): Html {
  return html`<dl class="tiles">
    ${tiles.map(
      ({ name, value, note }) =>
        html`<div>
          <dt>${name}</dt>
          <dd class="value">${value}</dd>
          <dd>${note}</dd>
        </div> `,
    )}
  </dl>`;
}

/** The one figure of the one row. */
async function countOf(sql: Sql, text: string, params: number[] = []): Promise<number | undefined> {
  const row = await whereThere(sql.get<Record<string, number>>(text, params));
  return row && Object.values(row)[0];
}

async function listingsTile(sql: Sql, listings: number | undefined): Promise<Tile> {
  const gone = await countOf(
    sql,
    `SELECT count(DISTINCT listing_id) AS n FROM listings_dynamic AS d
     WHERE state = 'removed' AND EXISTS (SELECT 1 FROM listings WHERE listing_id = d.listing_id)
       AND NOT EXISTS (SELECT 1 FROM listings_dynamic AS later
                       WHERE later.listing_id = d.listing_id AND later.snapshot_timestamp > d.snapshot_timestamp)`,
  );
  const entries = await countOf(sql, 'SELECT count(*) AS meta_data FROM meta_data');
  const notes = [
    ...(gone ? [`${count(gone)} of them gone since`] : []),
    ...(entries === undefined ? [] : [`of ${plural(entries, 'entry', 'entries')} in the meta_data`]),
  ];
  return { name: 'Listings', value: figure(listings), note: notes.join(', ') };
}

async function shopsTile(sql: Sql): Promise<Tile> {
  const places = await countOf(
    sql,
    `SELECT count(DISTINCT coalesce(shop_location_country_iso, shipping_from_country_iso, iif(is_shop_us_based = 1, 'US', NULL))) AS n FROM shops`,
  );
  return {
    name: 'Shops',
    value: figure(await countOf(sql, 'SELECT count(*) AS shops FROM shops')),
    note: places ? `in ${plural(places, 'country', 'countries')}` : '',
  };
}

async function reviewsTile(sql: Sql): Promise<Tile> {
  const newest = await countOf(sql, 'SELECT max(create_timestamp) AS n FROM reviews');
  return {
    name: 'Reviews',
    value: figure(await countOf(sql, 'SELECT count(*) AS reviews FROM reviews')),
    note: newest ? `the newest of ${day(newest * 1000)}` : '',
  };
}

async function imagesTile(sql: Sql): Promise<Tile> {
  const counts = await whereThere(countImages(sql));
  if (!counts) return { name: 'Images', value: '–', note: 'none on record' };
  const lost = counts.failed + counts.missing;
  const notes = [
    ...(counts.waiting + counts.unknown > 0
      ? [`${count(counts.waiting + counts.unknown)} to be fetched`]
      : []),
    ...(lost > 0 ? [`${count(lost)} could not be downloaded`] : []),
  ];
  return { name: 'Images', value: count(counts.done), note: notes.join(', ') || 'on disk' };
}

/** A listing that Etsy no longer shows is fresh while that is recent knowledge. */
async function freshnessTile({ sql, now, rules }: Source, listings: number): Promise<Tile> {
  const since = Math.floor(now / 1000) - rules.refreshAfter;
  const fresh = await countOf(
    sql,
    `SELECT count(*) AS n FROM listings AS l WHERE EXISTS (
       SELECT 1 FROM listings_dynamic WHERE listing_id = l.listing_id AND snapshot_timestamp >= ?)`,
    [since],
  );
  return {
    name: 'Freshness',
    value: share(fresh ?? 0, listings),
    note: `of the listings were read in the last ${duration(rules.refreshAfter * 1000)}`,
  };
}

/** The last run of all stages that was complete, and one after it that is not. */
async function lastRuns(sql: Sql): Promise<[done: RunTimes | undefined, open: RunTimes | undefined]> {
  const newest = (which: string): Promise<RunTimes | undefined> =>
    whereThere(
      sql.get<RunTimes>(
        `SELECT id, started_at, finished_at FROM runs WHERE only_stage IS NULL AND ${which} ORDER BY id DESC LIMIT 1`,
      ),
    );
  return [await newest('finished_at IS NOT NULL'), await newest('finished_at IS NULL')];
}
