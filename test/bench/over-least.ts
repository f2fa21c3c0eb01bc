import type { Truth } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';
import { leastRequests, sumOf } from '../../lib/status/requests.ts';
import type { Requests } from '../../lib/status/requests.ts';
import type { Section } from './section.ts';

/** The listings share one category, so that its price ranges have to be found. */
const CATEGORY = 12371;
/** A week and a day: everything is due. */
const DAYS = 8;

interface Compared {
  readonly measured: Requests;
  readonly least: Requests;
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
 * Requests of the command, over HTTP, against the fewest by which any client could do: the first sync and a week later;
 * and at a tenth of the size, where search pages carry no views.
 */
export async function overLeast(listings = 100_000, shops = 12_000): Promise<Section> {
  const withViews = await twoRuns(listings, shops, true);
  const without = await twoRuns(Math.ceil(listings / 10), Math.ceil(shops / 10), false);
  return {
    title: 'Requests over the least',
    lines: [
      [`first sync of ${listings} listings`, told(withViews.cold), '≤ 1.02'],
      ['a week later', told(withViews.weekly), '≤ 1.02'],
      ['  no longer shown by the search', String(withViews.weekly.unseen)],
      ['first sync, pages without views', told(without.cold), '≤ 1.02'],
      ['a week later, pages without views', told(without.weekly), '≤ 1.02'],
      ['  no longer shown by the search', String(without.weekly.unseen)],
    ],
    figures: { listings, shops, withViews, withoutViews: without },
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
  const { code, stderr } = await rig.run();
  if (code !== 0) throw new Error(`the command ended with ${code}: ${stderr}`);
  const counts = Object.entries(await rig.market.counts());
  const made = (path: RegExp): number =>
    counts.reduce((sum, [name, count]) => sum + (path.test(name) ? count : 0), 0);
  const byStage = sumOf(made(/\/listings\/active$/), made(/\/listings\/batch$/), made(/\/reviews$/));

  const slices = await rig.rows<{ n: number }>(
    'SELECT counted AS n FROM slices WHERE split = 0 AND run_id = (SELECT max(run_id) FROM slices)',
  );
  const since = truth.listings.filter((listing) => listing.since2000);
  const fresh = since.filter((listing) => !before.listings.has(listing.listing_id));
  const due = viewsOnPages ? [] : since.filter((listing) => before.listings.has(listing.listing_id));
  // A shop comes along with any of its listings that is asked for.
  const alone = new Set(truth.shops);
  for (const listing of [...fresh, ...due]) alone.delete(listing.shop_id);
  const shops = new Set([...before.shops, ...truth.shops]);
  const shown = new Set(since.map((listing) => listing.listing_id));
  return {
    measured: { ...byStage, total: made(/./) },
    least: leastRequests({
      slices: slices.map((slice) => slice.n),
      batch: fresh.length + alone.size,
      withoutViews: due.length,
      reviews: [...shops].map(
        (shop) => (truth.reviews[shop] ?? []).filter((id) => !before.reviews.get(shop)?.has(id)).length,
      ),
    }),
    unseen: [...before.listings].filter((id) => !shown.has(id)).length,
  };
}

function told({ measured, least }: Compared): string {
  return (
    `${(measured.total / least.total).toFixed(3)}: ${measured.total} of ${least.total} (pages ${measured.pages} of ` +
    `${least.pages}, batches ${measured.batches} of ${least.batches}, reviews ${measured.reviews} of ${least.reviews})`
  );
}
