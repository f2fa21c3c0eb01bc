import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RemoteMarketplace } from '../../marketplace/spawn.ts';
import type { Bomb } from './bomb.ts';

/** Stands between the command and the marketplace, its images included, and throws one bomb. */
export class Detour {
  readonly #server: Server;
  readonly #market: RemoteMarketplace;
  #bomb: Bomb | undefined;
  #hasThrown = false;

  private constructor(server: Server, market: RemoteMarketplace) {
    this.#server = server;
    this.#market = market;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#pass(request, response).catch(() => response.destroy());
    });
  }

  static async before(market: RemoteMarketplace): Promise<Detour> {
    const server = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Detour(server, market);
  }

  get #host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get apiUrl(): string {
    return `http://${this.#host}${new URL(this.#market.apiUrl).pathname}`;
  }

  get hasThrown(): boolean {
    return this.#hasThrown;
  }

  load(bomb: Bomb): void {
    this.#bomb = bomb;
    this.#hasThrown = false;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const base = new URL(this.#market.apiUrl).pathname;
    const isApi = path.startsWith(base);
    const origin = isApi ? new URL(this.#market.apiUrl).origin : `http://${this.#market.imageHost}`;
    const key = request.headers['x-api-key'];
    const answered = await fetch(origin + path, {
      headers: typeof key === 'string' ? { 'x-api-key': key } : {},
    });
    const body = Buffer.from(await answered.arrayBuffer());
    const good = isApi ? Buffer.from(body.toString().replaceAll(this.#market.imageHost, this.#host)) : body;
    const bomb = this.#hasThrown ? undefined : this.#bomb;
    if (bomb?.thrown && bomb.at?.test(isApi ? path.slice(base.length + 1) : path) === true) {
      this.#hasThrown = true;
      const thrown = bomb.thrown(good);
      response.on('error', () => undefined);
      if (typeof thrown === 'function') thrown(response);
      else
        response
          .writeHead(thrown.status ?? 200, {
            'content-type': 'application/json',
            ...thrown.headers,
          } as Record<string, string>)
          .end(thrown.body);
      return;
    }
    const type = answered.headers.get('content-type') ?? 'application/json';
    response.writeHead(answered.status, { 'content-type': type }).end(good);
  }
}
