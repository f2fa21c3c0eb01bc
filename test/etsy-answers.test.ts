import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BodyTooLarge, readBody } from '../lib/etsy/body.ts';
import { ApiError, rootCause } from '../lib/etsy/errors.ts';

describe('the body of an answer', () => {
  const LIMIT = 64 * 1024;
  const answers = new Map<string, (response: ServerResponse) => void>();
  const server = createServer((request, response) => {
    const answer = answers.get(request.url ?? '');
    if (answer) answer(response);
    else response.end();
  });
  let origin = '';

  before(async () => {
    await new Promise<void>((listening) => {
      server.listen(0, '127.0.0.1', listening);
    });
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const bodyOf = async (answer: (response: ServerResponse) => void): Promise<Buffer> => {
    answers.set('/body', answer);
    return readBody(await fetch(`${origin}/body`), LIMIT);
  };

  it('comes whole, up to the limit', async () => {
    for (const size of [0, 1, LIMIT]) {
      const bytes = Buffer.alloc(size, 'é');
      assert.deepEqual(await bodyOf((response) => response.end(bytes)), bytes);
      const unannounced = await bodyOf((response) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked' });
        response.end(bytes);
      });
      assert.deepEqual(unannounced, bytes);
    }
  });

  it('comes unpacked, though its announced length is that of the packed one', async () => {
    const bytes = Buffer.alloc(LIMIT - 1, 'x');
    const got = await bodyOf((response) => {
      const packed = gzipSync(bytes);
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length });
      response.end(packed);
    });
    assert.deepEqual(got, bytes);
  });

  it('is refused where it is announced to pass the limit', async () => {
    await assert.rejects(
      bodyOf((response) => {
        response.writeHead(200, { 'content-length': LIMIT + 1 });
        response.write('x');
      }),
      BodyTooLarge,
    );
  });

  it('is refused as soon as it does pass the limit, without end or unpacked', async () => {
    await assert.rejects(
      bodyOf((response) => {
        const more = (): void => {
          if (!response.destroyed && response.write(Buffer.alloc(16 * 1024))) setImmediate(more);
        };
        response.on('drain', more);
        more();
      }),
      BodyTooLarge,
    );
    await assert.rejects(
      bodyOf((response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync(Buffer.alloc(LIMIT * 100)));
      }),
      BodyTooLarge,
    );
  });

  it('is an error where it was cut', async () => {
    await assert.rejects(
      bodyOf((response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half of it', () => response.destroy());
      }),
    );
    await assert.rejects(
      bodyOf((response) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked' });
        response.write('half of it', () => response.destroy());
      }),
    );
    const short = new Response('half', { headers: { 'content-length': '100' } });
    await assert.rejects(readBody(short, LIMIT), /ended after 4 of 100 bytes/);
  });
});

describe('an error of the API', () => {
  it('names its endpoint, and the innermost reason of a failed fetch', async () => {
    const error = new ApiError('client', 'shops/5', 'HTTP 404: gone', { status: 404 });
    assert.deepEqual([error.message, error.status], ['shops/5: HTTP 404: gone', 404]);
    const refused = await fetch('http://127.0.0.1:1/').catch((reason: unknown) => reason);
    assert.match(rootCause(refused), /ECONNREFUSED|bad port/);
    assert.equal(rootCause('text'), 'text');
    assert.equal(rootCause(new AggregateError([new Error('inner')], 'outer')), 'inner');
  });
});
