import type { Worker } from 'node:worker_threads';
import type { Kind } from '../kinds.ts';
import { startThread } from '../thread.ts';
import type { Order } from './draw.ts';
import { drawn } from './drawn.ts';

export interface Gallery {
  /** A drawing as a JPEG file; drawn when it is first asked for, unless it is kept. */
  jpeg(kind: Kind, drawing: number): Promise<Buffer>;
  close(): Promise<void>;
}

export function createGallery(): Gallery {
  const known = new Map<string, Promise<Buffer>>();
  /** Orders the worker has not delivered yet; it works through them one by one. */
  const waiting: ((jpeg: Buffer) => void)[] = [];
  let worker: Worker | undefined;

  function hire(): Worker {
    const hired = startThread(new URL('./draw.ts', import.meta.url));
    hired.on('message', (jpeg: Uint8Array) => waiting.shift()?.(Buffer.from(jpeg)));
    return hired;
  }

  function draw(order: Order): Promise<Buffer> {
    worker ??= hire();
    worker.postMessage(order);
    return new Promise((resolve) => waiting.push(resolve));
  }

  return {
    jpeg(kind, drawing) {
      const name = `${kind} ${drawing}`;
      const coming = known.get(name) ?? drawn({ kind, drawing }, draw);
      known.set(name, coming);
      return coming;
    },
    close: async () => {
      await worker?.terminate();
    },
  };
}
