import { rm } from 'node:fs/promises';
import { setTimeout as nap } from 'node:timers/promises';
import { median, ms } from '../figures.ts';
import type { MarketplaceOptions } from '../marketplace/index.ts';
import { Rig } from '../rig.ts';
import type { Section } from './section.ts';

const MARKET = {
  categories: { 12371: { listings: 150 }, 12372: { listings: 250 } },
  shops: 120,
  reviews: { perShop: 20 },
  faults: {
    api: { latency: { min: 50, max: 800 } },
    cdn: { latency: { min: 20, max: 80 } },
  },
} satisfies MarketplaceOptions;
/** How long a command works before it is stopped, at most. Milliseconds. */
const LONGEST_MS = 3000;
const STOPPED = 75;

interface Stop {
  readonly tookMs: number;
  /** Of the requests under way when KILL was touched or sent until it was seen, how long the slowest took. */
  readonly slowestMs: number;
}

/** Touches KILL while the real command works, over and over, each time where the last left off. */
export async function stopping(times = 50): Promise<Section> {
  const base = await Rig.open({ market: MARKET, realTime: true });
  const stops: Stop[] = [];
  let rig: Rig | undefined;
  try {
    while (stops.length < times) {
      rig ??= await Rig.open({ beside: base, realTime: true });
      const stop = await stopOnce(rig);
      if (stop) stops.push(stop);
      else {
        await rig.close();
        rig = undefined;
      }
    }
  } finally {
    await rig?.close();
    await base.close();
  }
  const took = stops.map((stop) => stop.tookMs);
  const beyond = stops.map((stop) => stop.tookMs - stop.slowestMs);
  return {
    title: 'Stopping',
    lines: [
      [`touch KILL to exit, ${times} times: median`, ms(median(took))],
      ['worst', ms(Math.max(...took))],
      ['the slowest request under way: median', ms(median(stops.map((stop) => stop.slowestMs)))],
      ['beyond the slowest request under way: median', ms(median(beyond))],
      ['worst', ms(Math.max(...beyond)), '≤ 500 ms'],
    ],
    figures: { stops },
  };
}

/** @returns undefined when the run was finished first */
async function stopOnce(rig: Rig): Promise<Stop | undefined> {
  const command = rig.start({ qps: 'exact' });
  await command.shows(/\n/);
  await nap(Math.random() * LONGEST_MS);
  const killedAt = Date.now();
  const from = performance.now();
  await rig.touchKill();
  const { code, stderr } = await command.ended;
  const tookMs = performance.now() - from;
  await rm(rig.path('KILL'), { force: true });
  if (code === 0) return undefined;
  if (code !== STOPPED) throw new Error(`The command ended with ${code}: ${stderr}`);
  const slowestMs = await rig.number(
    'SELECT coalesce(max(took_ms), 0) AS n FROM ledger WHERE at_ms + took_ms >= ?',
    [killedAt],
  );
  return { tookMs, slowestMs };
}
