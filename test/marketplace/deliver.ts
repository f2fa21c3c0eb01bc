/** Puts an answer on the wire, whole or as a fault has it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

export interface Delivery {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Break off half-way through the body. */
  truncated?: boolean;
  /** Spread the body over so many milliseconds. */
  dripMs?: number;
  /** Leave out content-length and send the body chunked. */
  chunked?: boolean;
}

const DRIPS = 20;

export async function deliver(to: ServerResponse, delivery: Delivery): Promise<void> {
  const { status, headers, body, truncated, dripMs, chunked } = delivery;
  if (to.destroyed) return;
  to.writeHead(status, chunked ? headers : { ...headers, 'content-length': String(body.length) });
  if (truncated) {
    to.write(body.subarray(0, body.length >> 1), () => to.destroy());
    return;
  }
  if (dripMs) {
    const size = Math.ceil(body.length / DRIPS) || 1;
    for (let sent = 0; sent < body.length && !to.destroyed; sent += size) {
      to.write(body.subarray(sent, sent + size));
      await sleep(dripMs / DRIPS, undefined, { ref: false });
    }
  }
  to.end(dripMs ? undefined : body);
}

/** Destroys the connection so that the client sees a reset, not an end. */
export function reset(request: IncomingMessage): void {
  request.socket.resetAndDestroy();
}

/** The body and the headers that go with it, gzipped where the client takes that. */
export function packed(request: IncomingMessage, body: Buffer, compress: boolean) {
  const accepted = /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  if (!compress || !accepted) return { body, headers: {} };
  return { body: gzipSync(body, { level: 1 }), headers: { 'content-encoding': 'gzip' } };
}
