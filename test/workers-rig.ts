import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PicturesRig } from './pictures-rig.ts';
import { Command } from './rig.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const SLOW = new URL('./fixtures/slow-threads.mjs', import.meta.url).href;

/** How long a job belongs to a worker that is not heard of: what takes 15 seconds takes two. Milliseconds. */
export const LOCK_MS = 2000;

/** Commands of a test that share a Redis. */
export class WorkersRig {
  readonly #url: string;
  readonly #commands: Command[] = [];
  readonly #folders: string[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Has the stages of a folder meet workers. */
  async shares(rig: PicturesRig): Promise<void> {
    const file = rig.path('pipeline.yaml');
    const settings = `workers: { redis: '${this.#url}' }\nmodels: { threads: 1 }\n`;
    await writeFile(file, settings + (await readFile(file, 'utf8')));
  }

  /** @param slowMs each picture takes the coordinator's own threads so much longer */
  coordinator(rig: PicturesRig, slowMs = 0): Command {
    return this.#start(rig.folder, path('./fixtures/fast-sync-data.js'), [], slowMs, 'coordinator');
  }

  /** @param workers NAME=KIND each; see fixtures/worker.js */
  async workers(workers: readonly string[], slowMs = 0): Promise<Command> {
    return this.#start(await this.folder(), path('./fixtures/worker.js'), workers, slowMs, workers.join(' '));
  }

  /** The real command, in an empty folder. */
  command(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
    return this.#start(folder, path('../lib/sync-data.js'), args, 0, args.join(' '), env);
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'worker-'));
    this.#folders.push(folder);
    return folder;
  }

  get transcript(): string {
    return this.#commands.map((command) => command.transcript).join('\n');
  }

  async close(): Promise<void> {
    for (const command of this.#commands) {
      command.signal('SIGCONT');
      await command.kill();
    }
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }

  #start(
    cwd: string,
    file: string,
    args: readonly string[],
    slowMs: number,
    name: string,
    env: NodeJS.ProcessEnv = {},
  ): Command {
    const child = spawn(process.execPath, [...(slowMs > 0 ? ['--import', SLOW] : []), file, ...args], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        HOME: cwd,
        TZ: 'UTC',
        npm_command: 'exec',
        TEST_REDIS: this.#url,
        TEST_LOCK_MS: String(LOCK_MS),
        TEST_QPS: 'Infinity',
        SLOW_MS: String(slowMs),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new Command(name, child);
    this.#commands.push(command);
    return command;
  }
}
