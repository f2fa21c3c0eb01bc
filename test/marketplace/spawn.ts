import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Controls, Marketplace, MarketplaceOptions } from './index.ts';

/** A marketplace in another process: the same controls, each a promise. */
export type RemoteMarketplace = Pick<Marketplace, 'apiUrl' | 'imageHost' | 'controlUrl' | 'key' | 'close'> & {
  [Name in keyof Controls]: (...args: Parameters<Controls[Name]>) => Promise<ReturnType<Controls[Name]>>;
};

const NAMES = [
  'requests',
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

export async function spawnMarketplace(options: MarketplaceOptions = {}): Promise<RemoteMarketplace> {
  const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), serve, JSON.stringify(options)],
    // The channel closes when this process ends, however it ends; the marketplace then ends too.
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  const { stdout } = child;
  if (!stdout) throw new Error('internal: the marketplace was started without a pipe.');
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(stdout), 'line').then(([first]) => String(first)),
    exited.then(([code]) => Promise.reject(new Error(`The marketplace did not start (exit code ${code}).`))),
  ]);
  const address = JSON.parse(line) as Pick<Marketplace, 'apiUrl' | 'imageHost' | 'controlUrl' | 'key'>;

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
  return {
    ...address,
    ...controls,
    close: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
