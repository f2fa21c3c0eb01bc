import { Database } from '../../lib/store/database.ts';
import type { Sql } from '../../lib/store/database.ts';
import { number } from '../figures.ts';
import { restoreClock, tenWeeks } from '../ten-weeks.ts';
import { grow } from './grow.ts';
import type { Section } from './section.ts';

const LISTINGS = 1_000_000;
/** One listing and one shop are asked for so many times: the median counts. */
const TIMES = 15;

/** Asked for one listing or shop, and whole. */
const OF_LISTING = [
  'current_listings',
  'listing_history',
  'price_changes',
  'favorites_growth',
  'listing_tags',
];
const OF_SHOP = ['current_shops', 'shop_reviews'];
const WHOLE: readonly (readonly [name: string, sql: string, wanted: string])[] = [
  [
    'current_listings grouped by category',
    'SELECT category, count(*) AS n, avg(price) AS mean FROM current_listings WHERE NOT gone GROUP BY category',
    '≤ 5 s',
  ],
  [
    'current_listings, one category',
    'SELECT count(*) AS n, avg(price) AS mean FROM current_listings WHERE category_id = 976 AND NOT gone',
    '',
  ],
  ['weekly_flow, whole', 'SELECT * FROM weekly_flow', ''],
  ['favorites_growth, the ten best', 'SELECT * FROM favorites_growth ORDER BY per_week DESC LIMIT 10', ''],
];

interface Taken {
  /** Of this process: all its threads, SQLite's among them. */
  readonly cpuSeconds: number;
  readonly seconds: number;
}

/** What the views cost beside so many listings, each with the readings of ten weeks. CPU seconds: others may be at work. */
export async function views(listings = LISTINGS): Promise<Section> {
  const { rig } = await tenWeeks({
    market: { categories: { 12371: { listings: 600 }, 976: { listings: 500 } }, shops: 140 },
  });
  try {
    restoreClock();
    const path = rig.path('etsy_data.db');
    await grow(path, listings);
    const database = await Database.open(path, { readOnly: true });
    try {
      const sql = database.read;
      const readings = (await sql.get<{ n: number }>('SELECT count(*) AS n FROM listings_dynamic'))?.n ?? 0;
      const single = await each(sql, OF_LISTING, 'listing_id');
      const shops = await each(sql, OF_SHOP, 'shop_id');
      const whole = new Map<string, Taken>();
      for (const [name, query] of WHOLE) whole.set(name, await taken(() => sql.all(query)));
      const seconds = (name: string): string => `${number(whole.get(name)?.cpuSeconds ?? NaN, 1)} s`;
      return {
        title: 'Views',
        lines: [
          ['readings', number(readings)],
          ...[...single, ...shops].map(([name, ms]) => [`${name}, one`, `${number(ms, 2)} ms`, '≤ 5 ms']),
          ...WHOLE.map(([name, , wanted]) => [`${name}, CPU`, seconds(name), wanted]),
        ],
        figures: {
          listings,
          readings,
          ...Object.fromEntries([...single, ...shops]),
          ...Object.fromEntries(whole),
        },
      };
    } finally {
      await database.close();
    }
  } finally {
    restoreClock();
    await rig.close();
  }
}

/** Milliseconds of CPU that each view takes for one id: the median over ids from all over the table. */
async function each(
  sql: Sql,
  names: readonly string[],
  key: 'listing_id' | 'shop_id',
): Promise<(readonly [name: string, ms: number])[]> {
  const table = key === 'listing_id' ? 'listings' : 'shops';
  const all = (await sql.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))?.n ?? 0;
  const found: (readonly [string, number])[] = [];
  for (const name of names) {
    const times: number[] = [];
    for (let at = 0; at < TIMES; at += 1) {
      const id = await sql.get<{ id: number }>(
        `SELECT ${key} AS id FROM ${table} ORDER BY ${key} LIMIT 1 OFFSET ?`,
        [Math.floor((all * at) / TIMES)],
      );
      const { cpuSeconds } = await taken(() =>
        sql.all(`SELECT * FROM ${name} WHERE ${key} = ${id?.id ?? 0}`),
      );
      times.push(1000 * cpuSeconds);
    }
    found.push([name, times.toSorted((a, b) => a - b)[Math.floor(TIMES / 2)] ?? NaN]);
  }
  return found;
}

async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const [before, began] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - began) / 1000 };
}
