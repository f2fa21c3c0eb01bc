import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PicturesRig } from './pictures-rig.ts';
import { Command } from './rig.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const HELD = new URL('./fixtures/held-threads.mjs', import.meta.url).href;

/** How long a job belongs to a worker that is not heard of: what takes 15 seconds takes two. Milliseconds. */
export const LOCK_MS = 2000;

/** Commands of a test that share a Redis. */
export class WorkersRig {
  readonly #url: string;
  readonly #commands: Command[] = [];
  readonly #folders: string[] = [];
  readonly #gates: string;

  private constructor(url: string, gates: string) {
    this.#url = url;
    this.#gates = gates;
    this.#folders.push(gates);
  }

  static async open(url: string): Promise<WorkersRig> {
    return new WorkersRig(url, await mkdtemp(join(tmpdir(), 'gates-')));
  }

  /** Has the stages of a folder meet workers. */
  async shares(rig: PicturesRig): Promise<void> {
    const file = rig.path('pipeline.yaml');
    const settings = `workers: { redis: '${this.#url}' }\nmodels: { threads: 1 }\n`;
    await writeFile(file, settings + (await readFile(file, 'utf8')));
  }

  /** Its own threads are held; see lets(). */
  coordinator(rig: PicturesRig): Command {
    return this.#start(rig.folder, path('./fixtures/fast-sync-data.js'), [], 'coordinator', true);
  }

  /**
   * @param workers NAME=KIND each; see fixtures/worker.js
   * @param isHeld as the coordinator's threads
   */
  async workers(workers: readonly string[], isHeld = false): Promise<Command> {
    return this.#start(await this.folder(), path('./fixtures/worker.js'), workers, workers.join(' '), isHeld);
  }

  /** The real command, in an empty folder. */
  command(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
    return this.#start(folder, path('../lib/sync-data.js'), args, args.join(' '), false, env);
  }

  /** From now on threads that are held do this work. */
  async lets(...works: readonly ('cutout' | 'image')[]): Promise<void> {
    for (const work of works) await writeFile(join(this.#gates, work), '');
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
    name: string,
    isHeld: boolean,
    env: NodeJS.ProcessEnv = {},
  ): Command {
    const child = spawn(process.execPath, [...(isHeld ? ['--import', HELD] : []), file, ...args], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        HOME: cwd,
        TZ: 'UTC',
        npm_command: 'exec',
        TEST_REDIS: this.#url,
        TEST_LOCK_MS: String(LOCK_MS),
        TEST_QPS: 'Infinity',
        TEST_GATES: this.#gates,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const command = new Command(name, child);
    this.#commands.push(command);
    return command;
  }
}
