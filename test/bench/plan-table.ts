import { number } from '../figures.ts';
import type { Requests } from '../../lib/status/requests.ts';
import { ORDERS } from './orders.ts';
import type { Shares } from './orders.ts';
import type { Section } from './section.ts';

/** Requests a day. */
export const QUOTAS = [5000, 10_000];
/** After so many days it is told how much there is. */
export const DAYS = [1, 2, 5, 10];
const [AS_IT_IS = ''] = Object.keys(ORDERS);

export interface Weekly extends Requests {
  /** Shops with a review of the week: the shops' figures say so, and only these are asked for. */
  readonly shopsWithNews: number;
  readonly shops: number;
}

export interface Figures {
  listings: number;
  kept: number;
  shops: number;
  reviews: number;
  slices: number;
  cold: Requests;
  coldLeast: Requests;
  weekly: Weekly;
  weeklyLeast: Requests;
  orders: Record<number, Record<string, Shares[]>>;
}

export function linesOf(of: Figures): Section['lines'] {
  const { cold, weekly } = of;
  const days = (n: number, quota: number): string => (n / quota).toFixed(1);
  const staged = (job: Requests, quota: number): string =>
    `${days(job.total, quota)} days: crawl ${days(job.pages, quota)}, batches ${days(job.batches, quota)}, reviews ${days(job.reviews, quota)}`;
  const requests = (job: Requests): string =>
    `${number(job.total)}: ${number(job.pages)} pages, ${number(job.batches)} batches, ${number(job.reviews)} for reviews`;
  return [
    [
      'the job',
      `${number(of.listings)} listings (${number(of.kept)} made since 2000), ${number(of.shops)} shops, ${number(of.reviews)} reviews`,
    ],
    ['first sync, requests', requests(cold)],
    ['  of the least possible', (cold.total / of.coldLeast.total).toFixed(3), '≤ 1.03'],
    ['weekly refresh, requests', requests(weekly)],
    ['  of the least possible', (weekly.total / of.weeklyLeast.total).toFixed(3), '≤ 1.05'],
    ...QUOTAS.flatMap((quota): [string, string][] => [
      [`at ${number(quota)} a day, first sync`, staged(cold, quota)],
      [`at ${number(quota)} a day, refresh`, staged(weekly, quota)],
      ['  of the whole, in per cent, after days', DAYS.join('/')],
      ...Object.entries(of.orders[quota] ?? {}).map(([name, shares]): [string, string] => [
        `  ${name}`,
        shown(shares),
      ]),
      [
        '  images a second to keep up',
        (((of.orders[quota]?.[AS_IT_IS]?.[0]?.whole ?? 0) * of.kept) / 86_400).toFixed(1),
      ],
      ['  what to do first', advice(of, quota)],
    ]),
  ];
}

/** One figure after each of DAYS. */
function shown(shares: readonly Shares[]): string {
  const each = (part: keyof Shares): string => shares.map((share) => percent(share[part])).join('/');
  return `rows ${each('listings')}, whole ${each('whole')}, shops ${each('shops')}, reviews ${each('reviews')} %`;
}

function percent(share: number): string {
  return (share * 100).toFixed(0);
}

/** What the shares say of the order, and the totals of the week. */
function advice(of: Figures, quota: number): string {
  const [asItIs, byShopId, , , toTheEnd] = Object.keys(ORDERS).map((name) => of.orders[quota]?.[name]);
  const last = (shares: readonly Shares[] | undefined, part: keyof Shares): string =>
    percent(shares?.at(-1)?.[part] ?? 0);
  const [day] = DAYS.slice(-1);
  const listingDays = ((of.cold.pages + of.cold.batches) / quota).toFixed(1);
  const reviewShare = percent(of.cold.reviews / of.cold.total);
  const refresh = (of.weekly.total / quota).toFixed(1);
  const { shopsWithNews } = of.weekly;
  return (
    `Listings first, pages and batches in turn: every listing is whole after ${listingDays} days, while reviews are ` +
    `${reviewShare} % of all requests. Each category with its reviews would have ${last(toTheEnd, 'whole')} % of the ` +
    `listings whole on day ${day}. Then reviews, of the largest sellers first: ${last(asItIs, 'reviews')} % of all ` +
    `reviews on day ${day}, by shop id ${last(byShopId, 'reviews')} %. A refresh takes ${refresh} days: ` +
    `${number(shopsWithNews)} shops have news.`
  );
}
