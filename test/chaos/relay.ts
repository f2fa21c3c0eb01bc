import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/**
 * through: as if it were not there. refuse: nobody listens. cut: the connection breaks in the middle of the answer.
 * silent: connections are accepted, and nothing ever comes. A URL: every request is answered with a redirect to it.
 */
export type Mode = 'through' | 'refuse' | 'cut' | 'silent' | { readonly redirectTo: string };

/** Stands between the command and the marketplace's API, and lets the network between them go bad. */
export class Relay {
  readonly #server: Server;
  readonly #target: URL;
  readonly #port: number;
  readonly #open = new Set<Socket>();
  #mode: Mode = 'through';
  #left = Infinity;
  #reached: () => void = () => undefined;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    this.#port = (server.address() as AddressInfo).port;
    server.on('connection', (client: Socket) => this.#accept(client));
  }

  static async before(apiUrl: string): Promise<Relay> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server, new URL(apiUrl));
  }

  /** What to name as the API's base URL instead. */
  url(host: '127.0.0.1' | 'localhost' = '127.0.0.1'): string {
    return `http://${host}:${this.#port}${this.#target.pathname}`;
  }

  /** Resolves when the request of that number, counted from now, has come in; the mode is changed before it goes on. */
  async atRequest(number: number, mode: Mode): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#left = number;
      this.#reached = () => {
        this.become(mode);
        resolve();
      };
    });
  }

  become(mode: Mode): void {
    if (this.#mode === 'refuse' && mode !== 'refuse') this.#server.listen(this.#port, '127.0.0.1');
    if (this.#mode !== 'refuse' && mode === 'refuse') this.#server.close();
    this.#mode = mode;
    if (mode === 'refuse') this.hangUp();
  }

  /** Ends all connections. */
  hangUp(): void {
    for (const socket of this.#open) breakOff(socket);
  }

  close(): void {
    this.#server.close();
    this.hangUp();
  }

  #accept(client: Socket): void {
    const inside = connect({ port: Number(this.#target.port), host: '127.0.0.1', noDelay: true });
    // What was silent once stays so: nobody says what was to be said meanwhile.
    let dead = this.#mode === 'silent';
    client.on('data', (chunk: Buffer) => {
      if (/^[A-Z]+ \//.test(chunk.toString('latin1', 0, 12)) && (this.#left -= 1) === 0) this.#reached();
      if (typeof this.#mode === 'object') {
        client.write(
          `HTTP/1.1 307 Elsewhere\r\nlocation: ${this.#mode.redirectTo}\r\ncontent-length: 0\r\n\r\n`,
        );
        return;
      }
      dead ||= this.#mode === 'silent';
      if (!dead && this.#mode !== 'refuse') inside.write(chunk);
    });
    inside.on('data', (chunk: Buffer) => {
      dead ||= this.#mode === 'silent';
      if (dead) return;
      if (this.#mode === 'cut') client.write(chunk.subarray(0, chunk.length >> 1), () => client.destroy());
      else client.write(chunk);
    });
    for (const [socket, other] of [
      [client, inside],
      [inside, client],
    ] as const) {
      this.#open.add(socket);
      socket.on('error', () => breakOff(other));
      socket.on('close', () => {
        this.#open.delete(socket);
        other.destroySoon();
      });
    }
  }
}

/** With a reset, which one that is ending already cannot have: its handle would never close, and node would spin at its exit. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
