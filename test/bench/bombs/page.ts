import { connect } from 'node:net';
import { setTimeout as nap } from 'node:timers/promises';
import { evil } from './bomb.ts';
import { uploads } from './pictures.ts';

/** The page of the search as a browser has it that was let in. */
export interface OpenPage {
  readonly port: number;
  readonly cookie: string;
}

export interface PageBomb {
  readonly name: string;
  /** A picture of it, made before it is measured. */
  readonly bytes?: () => Promise<Buffer> | Buffer;
  readonly thrown: (page: OpenPage, bytes: Buffer) => Promise<unknown>;
}

const PATIENCE_MS = 40_000;

async function ask({ port, cookie }: OpenPage, path: string, more: RequestInit = {}): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...more,
    headers: { cookie, ...(more.headers as Record<string, string> | undefined) },
  });
  await response.arrayBuffer();
  return response;
}

/** Dropped on the page, and searched with. */
export async function drop(page: OpenPage, bytes: Buffer): Promise<void> {
  const form = new FormData();
  form.set('picture', new File([Uint8Array.from(bytes)], 'x.jpg', { type: 'image/jpeg' }));
  const answered = await ask(page, '/picture', { method: 'POST', body: form });
  const to = answered.headers.get('location');
  if (to !== null) await ask(page, to);
}

/** Bytes as they are, for so long. */
async function write({ port }: OpenPage, parts: Iterable<string | Buffer>, ms = 1500): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  const end = performance.now() + ms;
  for (const part of parts) {
    if (socket.destroyed || performance.now() > end) break;
    if (!socket.write(part))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), nap(200)]);
  }
  socket.destroy();
}

function* without(head: string, part: Buffer | string): Generator<string | Buffer> {
  yield head;
  for (;;) yield part;
}

const post = ({ port, cookie }: OpenPage, more: string): string =>
  `POST /picture HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncookie: ${cookie}\r\ncontent-type: multipart/form-data; boundary=x\r\n${more}\r\n`;

const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`;

export const page: readonly PageBomb[] = [
  ...uploads.map(({ name, bytes }): PageBomb => ({
    name: `upload: ${name}`,
    bytes,
    thrown: drop,
  })),
  {
    name: 'upload without end, in chunks',
    thrown: (open) => write(open, without(post(open, 'transfer-encoding: chunked\r\n'), chunk)),
  },
  {
    name: 'upload of 10 GB, as announced',
    thrown: (open) => write(open, without(post(open, 'content-length: 10000000000\r\n'), chunk)),
  },
  {
    name: 'a form of 100,000 fields',
    thrown: (open) => {
      const field = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n';
      return ask(open, '/picture', {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: `${field.repeat(100_000)}--x--\r\n`,
      });
    },
  },
  {
    name: 'a form of 9 MB of boundaries',
    thrown: (open) =>
      ask(open, '/picture', {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\n'.repeat(1_900_000),
      }),
  },
  {
    name: 'headers without end',
    thrown: (open) => write(open, without('GET / HTTP/1.1\r\n', `x-a: ${'b'.repeat(4000)}\r\n`)),
  },
  {
    name: '300 connections that say nothing',
    thrown: async ({ port }) => {
      const open = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
      await nap(500);
      for (const socket of open) socket.destroy();
    },
  },
  ...(
    [
      ['words of 7 kB', `q=${'a'.repeat(7000)}`],
      ['1,700 words', `q=${'a+'.repeat(1700)}`],
      ['words that are operators', `q=${encodeURIComponent('" OR * NEAR( AND NOT ^ - ( '.repeat(70))}`],
      ['hostile words', `q=${encodeURIComponent(evil(500).replaceAll('\ud800', ''))}`],
      ['1,000 pictures and listings', 'like=1&picture=a&'.repeat(400)],
      ['a page far away', 'q=piece&page=999999999999999'],
    ] as const
  ).map(([name, query]): PageBomb => ({
    name: `a search with ${name}`,
    thrown: (open) => ask(open, `/search?${query}`),
  })),
];
