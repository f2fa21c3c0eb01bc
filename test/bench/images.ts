import { arrivals, median, number, percent } from '../figures.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';
import { finished } from './finished.ts';
import type { Section } from './section.ts';
import { runChild } from './usage.ts';

const LATENCIES = [0, 20, 80] as const;
const ROUNDS = 3;

interface Image {
  readonly id: number;
  readonly url: string;
}

/**
 * The images stage by itself, on what a crawl has found, against a bare loop on the same images. Both are timed by the
 * CDN, from the first request it sees to the last. The stage does what the loop does not: every file is synced to
 * disk, while the next are downloaded, and committed.
 */
export function images(count = 400): Promise<Section> {
  const market = { categories: { 12371: { listings: count } }, badImages: {} };
  return withRig({ market, taxonomies: [12371], realTime: true }, async (rig) => {
    for (const stage of ['crawl', 'reconcile']) await finished(rig, { stage });
    const waiting = await rig.rows<Image>(
      "SELECT listing_id AS id, url FROM images WHERE state = 'waiting' ORDER BY listing_id",
    );
    // The marketplace draws a picture when it is first asked for.
    await bare(rig, waiting);

    const found = [];
    for (const latency of LATENCIES) {
      await rig.market.setFaults({ cdn: { latency: { min: latency, max: latency } } });
      const [ours, loop]: [number[], number[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        loop.push(await bare(rig, waiting));
        ours.push(await stage(rig, waiting.length));
      }
      found.push({ latency, perSecond: median(ours), bare: median(loop), rounds: { ours, bare: loop } });
    }
    return {
      title: 'Images',
      lines: found.map(({ latency, perSecond, bare: floor }) => [
        `images/s at ${latency} ms`,
        `${number(perSecond, 1)}, the bare loop ${number(floor, 1)}: ${percent(perSecond / floor)}`,
        '≥ 95 %',
      ]),
      figures: { images: waiting.length, latencies: found },
    };
  });
}

function stage(base: Rig, count: number): Promise<number> {
  return withRig(
    { beside: base, copyOf: base.folder, taxonomies: base.taxonomies, realTime: true },
    async (rig) => {
      await rig.market.resetRequests();
      await finished(rig, { stage: 'images' });
      return perSecond(rig, count);
    },
  );
}

function bare(base: Rig, waiting: readonly Image[]): Promise<number> {
  return withRig({ beside: base }, async (rig) => {
    await rig.market.resetRequests();
    await runChild('downloads.ts', { images: waiting, folder: rig.path('images') });
    return perSecond(rig, waiting.length);
  });
}

async function perSecond(rig: Rig, count: number): Promise<number> {
  const times = arrivals(await rig.requests(/./, 'cdn'));
  if (times.length !== count) throw new Error(`${times.length} downloads of ${count} images`);
  return ((count - 1) / ((times.at(-1) ?? 0) - (times[0] ?? 0))) * 1000;
}
