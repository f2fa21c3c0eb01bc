import { number } from '../figures.ts';
import { simulate } from './fresh/simulate.ts';
import type { Measured } from './fresh/figures.ts';
import { HEAVY, QUIET, makeWorld } from './fresh/world.ts';
import type { Shop } from './fresh/world.ts';
import type { Section } from './section.ts';

const SEED = 7;
const QUOTAS = [5000, 10_000, 100_000] as const;
/** What is demanded at each quota. */
const MEAN_AGE: Readonly<Record<number, number>> = { 5000: 1.2, 10_000: 1.1, 100_000: 1.1 };

/** What the product does with a quota in 58 weeks, against an oracle that knows of every review and orders weekly. */
export interface Compared {
  readonly quota: number;
  readonly product: Measured;
  readonly heavy: Measured;
  readonly oracle: Measured;
}

export function compare(shops: readonly Shop[], scale: number): Compared[] {
  return QUOTAS.map((quota) => ({
    quota,
    product: simulate(shops, { scale, quota, noise: QUIET }),
    heavy: simulate(shops, { scale, quota, noise: HEAVY }),
    oracle: simulate(shops, { scale, quota, noise: QUIET, oracle: true }),
  }));
}

/** The order of reviews and the weekly cut on paper. @param tenths of the real job */
export function fresh(tenths = 1): Promise<Section> {
  const compared = compare(makeWorld(SEED, tenths / 10), tenths / 10);
  return Promise.resolve({
    title: 'Fresh, of the real job on paper: here / an oracle',
    lines: compared.flatMap(linesOf),
    figures: Object.fromEntries(
      compared.map(({ quota, ...all }) => [quota, Object.fromEntries(Object.entries(all).map(plain))]),
    ),
  });
}

function linesOf({ quota, product, heavy, oracle }: Compared): Section['lines'] {
  const both = (of: (one: Measured) => number, show: (value: number) => string): string =>
    `${show(of(product))} / ${show(of(oracle))}`;
  const days = (value: number): string => `${value.toFixed(2)} d`;
  const share = (all: ReadonlyMap<number, number>, day: number): number => all.get(day) ?? 0;
  const requests = number;
  return [
    [
      `at ${number(quota)} requests per day: reviews in within 14 days`,
      both((one) => one.soon, percent),
      '≥ 0.99 of it',
    ],
    [
      '  mean age when they come in',
      `${both((one) => one.meanAge, days)} = ${(product.meanAge / oracle.meanAge).toFixed(2)}`,
      `≤ ${(MEAN_AGE[quota] ?? 0).toFixed(2)}`,
    ],
    [
      '  95th percentile',
      `${both((one) => one.p95, days)} = ${(product.p95 / oracle.p95).toFixed(2)}`,
      '≤ 1.25',
    ],
    [
      '  requests for reviews',
      `${both((one) => one.requests, requests)} = ${(product.requests / oracle.requests).toFixed(2)}`,
      '≤ 1.50',
    ],
    ['  that brought nothing', percent(product.vain), '≤ 37 %'],
    [
      "  of the past year's reviews in on day 7; 14",
      `${percent(share(product.ofYear, 7))}; ${percent(share(product.ofYear, 14))}`,
      quota === 5000 ? '≥ 45 %; ≥ 80 %' : '',
    ],
    [
      '  of all reviews in on day 30; 60',
      `${both((one) => share(one.ofAll, 30), percent)}; ${both((one) => share(one.ofAll, 60), percent)}`,
      '≥ 0.95; ≥ 0.99 of it',
    ],
    [
      '  with heavy noise: in within 14 days; mean age',
      `${(heavy.soon / oracle.soon).toFixed(3)}; ${(heavy.meanAge / oracle.meanAge).toFixed(2)} of it`,
      '≥ 0.92; ≤ 1.80',
    ],
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function plain([name, { ofYear, ofAll, ...rest }]: [string, Measured]): [string, object] {
  return [name, { ...rest, ofYear: Object.fromEntries(ofYear), ofAll: Object.fromEntries(ofAll) }];
}
