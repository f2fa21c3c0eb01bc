import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const USAGE = new URL('./children/usage.mjs', import.meta.url);
const START = fileURLToPath(new URL('./children/start.js', import.meta.url));

/** What a process has cost, by its own account. */
export interface Usage {
  /** When it ended, epoch milliseconds with a fraction. */
  readonly endedAt: number;
  /** User and system time of all its threads, from the start of node on. */
  readonly cpuMs: number;
  /** The same up to its first request by fetch; null where there was none. */
  readonly startCpuMs: number | null;
  readonly maxRssKb: number;
}

/** What makes a process of node give that account: modules to load first, and the environment they want. */
export interface Account {
  readonly imports: readonly URL[];
  readonly env: NodeJS.ProcessEnv;
  /** Once the process has ended. */
  read(): Promise<Usage>;
}

export function accountIn(folder: string): Account {
  const file = join(folder, 'usage.json');
  return {
    imports: [USAGE],
    env: { BENCH_USAGE: file },
    read: async () => JSON.parse(await readFile(file, 'utf8')) as Usage,
  };
}

/** Runs one of children/ to its end, in a folder that is gone afterwards. @throws Error when it fails */
export function runChild(module: string, input: unknown): Promise<Usage> {
  return inFolder(async (folder) => {
    const file = join(folder, 'input.json');
    await writeFile(file, JSON.stringify(input));
    return runNode([START, module, file], folder);
  });
}

/** What node alone costs. */
export function runNothing(): Promise<Usage> {
  return inFolder((folder) => runNode(['-e', '0'], folder));
}

async function runNode(args: readonly string[], folder: string): Promise<Usage> {
  const account = accountIn(folder);
  const flags = account.imports.flatMap((module) => ['--import', module.href]);
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...account.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
  return account.read();
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sync-data-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
