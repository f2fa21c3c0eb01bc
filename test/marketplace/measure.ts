/** How fast and how large the marketplace is: node --expose-gc --import tsx test/marketplace/measure.ts [listings] */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { BASE } from './api.ts';
import type { Marketplace } from './index.ts';
import { startMarketplace } from './index.ts';

const PAGES = 700;
/** Price ranges with some ten thousand listings each, of a hundred thousand. */
const RANGES = [[0, 37], [37.01, 64], [64.01, 95], [95.01, 134], [134.01, 181], [181.01, 248], [248.01, 350]] as const; // prettier-ignore
const AT_ONCE = 4;

if (process.argv[2] === 'client')
  await load(JSON.parse(process.argv[3] ?? '{}') as Pick<Marketplace, 'apiUrl' | 'key'>);
else await measure(Number(process.argv[2] ?? 100_000));

async function measure(listings: number): Promise<void> {
  const before = performance.now();
  const few = listings > 200_000;
  const market = await startMarketplace({
    categories: {
      12470: { listings: Math.round(listings * 0.3) },
      976: { listings: Math.round(listings * 0.7) },
    },
    reviews: { perShop: few ? 1 : 12 },
  });
  console.log(
    `${listings} listings: ready in ${Math.round(performance.now() - before)} ms, ${megabytes()} MB`,
  );
  for (const pass of ['first', 'second', 'third']) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    // The load comes from a process of its own: only the server is measured.
    const client = fork(fileURLToPath(import.meta.url), ['client', JSON.stringify(market)]);
    await once(client, 'exit');
    const used = process.cpuUsage(cpu);
    const pages = market.counts()[`${BASE}/listings/active`] ?? 0;
    market.resetRequests();
    console.log(
      `${pages} pages of 100, ${pass} time: ${Math.round(pages / ((used.user + used.system) / 1e6))} a second of one core, ` +
        `${Math.round((pages / (performance.now() - start)) * 1000)} a second by the clock; ${megabytes()} MB`,
    );
  }
  const moved = performance.now();
  market.advance(8);
  console.log(`8 days on: ${Math.round(performance.now() - moved)} ms; ${megabytes()} MB`);
  const known = performance.now();
  const { shops } = market.truth([967]);
  console.log(
    `truth of ${shops.length} shops: ${Math.round(performance.now() - known)} ms; ${megabytes()} MB`,
  );
  await market.close();
}

function megabytes(): number {
  return Math.round(process.memoryUsage().rss / 2 ** 20);
}

async function load({ apiUrl, key }: Pick<Marketplace, 'apiUrl' | 'key'>): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let next = 0;
  async function worker(): Promise<void> {
    while (next < PAGES) {
      const page = next++;
      // Price ranges a hundred pages deep: no listing is asked for twice.
      const [min, max] = RANGES[Math.floor(page / 100)] ?? [0, 0];
      const url = `${apiUrl}/listings/active?taxonomy_id=967&limit=100&offset=${(page % 100) * 100}&min_price=${min}&max_price=${max}`;
      await new Promise<void>((resolve, reject) => {
        get(url, { agent, headers: { 'x-api-key': key } }, (answer) => {
          answer.resume().on('end', resolve);
        }).on('error', reject);
      });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  agent.destroy();
}
