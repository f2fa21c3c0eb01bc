import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as nap } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Database } from '../lib/store/database.ts';
import type { Value } from '../lib/store/database.ts';
import { dumpOf } from './dump.ts';
import type { Dump } from './dump.ts';
import type { MarketplaceOptions, RequestRecord, Truth } from './marketplace/index.ts';
import { spawnMarketplace } from './marketplace/spawn.ts';
import type { RemoteMarketplace } from './marketplace/spawn.ts';

/** When the worlds of the tests begin: far from a New Year, when words of when_made change. */
export const START = Date.UTC(2026, 7, 20, 9, 0, 0);
const DAY_MS = 86_400_000;

const COMMAND = fileURLToPath(new URL('../lib/sync-data.js', import.meta.url));
const FAST_COMMAND = fileURLToPath(new URL('./fixtures/fast-sync-data.js', import.meta.url));
const CLOCK_SHIFT = new URL('./fixtures/clock-shift.mjs', import.meta.url).href;

/** Two small categories that sell the same kind of thing, so that few pictures have to be drawn. */
const TAXONOMIES = [12371, 12372] as const;
const CATEGORIES = { 12371: { listings: 40 }, 12372: { listings: 110 } };

/** What is written into pipeline.yaml; what is left out takes sync-data's default. */
export interface Settings {
  taxonomies?: readonly number[];
  baseUrl?: string;
  qps?: number;
  onQuota?: 'wait' | 'stop';
  timeout?: string;
  giveUpAfter?: string;
  refreshAfter?: string;
  every?: string;
  hosts?: readonly string[];
  /** Leaves out the images stage; verify then tolerates that there are none. */
  withoutImages?: boolean;
}

export interface RigOptions extends Settings {
  market?: MarketplaceOptions;
  /** Ties the clocks of marketplace and command to the real one, instead of to START. */
  realTime?: boolean;
  /** Shares that rig's marketplace; it must be closed last. */
  beside?: Rig;
  /** Begins with the database, meta_data and images of that folder. */
  copyOf?: string;
}

