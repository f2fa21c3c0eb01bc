import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Address, Answered, Asked } from './host.ts';
import type { Controls, Marketplace, MarketplaceOptions } from './index.ts';

const LATE = new URL('../late.mjs', import.meta.url).href;

/** A marketplace in another process: the same controls, each a promise. */
export type RemoteMarketplace = Pick<Marketplace, 'apiUrl' | 'imageHost' | 'controlUrl' | 'key' | 'close'> & {
  [Name in keyof Controls]: (
    ...args: Parameters<Controls[Name]>
  ) => Promise<Awaited<ReturnType<Controls[Name]>>>;
};

const NAMES = [
  'requests',
  'arrived',
  'resetRequests',
  'counts',
  'worstWindow',
  'meanRate',
  'advance',
  'setFaults',
  'truth',
  'listing',
  'addListing',
  'setState',
  'removeListing',
  'setImage',
  'setCurrency',
  'shopId',
  'now',
] as const satisfies readonly (keyof Controls)[];

/** Processes whose marketplace is closed; the next one opens there. They end with this process. */
const idle: Host[] = [];

interface Waiting {
  readonly resolve: (answered: Answered) => void;
  readonly reject: (error: Error) => void;
}

/** A process that marketplaces open in, one at a time. */
class Host {
  readonly #child: ChildProcess;
  readonly #waiting: Waiting[] = [];

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./host.ts', import.meta.url)), {
      execArgv: ['--import', LATE, '--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answered: Answered) => this.#waiting.shift()?.resolve(answered));
    this.#child.on('exit', (code, signal) => {
      const at = idle.indexOf(this);
      if (at >= 0) idle.splice(at, 1);
      const error = new Error(`The marketplace ended (${code ?? signal}).`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  async open(options: MarketplaceOptions): Promise<Address> {
    this.#child.ref();
    this.#child.channel?.ref();
    const answered = await this.#ask({ open: options });
    if ('opened' in answered) return answered.opened;
    throw new Error(`The marketplace did not open: ${JSON.stringify(answered)}`);
  }

  async close(): Promise<void> {
    if (!this.#child.connected) return;
    await this.#ask({ close: true });
    // What is idle keeps nobody from ending.
    this.#child.unref();
    this.#child.channel?.unref();
    idle.push(this);
  }

  #ask(asked: Asked): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.send(asked);
    });
  }
}

export async function spawnMarketplace(options: MarketplaceOptions = {}): Promise<RemoteMarketplace> {
  const host = idle.pop() ?? new Host();
  const address = await host.open(options);

  async function perform(name: string, args: unknown[]): Promise<unknown> {
    const answer = await fetch(`${address.controlUrl}/${name}`, {
      method: 'POST',
      body: JSON.stringify(args),
    });
    const result: unknown = await answer.json();
    if (!answer.ok) throw new Error(`${name}: ${JSON.stringify(result)}`);
    return result;
  }

  const controls = Object.fromEntries(
    NAMES.map((name) => [name, (...args: unknown[]) => perform(name, args)]),
  ) as unknown as Omit<RemoteMarketplace, keyof typeof address | 'close'>;
  return { ...address, ...controls, close: () => host.close() };
}
