import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from '../../lib/store/database.ts';
import { migrate } from '../../lib/dataset/migrations.ts';
import { WINDOW } from '../../lib/task/window.ts';
import { arrivals } from '../figures.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';
import type { CrawleeInput } from './children/crawlee.ts';
import { linesOf } from './cost-table.ts';
import type { Contender, Cost } from './cost-table.ts';
import { finished } from './finished.ts';
import { checkSameRows } from './same-rows.ts';
import type { Section } from './section.ts';
import { accountIn, inFolder, runChild, runNothing } from './usage.ts';
import type { Usage } from './usage.ts';

const AS_THE_COMMAND = new URL('./children/as-the-command.mjs', import.meta.url);
const ROUNDS = 3;
const TAXONOMIES = [12371, 12372];
const MADE_SINCE = 2000;

/** What reading and storing listings costs when nothing paces it. */
export function cost(listings = 10_000): Promise<Section> {
  return inFolder(async (crawlee) => {
    const isThere = await installCrawlee(crawlee);
    const half = { listings: Math.ceil(listings / 2) };
    const market = { categories: Object.fromEntries(TAXONOMIES.map((id) => [id, half])) };
    return withRig({ market, taxonomies: TAXONOMIES, realTime: true }, async (base) => {
      const bench = new Bench(base, half.listings * TAXONOMIES.length, isThere ? crawlee : undefined);
      // The first round warms the marketplace and what is cached on disk.
      await bench.round();
      bench.forget();
      for (let round = 0; round < ROUNDS; round += 1) await bench.round();
      return bench.section();
    });
  });
}

async function installCrawlee(folder: string): Promise<boolean> {
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', 'crawlee@3', '--no-audit', '--no-fund', '--loglevel=error'];
  return promisify(execFile)('npm', args, { cwd: folder }).then(
    () => true,
    () => false,
  );
}

class Bench {
  readonly #base: Rig;
  readonly #listings: number;
  readonly #crawlee: string | undefined;
  #costs = new Map<Contender, Cost[]>();
  #requests = { pages: 0, batches: 0 };

  constructor(base: Rig, listings: number, crawlee: string | undefined) {
    this.#base = base;
    this.#listings = listings;
    this.#crawlee = crawlee;
  }

  forget(): void {
    this.#costs = new Map();
  }

  /** One after the other, all on the same pages: those that our run asked for. */
  async round(): Promise<void> {
    const beside = { beside: this.#base, taxonomies: this.#base.taxonomies, realTime: true };
    await withRig(beside, async (rig) => {
      await this.#take('ours', () => crawl(rig));
      const urls = await this.#urls();
      const batches = urls.filter((url) => url.includes('/listings/batch')).length;
      this.#requests = { pages: urls.length - batches, batches };
      await this.#take('floor', () => this.#floor(urls));
      if (this.#crawlee !== undefined) {
        await this.#crawleeOn(urls, rig, 'crawlee', { folder: this.#crawlee });
        await this.#crawleeOn(urls, rig, 'crawleePinned', { folder: this.#crawlee, concurrency: WINDOW });
      }
      await this.#take('known', () => crawl(rig));
      const pages = await this.#urls();
      if (pages.some((url) => url.includes('/listings/batch'))) throw new Error('A batch of known listings');
      await this.#take('knownFloor', () => this.#floor(pages));
    });
  }

  #floor(urls: readonly string[]): Promise<Usage> {
    return runChild('floor.ts', { urls, key: this.#base.market.key, concurrency: WINDOW });
  }

  async #crawleeOn(
    urls: readonly string[],
    ours: Rig,
    who: Contender,
    how: Pick<CrawleeInput, 'folder' | 'concurrency'>,
  ): Promise<void> {
    const database = ours.path(`${who}.db`);
    const empty = await Database.open(database);
    await migrate(empty);
    await empty.close();
    const { key } = this.#base.market;
    const input: CrawleeInput = { ...how, urls, key, database, madeSince: MADE_SINCE };
    await this.#take(who, () => runChild('crawlee.ts', input));
    await checkSameRows(ours, database);
  }

  async #take(who: Contender, run: () => Promise<Usage>): Promise<void> {
    await this.#base.market.resetRequests();
    const { endedAt, cpuMs, startCpuMs } = await run();
    const [first = NaN] = arrivals(await this.#base.requests());
    const a1000 = (ms: number): number => ms / this.#listings;
    const cost = {
      perSecond: this.#listings / ((endedAt - first) / 1000),
      cpu: a1000(cpuMs),
      startCpu: a1000(startCpuMs ?? NaN),
    };
    this.#costs.set(who, [...(this.#costs.get(who) ?? []), cost]);
  }

  async #urls(): Promise<string[]> {
    const { origin } = new URL(this.#base.market.apiUrl);
    const listings = (await this.#base.requests()).filter(({ path }) => path.includes('/listings/'));
    return listings.map(({ path, query }) => `${origin}${path}?${query}`);
  }

  async section(): Promise<Section> {
    const { cpuMs: nodeCpuMs } = await runNothing();
    const costs = { listings: this.#listings, ...this.#requests, nodeCpuMs, rounds: this.#costs };
    const figures = { ...costs, rounds: Object.fromEntries(this.#costs) };
    return { title: 'Cost', lines: linesOf(costs), figures };
  }
}

async function crawl(rig: Rig): Promise<Usage> {
  const account = accountIn(rig.folder);
  await finished(rig, {
    stage: 'crawl',
    imports: [AS_THE_COMMAND, ...account.imports],
    env: account.env,
  });
  return account.read();
}
