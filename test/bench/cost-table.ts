import { WINDOW } from '../../lib/task/window.ts';
import { median, number, percent } from '../figures.ts';
import type { Section } from './section.ts';

/** What one run has cost. */
export interface Cost {
  /** Listings, from the first request's arrival at the marketplace to the end of the process. */
  readonly perSecond: number;
  /** CPU seconds a 1,000 listings, the start of the process included. */
  readonly cpu: number;
  /** Of that, what the start took. */
  readonly startCpu: number;
}

/**
 * floor: what reading the same pages costs. crawleePinned: with as many requests under way as ours has, throughout.
 * known: ours, when all listings are in already.
 */
export type Contender = 'ours' | 'floor' | 'crawlee' | 'crawleePinned' | 'known' | 'knownFloor';

export interface Costs {
  readonly listings: number;
  readonly pages: number;
  readonly batches: number;
  /** CPU milliseconds of node alone. */
  readonly nodeCpuMs: number;
  /** Without Crawlee where it was could not be downloaded. */
  readonly rounds: ReadonlyMap<Contender, readonly Cost[]>;
}

export function linesOf({ listings, pages, batches, nodeCpuMs, rounds }: Costs): Section['lines'] {
  const of = (who: Contender): Cost => middle(rounds.get(who) ?? []);
  const [ours, floor, known] = [of('ours'), of('floor'), of('known')];
  const crawlee = rounds.has('crawlee') ? of('crawlee') : undefined;
  const pinned = of('crawleePinned');
  return [
    [`${number(listings)} new listings, ${pages} pages and ${batches} batches`, tell(ours)],
    ['the floor: fetch and JSON.parse', tell(floor)],
    ['Crawlee, the same rows', crawlee ? tell(crawlee) : 'could not be downloaded here'],
    ...(crawlee ? [[`  with ${WINDOW} requests at once, as ours`, tell(pinned)]] : []),
    ['listings/s against the floor', percent(ours.perSecond / floor.perSecond), '≥ 60 %'],
    ...(crawlee
      ? [
          ['listings/s against Crawlee', times(ours, crawlee), '≥ 4 ×'],
          [`  with ${WINDOW} requests at once`, times(ours, pinned)],
        ]
      : []),
    ['CPU seconds a 1,000 listings', number(ours.cpu, 3), '≤ 0.3'],
    ['the same listings again, pages only', tell(known)],
    ['listings/s against the floor', percent(known.perSecond / of('knownFloor').perSecond)],
    [
      'CPU of a start: node alone, and until the first request',
      `${number(nodeCpuMs)} ms, ${number(ours.startCpu * listings)} ms`,
    ],
  ];
}

function middle(costs: readonly Cost[]): Cost {
  const of = (figure: keyof Cost): number => median(costs.map((cost) => cost[figure]));
  return { perSecond: of('perSecond'), cpu: of('cpu'), startCpu: of('startCpu') };
}

function times(one: Cost, other: Cost): string {
  return `${number(one.perSecond / other.perSecond, 1)} ×`;
}

function tell({ perSecond, cpu }: Cost): string {
  return `${number(perSecond)} listings/s, ${number(cpu, 3)} CPU s a 1,000`;
}