export interface StartOptions {
  stage?: string;
  args?: readonly string[];
  /** Requests a second, without limit where nothing is said; `exact` runs the real command, at pipeline.yaml's pace. */
  qps?: number | 'exact';
  env?: NodeJS.ProcessEnv;
  /** A whole run ends with a report, as it always does at pipeline.yaml's pace. */
  report?: boolean;
  /** Modules loaded into the command before it begins. */
  imports?: readonly URL[];
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A sync-data under way. */
export class Command {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #name: string;
  #stdout = '';
  #stderr = '';
  #over = false;
  #wake: (() => void)[] = [];

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#tell();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#tell();
    });
    this.ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
      this.#over = true;
      this.#tell();
      return {
        code: typeof code === 'number' ? code : null,
        signal: (signal ?? null) as NodeJS.Signals | null,
        stdout: this.#stdout,
        stderr: this.#stderr,
      };
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.#over;
  }

  get transcript(): string {
    const { exitCode, signalCode } = this.#child;
    return `--- ${this.#name} → ${exitCode ?? signalCode ?? 'still running'}\n${this.#stdout}${this.#stderr}`;
  }

  /** Resolves once the output shows this; fails when the command ends without having shown it. */
  async shows(what: RegExp): Promise<void> {
    while (!what.test(this.#stdout + this.#stderr)) {
      if (this.#over) throw new Error(`The command ended and never showed ${String(what)}.`);
      await new Promise<void>((resolve) => void this.#wake.push(resolve));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it at once, wherever it stands. */
  async kill(): Promise<void> {
    if (!this.#over) this.#child.kill('SIGKILL');
    await this.ended;
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A folder with a pipeline.yaml, a marketplace beside it, and the commands run on both. */
export class Rig {
  readonly folder: string;
  readonly market: RemoteMarketplace;
  readonly #options: RigOptions;
  readonly #commands: Command[] = [];
  /** What sets the command's clock to the marketplace's. Milliseconds. */
  #shift: number;

  private constructor(folder: string, market: RemoteMarketplace, options: RigOptions, shift: number) {
    this.folder = folder;
    this.market = market;
    this.#options = options;
    this.#shift = shift;
  }

  static async open(options: RigOptions = {}): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), 'sync-data-test-'));
    const now = options.realTime ? Date.now() : START;
    const shift = options.beside ? options.beside.#shift : now - Date.now();
    try {
      const market =
        options.beside?.market ??
        (await spawnMarketplace({ now, categories: CATEGORIES, ...options.market }));
      const rig = new Rig(folder, market, options, options.realTime ? 0 : shift);
      if (options.copyOf !== undefined)
        await cp(options.copyOf, folder, { recursive: true, preserveTimestamps: true });
      await rig.configure({});
      await writeFile(rig.path('.env'), `ETSY_API_KEY=${market.key}\n`, { mode: 0o600 });
      return rig;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  get taxonomies(): readonly number[] {
    return this.#options.taxonomies ?? TAXONOMIES;
  }

  /** Writes pipeline.yaml. */
  async configure(changes: Settings): Promise<void> {
    await writeFile(this.path('pipeline.yaml'), pipelineYaml(this.market, { ...this.#options, ...changes }));
  }

  start(options: StartOptions = {}): Command {
    const { stage, args = [], qps = Infinity, env, report = false, imports = [] } = options;
    const exact = qps === 'exact';
    const given = [...(stage === undefined ? [] : ['--stage', stage]), ...args];
    const shims = [...(this.#shift === 0 ? [] : [CLOCK_SHIFT]), ...imports.map(String)];
    const flags = shims.flatMap((shim) => ['--import', shim]);
    const child = spawn(process.execPath, [...flags, exact ? COMMAND : FAST_COMMAND, ...given], {
      cwd: this.folder,
      // Nothing of the environment the tests run in: no key, no CI, no settings for node.
      env: {
        PATH: process.env['PATH'],
        HOME: this.folder,
        TZ: 'UTC',
        // As npx says it: hints then name the command as the documents do.
        npm_command: 'exec',
        CLOCK_SHIFT_MS: String(this.#shift),
        ...(exact ? {} : { TEST_QPS: String(qps), TEST_REPORT: report ? '1' : '0' }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new Command(`sync-data ${given.join(' ')}`, child);
    this.#commands.push(command);
    return command;
  }

  run(options: StartOptions = {}): Promise<Ended> {
    return this.start(options).ended;
  }

  /** Times are kept in seconds: a run that begins in the one in which a shop was read takes it for read in that run. */
  async nextSecond(): Promise<void> {
    await nap(1000 - ((Date.now() + this.#shift) % 1000));
  }

  /** Moves the clock of the marketplace, and with it the command's. */
  async advance(days: number): Promise<void> {
    await this.market.advance(days);
    this.#shift += days * DAY_MS;
  }

  touchKill(): Promise<void> {
    return writeFile(this.path('KILL'), '');
  }

  /** Requests at the marketplace so far, of the kind and path asked for. */
  async requests(path = /./, kind: RequestRecord['kind'] = 'api'): Promise<RequestRecord[]> {
    return (await this.market.requests()).filter((one) => one.kind === kind && path.test(one.path));
  }

  /** Resolves once so many such requests have arrived; fails when the command ends before. */
  async arrived(
    command: Command,
    count: number,
    path = /./,
    kind: RequestRecord['kind'] = 'api',
  ): Promise<void> {
    const arrived = this.market.arrived(count, kind, path.source);
    // After the command's end nobody waits for it any more, and the marketplace may be closed.
    arrived.catch(() => undefined);
    await Promise.race([arrived, command.ended]);
    if (command.isOver && (await this.requests(path, kind)).length < count)
      throw new Error(`The command ended before ${count} requests for ${path} had arrived.`);
  }

  async rows<Row>(sql: string, params: readonly Value[] = []): Promise<Row[]> {
    const database = await Database.open(this.path('etsy_data.db'), { readOnly: true });
    try {
      return await database.read.all<Row>(sql, params);
    } finally {
      await database.close();
    }
  }

  /** The figure that a query selects as `n`. */
  async number(sql: string, params: readonly Value[] = []): Promise<number> {
    return (await this.rows<{ n: number }>(sql, params))[0]?.n ?? 0;
  }

  dump(): Promise<Dump> {
    return dumpOf(this.folder);
  }

  truth(): Promise<Truth> {
    return this.market.truth(this.taxonomies);
  }

  async json(): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(this.path('image_metadata.json'), 'utf8')) as Record<string, unknown>;
  }

  /** All that the commands have said, for a failed test. */
  get transcript(): string {
    return this.#commands.map((command) => command.transcript).join('\n');
  }

  async close(): Promise<void> {
    await Promise.all(this.#commands.map((command) => command.kill()));
    if (!this.#options.beside) await this.market.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Runs a test on a rig of its own; when it fails, prints what the commands have said. */
export async function withRig<T>(options: RigOptions, test: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await Rig.open(options);
  try {
    return await test(rig);
  } catch (error) {
    console.log(rig.transcript);
    throw error;
  } finally {
    await rig.close();
  }
}

function pipelineYaml(market: RemoteMarketplace, settings: Settings): string {
  const { taxonomies = TAXONOMIES, refreshAfter = '7d', hosts = ['127.0.0.1'], withoutImages } = settings;
  const api = {
    baseUrl: settings.baseUrl ?? market.apiUrl,
    qps: settings.qps ?? 5,
    onQuota: settings.onQuota,
    timeout: settings.timeout,
    giveUpAfter: settings.giveUpAfter,
  };
  const given = Object.entries(api).filter(([, value]) => value !== undefined);
  const images = `
  - id: images
    task: ./tasks/images.ts
    alongside: [crawl, reconcile]
    with: { hosts: ${JSON.stringify(hosts)} }`;
  return `name: sync-data
kill: KILL${settings.every === undefined ? '' : `\nevery: ${settings.every}`}
api:
${given.map(([key, value]) => `  ${key}: ${value}`).join('\n')}
rules:
  refreshAfter: ${refreshAfter}
stages:
  - id: crawl
    task: ./tasks/crawl.ts
    with: { taxonomies: ${JSON.stringify(taxonomies)} }${withoutImages ? '' : images}
  - id: reconcile
    task: ./tasks/reconcile.ts
    needs: [crawl]
  - id: verify
    task: ./tasks/verify.ts
    needs: [${withoutImages ? 'reconcile' : 'reconcile, images'}]${withoutImages ? '\n    with: { tolerate: [missing-image] }' : ''}
  - id: reviews
    task: ./tasks/reviews.ts
    needs: [verify]
`;
}
