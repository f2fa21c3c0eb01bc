import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import sharp from 'sharp';
import { refuseOtherFiles } from '../../lib/models/onnx.ts';
import { decode } from '../../lib/models/pictures.ts';
import { REGISTRY } from '../../lib/models/registry.ts';
import { Guard } from '../../lib/search/page/guard.ts';
import { CRAWL, run, withFolder } from '../messages/provoke.ts';
import type { Attack } from './row.ts';

const HOST = '127.0.0.1:4967';

/** A picture whose header says other sizes than it has. */
async function claiming(width: number, height: number): Promise<Buffer> {
  const bytes = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'white' } })
    .jpeg()
    .toBuffer();
  const at = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(height, at + 5);
  bytes.writeUInt16BE(width, at + 7);
  return bytes;
}

export const pictures: readonly Attack[] = [
  {
    claim: 'The page of the search is served on this computer alone',
    name: 'other hosts, other pages, other users, and a guess at the token',
    fails: async () => {
      const guard = new Guard();
      guard.listensOn(4967);
      const app = new Hono();
      app.use(guard.check);
      app.all('*', (context) => context.text('in'));
      const status = async (path: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
        (await app.request(`http://${HOST}${path}`, { method, headers: { host: HOST, ...headers } })).status;
      const entered = await app.request(`http://${HOST}${guard.entrance}`, { headers: { host: HOST } });
      const set = entered.headers.get('set-cookie') ?? '';
      assert.match(set, /HttpOnly; SameSite=Strict/);
      const cookie = set.split(';')[0] ?? '';
      assert.equal(await status('/', { cookie }), 200);
      assert.equal(await status('/', {}), 401);
      assert.equal(await status('/', { cookie: cookie.slice(0, -1) }), 401);
      for (const host of ['evil.example', '127.0.0.1', '127.0.0.1:4968', '127.0.0.1.evil.example:4967'])
        assert.equal(await status('/', { cookie, host }), 421, host);
      for (const origin of ['http://evil.example', 'null', `https://${HOST}`])
        assert.equal(await status('/picture', { cookie, origin }, 'POST'), 403, origin);
      assert.equal(await status('/picture', { cookie, 'sec-fetch-site': 'cross-site' }, 'POST'), 403);
      assert.equal(await status('/', { cookie }, 'DELETE'), 405);
      assert.match(entered.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.match(await readFile('lib/search/page/serve.ts', 'utf8'), /hostname: '127\.0\.0\.1'/);
    },
  },
  {
    claim: 'A picture is looked at before it is decoded',
    name: 'pictures of 4 gigapixels, of 21 MB, of kinds that nobody asked for, and one of 24 megapixels',
    fails: async () => {
      await assert.rejects(decode(await claiming(65_000, 65_000)), /pixel/);
      await assert.rejects(decode(Buffer.alloc(21_000_000)), /at most 20971520 are read/);
      for (const text of [
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        'GIF89a',
        '%PDF-1.4',
      ])
        await assert.rejects(decode(Buffer.from(text)), text);
      const print = sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'teal' } });
      await assert.rejects(
        decode(await print.toColourspace('cmyk').jpeg().toBuffer()),
        /at most 6250000 are/,
      );
      const large = sharp({ create: { width: 6000, height: 4000, channels: 3, background: 'teal' } });
      const { width, height } = await decode(await large.jpeg().toBuffer());
      assert.deepEqual([width, height], [2048, 1365]);
    },
  },
  {
    claim: 'A model is named in the code with its size and SHA-256',
    name: 'models without a hash, from other hosts, and one that reads other files',
    fails: () => {
      const models = [...REGISTRY.cutouts, ...REGISTRY.embeddings];
      const named = JSON.stringify(models);
      assert.ok(models.length > 3);
      for (const [address] of named.matchAll(/"https?:[^"]*"/g)) assert.match(address, /^"https:\/\//);
      const files = Array.from(named.matchAll(/"sha256":"([^"]*)"/g), ([, hash]) => hash ?? '');
      assert.ok(files.length >= models.length && files.every((hash) => /^[\da-f]{64}$/.test(hash)));
      // Field 13 of a tensor is where its data lies outside; a model, its graph, its tensor around it.
      const within = (field: number, bytes: Buffer): Buffer =>
        Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes]);
      const tensor = within(13, Buffer.from('location../../etc/passwd'));
      assert.throws(() => refuseOtherFiles(within(7, within(5, tensor))), /weights in another file/);
    },
  },
  {
    claim: 'An answer too large for any',
    name: 'a page of 9 MB among good ones, every time',
    fails: () =>
      withFolder(async (folder) => {
        const LISTING = {
          listing_id: 1,
          shop_id: 9,
          state: 'active',
          title: 'A table',
          when_made: 'made_to_order',
          taxonomy_id: 12372,
          price: { amount: 100, divisor: 100, currency_code: 'USD' },
        };
        const good = JSON.stringify({ count: 1, results: [LISTING] });
        let bombs = 0;
        const { text } = await run(folder, {
          stages: CRAWL.replace('[12371]', '[12371, 12372]'),
          answer: (url) => {
            if (!url.includes('=12371')) return { body: good };
            bombs += 1;
            return { body: Buffer.alloc(9 * 2 ** 20, '[') };
          },
        });
        assert.ok(bombs >= 3 && bombs <= 6, String(bombs));
        assert.match(text, /larger than the 8 MB allowed/);
        assert.match(text, /listings +1 new/);
      }),
  },
];
