import { number, percent } from '../figures.ts';
import type { Truth } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';
import { finished } from './finished.ts';
import { leastRequests, sumOf } from '../../lib/status/requests.ts';
import type { Requests } from '../../lib/status/requests.ts';
import type { Section } from './section.ts';

/** The listings share one category, so that its price ranges have to be found. */
const CATEGORY = 12371;
/** A week and a day: everything is due. */
const DAYS = 8;
const SHOPS_A_LISTING = 0.12;
const MOST_PROBING = '≤ 2 %';

interface Compared {
  readonly measured: Requests;
  readonly least: Requests;
  /** Pages that only told that a price range holds too much, or nothing. */
  readonly probing: number;
  /** Price ranges that were read through. */
  readonly slices: number;
  /** In the database, but no longer shown by the search: they have to be asked for, whether they are gone. */
  readonly unseen: number;
}

/** What a run finds in the database. */
interface Before {
  readonly listings: ReadonlySet<number>;
  readonly shops: readonly number[];
  /** Ids of the reviews that are in, by shop. */
  readonly reviews: ReadonlyMap<number, ReadonlySet<number>>;
}

const NOTHING: Before = { listings: new Set(), shops: [], reviews: new Map() };

/**
 * Requests that the marketplace has seen of the command, against the fewest by which any client could do: at the first
 * sync, a week later, and a week later where search pages carry no views.
 */
export async function overLeast(
  listings = 100_000,
  shops = Math.ceil(listings * SHOPS_A_LISTING),
): Promise<Section> {
  const withViews = await twoRuns(listings, shops, true);
  const withoutViews = await twoRuns(listings, shops, false);
  return {
    title: 'Requests',
    columns: ['made', 'the least', 'ratio', 'wanted', 'over it', 'probing', 'share', 'wanted'],
    lines: [
      line(`first sync of ${number(listings)} listings`, withViews.cold, '≤ 1.03'),
      line('a week later', withViews.weekly, '≤ 1.05'),
      line('a week later, pages without views', withoutViews.weekly, '≤ 1.05'),
    ],
    figures: { listings, shops, withViews, withoutViews },
  };
}

function twoRuns(
  listings: number,
  shops: number,
  viewsOnPages: boolean,
): Promise<{ cold: Compared; weekly: Compared }> {
  const market = { categories: { [CATEGORY]: { listings } }, shops, badImages: {}, viewsOnPages };
  return withRig({ taxonomies: [CATEGORY], withoutImages: true, market }, async (rig) => {
    const first = await rig.truth();
    const cold = await compare(rig, first, NOTHING, viewsOnPages);
    const before: Before = {
      listings: new Set(await idsOf(rig, 'listing')),
      shops: await idsOf(rig, 'shop'),
      reviews: new Map(Object.entries(first.reviews).map(([shop, ids]) => [Number(shop), new Set(ids)])),
    };
    await rig.advance(DAYS);
    return { cold, weekly: await compare(rig, await rig.truth(), before, viewsOnPages) };
  });
}

async function idsOf(rig: Rig, of: 'listing' | 'shop'): Promise<number[]> {
  return (await rig.rows<{ id: number }>(`SELECT ${of}_id AS id FROM ${of}s`)).map((row) => row.id);
}

async function compare(rig: Rig, truth: Truth, before: Before, viewsOnPages: boolean): Promise<Compared> {
  await rig.market.resetRequests();
  await finished(rig);
  const counts = Object.entries(await rig.market.counts());
  const made = (path: RegExp): number =>
    counts.reduce((sum, [name, count]) => sum + (path.test(name) ? count : 0), 0);
  const byStage = sumOf(made(/\/listings\/active$/), made(/\/listings\/batch$/), made(/\/reviews$/));

  const ranges = await rig.rows<{ n: number; split: number }>(
    'SELECT counted AS n, split FROM slices WHERE run_id = (SELECT max(run_id) FROM slices)',
  );
  const slices = ranges.filter((range) => range.split === 0 && range.n > 0);
  const since = truth.listings.filter((listing) => listing.since2000);
  // Where pages lack the views, what is due can only be had as what is new is.
  const asked = since.filter((listing) => !viewsOnPages || !before.listings.has(listing.listing_id));
  // A shop comes along with any of its listings that is asked for.
  const alone = new Set(truth.shops);
  for (const listing of asked) alone.delete(listing.shop_id);
  const shops = new Set([...before.shops, ...truth.shops]);
  const shown = new Set(since.map((listing) => listing.listing_id));
  return {
    measured: { ...byStage, total: made(/./) },
    least: leastRequests({
      slices: slices.map((slice) => slice.n),
      batch: asked.length + alone.size,
      reviews: [...shops].map(
        (shop) => (truth.reviews[shop] ?? []).filter((id) => !before.reviews.get(shop)?.has(id)).length,
      ),
    }),
    probing: ranges.length - slices.length,
    slices: slices.length,
    unseen: [...before.listings].filter((id) => !shown.has(id)).length,
  };
}

function line(what: string, { measured, least, probing, unseen }: Compared, wanted: string): string[] {
  const over = (['pages', 'batches', 'reviews'] as const).map((of) => `${of} ${measured[of] - least[of]}`);
  return [
    unseen > 0 ? `${what} (${number(unseen)} no longer shown)` : what,
    number(measured.total),
    number(least.total),
    number(measured.total / least.total, 3),
    wanted,
    over.join(', '),
    number(probing),
    percent(probing / measured.total),
    MOST_PROBING,
  ];
}
