import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as nap } from 'node:timers/promises';

const isThere = spawnSync('redis-server', ['--version']).status === 0;
const HOW = 'there is no redis-server here: sudo apt-get install redis-server, or brew install redis';

/** Why tests of workers are left out; false: they are not. Under .ci/run none may be. */
export function withoutRedis(): string | false {
  if (isThere) return false;
  if (process.env['REDIS_REQUIRED'] !== undefined) throw new Error(HOW);
  return HOW;
}

/** A Redis of a test's own, on 127.0.0.1. It keeps nothing on disk. */
export class RedisServer {
  readonly port: number;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  static async open(args: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#child = spawn('redis-server', [...args, ...this.#args], { stdio: 'ignore' });
    while (!(await this.#answers())) await nap(20);
  }

  /** Ends it at once; what it held is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Sends a command, without an answer. */
  async say(command: string): Promise<void> {
    const socket = createConnection(this.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    await once(socket, 'data');
    socket.destroy();
  }

  async #answers(): Promise<boolean> {
    try {
      await this.say('PING');
      return true;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
