import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fetchModel } from '../lib/models/fetch.ts';
import type { FetchOptions } from '../lib/models/fetch.ts';
import type { ModelFile } from '../lib/models/registry.ts';

const BYTES = randomBytes(300_000);
const sha256 = createHash('sha256').update(BYTES).digest('hex');
const FILE: ModelFile = {
  name: 'tiny.onnx',
  url: 'https://huggingface.co/somebody/tiny/resolve/0123/onnx/model.onnx',
  bytes: BYTES.length,
  sha256,
};

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** All of it, or what the range asks for. */
const whole: Handler = ({ headers }, response) => {
  const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  if (start === undefined) return void response.end(BYTES);
  const range = `bytes ${start}-${BYTES.length - 1}/${BYTES.length}`;
  response.writeHead(206, { 'content-range': range }).end(BYTES.subarray(Number(start)));
};

describe('a model is fetched', () => {
  let folder = '';
  let source = '';
  let requests: IncomingMessage[] = [];
  let answer: Handler = whole;
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length);
  });

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    source = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'models-'));
    [requests, answer] = [[], whole];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const fetching = (more: Partial<FetchOptions> = {}, file = FILE): Promise<string> =>
    fetchModel(file, { folder, source, signal: new AbortController().signal, pauses: [0, 0], ...more });
  const files = async (): Promise<string[]> => (await readdir(folder)).toSorted();
  const isWhole = async (path: string): Promise<void> =>
    assert.ok((await readFile(path)).equals(BYTES), `${path} is not what was sent`);
  const cut: Handler = (request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 100_000));
    setTimeout(() => request.socket.destroy(), 20);
  };

  it('under its address, without a key or a cookie, once', async () => {
    const seen: number[] = [];
    const path = await fetching({ progress: (bytes) => seen.push(bytes) });
    assert.equal(path, join(folder, 'tiny.onnx'));
    await isWhole(path);
    assert.equal(seen.at(-1), BYTES.length);
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    assert.equal(requests[0]?.url, '/somebody/tiny/resolve/0123/onnx/model.onnx');
    const sent = Object.keys(requests[0]?.headers ?? {});
    assert.deepEqual(
      sent.filter((name) => /key|cookie|auth/.test(name)),
      [],
    );
    await fetching();
    assert.equal(requests.length, 1);
    assert.deepEqual(await files(), ['tiny.onnx']);
  });

  it('from where it broke off', async () => {
    answer = (request, response, count) => (count === 1 ? cut : whole)(request, response, count);
    await isWhole(await fetching());
    assert.deepEqual(
      requests.map(({ headers }) => headers.range),
      [undefined, 'bytes=100000-'],
    );
  });

  it('in the next start from where the last one was killed', async () => {
    await writeFile(join(folder, 'tiny.onnx.part'), BYTES.subarray(0, 12_345));
    await isWhole(await fetching());
    assert.deepEqual(
      requests.map(({ headers }) => headers.range),
      ['bytes=12345-'],
    );
    assert.deepEqual(await files(), ['tiny.onnx']);
  });

  for (const [what, part] of [
    ['of other bytes', randomBytes(1000)],
    ['that is whole but wrong', randomBytes(BYTES.length)],
    ['that is longer than the file', randomBytes(BYTES.length + 1)],
  ] as const) {
    it(`anew where there is a part ${what}`, async () => {
      await writeFile(join(folder, 'tiny.onnx.part'), part);
      await isWhole(await fetching());
      assert.deepEqual(await files(), ['tiny.onnx']);
    });
  }

  it('anew from a server that does not resume', async () => {
    await writeFile(join(folder, 'tiny.onnx.part'), BYTES.subarray(0, 5000));
    answer = (_, response) => response.end(BYTES);
    await isWhole(await fetching());
  });

  it('anew where the file there is cut in half or another one', async () => {
    for (const wrong of [BYTES.subarray(0, BYTES.length / 2), randomBytes(BYTES.length)]) {
      await writeFile(join(folder, 'tiny.onnx'), wrong);
      await isWhole(await fetching());
    }
    assert.equal(requests.length, 2);
  });

  it('not where it was put there by hand, whatever its name', async () => {
    for (const name of ['tiny.onnx', 'model (1).onnx']) {
      await writeFile(join(folder, name), BYTES);
      assert.equal(await fetching({ source: 'http://127.0.0.1:9' }), join(folder, name));
      await rm(join(folder, name));
    }
    assert.equal(requests.length, 0);
  });

  it('not where what is sent has another hash: it is never put in place', async () => {
    answer = (_, response) => response.end(randomBytes(BYTES.length));
    await assert.rejects(fetching(), (error) => {
      assert.ok(error instanceof Error && 'hint' in error);
      assert.match(
        error.message,
        /tiny\.onnx could not be fetched from https:.*what was sent is another file/s,
      );
      assert.match(String(error.hint), new RegExp(`put it there as ${folder}/tiny.onnx .*${sha256}`));
      return true;
    });
    assert.equal(requests.length, 3);
    assert.deepEqual(await files(), []);
  });

  it('not beyond its size', async () => {
    answer = (_, response) => response.end(Buffer.concat([BYTES, BYTES]));
    await assert.rejects(fetching(), /more was sent than the file has/);
    assert.equal(requests.length, 1);
    assert.ok((await readFile(join(folder, 'tiny.onnx.part'))).length <= BYTES.length);
  });

  for (const [what, location] of [
    ['another host', 'https://models.example.invalid/model.onnx'],
    ['this computer', 'http://127.0.0.1:9/model.onnx'],
    ['a known host without encryption', 'http://huggingface.co/model.onnx'],
    ['a host whose name only ends like a known one', 'https://evilhuggingface.co/model.onnx'],
    ['a file', 'file:///etc/passwd'],
  ] as const) {
    it(`not where the address leads to ${what}`, async () => {
      answer = (_, response) => void response.writeHead(302, { location }).end();
      await assert.rejects(fetching(), /which models do not come from/);
      assert.equal(requests.length, 1);
    });
  }

  it('through redirects within the source, but not round in circles', async () => {
    answer = (request, response, count) =>
      count === 1
        ? void response.writeHead(307, { location: '/elsewhere' }).end()
        : whole(request, response, count);
    await isWhole(await fetching());
    await rm(join(folder, 'tiny.onnx'));
    answer = (_, response) => void response.writeHead(302, { location: '/round' }).end();
    await assert.rejects(fetching(), /too many redirects/);
  });

  it('again after 5xx, not after 404', async () => {
    answer = (request, response, count) =>
      count < 3 ? void response.writeHead(503).end() : whole(request, response, count);
    await isWhole(await fetching());
    await rm(join(folder, 'tiny.onnx'));
    requests = [];
    answer = (_, response) => void response.writeHead(404).end('no');
    await assert.rejects(fetching(), /the answer was 404/);
    assert.equal(requests.length, 1);
  });

  it('until a stop comes, keeping what is there', async () => {
    const stop = new AbortController();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 100_000));
    };
    const fetched = fetching({
      signal: stop.signal,
      progress: (bytes) => bytes >= 100_000 && stop.abort(new Error('KILL')),
    });
    await assert.rejects(fetched, /KILL/);
    assert.equal((await readFile(join(folder, 'tiny.onnx.part'))).length, 100_000);
    answer = whole;
    await isWhole(await fetching());
    assert.equal(requests.at(-1)?.headers.range, 'bytes=100000-');
  });
});
