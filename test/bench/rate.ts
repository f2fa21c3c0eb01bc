import { setTimeout as nap } from 'node:timers/promises';
import { WINDOW } from '../../lib/task/window.ts';
import { number } from '../figures.ts';
import type { Faults, RequestRecord } from '../marketplace/index.ts';
import { withRig } from '../rig.ts';
import type { Section } from './section.ts';

const LATENCIES = [50, 200, 800] as const;
const SPREAD = 0.3;
const TAXONOMY = 12371;
/** A page and a batch a hundred: three minutes at 5 a second want 900 of them. */
const LISTINGS_A_SECOND = 330;

/** The real command at its real pace, against a marketplace in a process of its own. */
export async function rate(seconds = 180): Promise<Section> {
  const found = [];
  for (const latency of LATENCIES) found.push({ latency, ...(await measure(latency, seconds)) });
  return {
    title: 'Rate',
    lines: found.flatMap(({ latency, requests, mean, worst, faults }) => {
      const at = `at ${latency} ms ± ${SPREAD * 100} %`;
      const told = `${number(mean, 2)} requests/s (${requests} in ${seconds} s, ${faults} of them met a fault)`;
      return [
        [`mean ${at}`, told, '≥ 4.85'],
        [`the most within 1,000 ms, ${at}`, String(worst), '≤ 5'],
      ] as const;
    }),
    figures: { seconds, latencies: found },
  };
}

interface Found {
  readonly requests: number;
  /** Requests a second while work was waiting. */
  readonly mean: number;
  /** The same from the very first on: a crawl begins with one page, and only its answer says what else to ask for. */
  readonly meanFromTheFirst: number;
  /** The most arrivals within any 1,000 ms, retries and first connections included. */
  readonly worst: number;
  /** Each six that came within 1,000 ms: when, and over which connection. */
  readonly crowded: readonly string[];
  readonly faults: number;
}

function measure(latency: number, seconds: number): Promise<Found> {
  const market = {
    categories: { [TAXONOMY]: { listings: Math.max(1000, seconds * LISTINGS_A_SECOND) } },
    faults: faultsAt(latency),
  };
  return withRig(
    { market, taxonomies: [TAXONOMY], withoutImages: true, realTime: true },
    async (rig): Promise<Found> => {
      const command = rig.start({ qps: 'exact' });
      await rig.arrived(command, 1);
      await nap(seconds * 1000);
      if (command.isOver) throw new Error('The command ended before the time was over.');
      const requests = (await rig.requests()).toSorted((one, other) => one.at - other.at);
      const worst = await rig.market.worstWindow();
      await command.kill();
      return {
        requests: requests.length,
        mean: meanRate(requests.slice(WINDOW)),
        meanFromTheFirst: meanRate(requests),
        worst,
        crowded: crowdedSeconds(requests),
        faults: requests.filter(({ fault }) => fault !== undefined).length,
      };
    },
  );
}

function meanRate(requests: readonly RequestRecord[]): number {
  return ((requests.length - 1) / ((requests.at(-1)?.at ?? 0) - (requests[0]?.at ?? 0))) * 1000;
}

function crowdedSeconds(requests: readonly RequestRecord[]): string[] {
  const began = requests[0]?.at ?? 0;
  return requests.flatMap((sixth, index) => {
    const six = requests.slice(index - 5, index + 1);
    if (index < 5 || sixth.at - (six[0]?.at ?? 0) >= 1000) return [];
    return [six.map(({ at, connection }) => `${number(at - began, 1)} ms (${connection})`).join(', ')];
  });
}

/** Two in a hundred requests meet one. */
function faultsAt(latency: number): Faults {
  return {
    api: {
      latency: { min: latency * (1 - SPREAD), max: latency * (1 + SPREAD) },
      rates: {
        error500: 0.004,
        error503: 0.004,
        reset: 0.004,
        truncated: 0.003,
        invalidJson: 0.003,
        limitSecond: 0.002,
      },
    },
  };
}
