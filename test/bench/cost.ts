import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from '../../lib/store/database.ts';
import { migrate } from '../../lib/store/migrations.ts';
import { WINDOW } from '../../tasks/rules/window.ts';
import { withRig } from '../rig.ts';
import type { Rig } from '../rig.ts';
import { arrivals, median, number, percent } from './figures.ts';
import type { Section } from './section.ts';
import { accountIn, inFolder, runChild, runNothing } from './usage.ts';
import type { Usage } from './usage.ts';

const ROUNDS = 3;
const TAXONOMIES = [12371, 12372];
const MADE_SINCE = 2000;
/** Of these the same rows must lie in Crawlee's database as in ours. */
const TABLES = ['listings', 'listings_dynamic', 'shops', 'shops_dynamic', 'meta_data', 'images'];

interface Cost {
  /** From the first request's arrival at the marketplace to the end of the process. */
  readonly perSecond: number;
  /** CPU seconds a 1,000 listings, the start of the process included. */
  readonly cpu: number;
  /** Of that, what the start took. */
  readonly startCpu: number;
}
type Contender = 'ours' | 'floor' | 'crawlee' | 'known' | 'knownFloor';

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
      if (this.#crawlee !== undefined) await this.#crawleeOn(urls, rig, this.#crawlee);
      await this.#take('known', () => crawl(rig));
      const pages = await this.#urls();
      if (pages.some((url) => url.includes('/listings/batch'))) throw new Error('A batch of known listings');
      await this.#take('knownFloor', () => this.#floor(pages));
    });
  }

  #floor(urls: readonly string[]): Promise<Usage> {
    return runChild('floor.ts', { urls, key: this.#base.market.key, concurrency: WINDOW });
  }

  async #crawleeOn(urls: readonly string[], ours: Rig, folder: string): Promise<void> {
    const database = ours.path('crawlee.db');
    const empty = await Database.open(database);
    await migrate(empty);
    await empty.close();
    const { key } = this.#base.market;
    const input = { urls, key, concurrency: WINDOW, folder, database, madeSince: MADE_SINCE };
    await this.#take('crawlee', () => runChild('crawlee.ts', input));

    const theirs = await Database.open(database, { readOnly: true });
    for (const table of TABLES) {
      const count = `SELECT count(*) AS n FROM ${table}`;
      const [mine, other] = [await ours.number(count), (await theirs.read.get<{ n: number }>(count))?.n];
      if (mine !== other) throw new Error(`${table}: ${mine} rows of ours, ${other} of Crawlee's`);
    }
    await theirs.close();
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
    return (await this.#base.requests()).map(({ path, query }) => `${origin}${path}?${query}`);
  }

  #median(who: Contender): Cost {
    const costs = this.#costs.get(who) ?? [];
    const of = (figure: keyof Cost): number => median(costs.map((cost) => cost[figure]));
    return { perSecond: of('perSecond'), cpu: of('cpu'), startCpu: of('startCpu') };
  }

  async section(): Promise<Section> {
    const { cpuMs: node } = await runNothing();
    const [ours, floor, crawlee] = [this.#median('ours'), this.#median('floor'), this.#median('crawlee')];
    const [known, knownFloor] = [this.#median('known'), this.#median('knownFloor')];
    const { pages, batches } = this.#requests;
    const isThere = this.#crawlee !== undefined;
    return {
      title: 'Cost',
      lines: [
        [`${number(this.#listings)} new listings, ${pages} pages and ${batches} batches`, tell(ours)],
        ['the floor: fetch and JSON.parse', tell(floor)],
        ['Crawlee, the same rows', isThere ? tell(crawlee) : 'not to be had here'],
        ['listings/s against the floor', percent(ours.perSecond / floor.perSecond), '≥ 60 %'],
        [
          'listings/s against Crawlee',
          isThere ? `${number(ours.perSecond / crawlee.perSecond, 1)} ×` : '',
          '≥ 4 ×',
        ],
        ['CPU seconds a 1,000 listings', number(ours.cpu, 3), '≤ 0.3'],
        ['the same listings again, pages only', tell(known)],
        ['listings/s against the floor', percent(known.perSecond / knownFloor.perSecond)],
        [
          'CPU of a start: node alone, and until the first request',
          `${number(node)} ms, ${number(ours.startCpu * this.#listings)} ms`,
        ],
      ],
      figures: {
        listings: this.#listings,
        pages,
        batches,
        nodeCpuMs: node,
        rounds: Object.fromEntries(this.#costs),
      },
    };
  }
}

async function crawl(rig: Rig): Promise<Usage> {
  const account = accountIn(rig.folder);
  const { code, stderr } = await rig.run({ stage: 'crawl', imports: account.imports, env: account.env });
  if (code !== 0) throw new Error(`The crawl ended with ${code}: ${stderr}`);
  return account.read();
}

function tell({ perSecond, cpu }: Cost): string {
  return `${number(perSecond)} listings/s, ${number(cpu, 3)} CPU s a 1,000`;
}
