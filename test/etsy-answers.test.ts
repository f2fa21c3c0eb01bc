import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { BodyTooLarge, answerOf, readBody, readerOf } from '../lib/etsy/body.ts';
import { ApiError, rootCause } from '../lib/etsy/errors.ts';
import { ApiKey } from '../lib/etsy/key.ts';
import { READ, listing, listingImage, review, shop, sortOut } from '../lib/etsy/schemas.ts';
import { eachText, wellFormed } from '../lib/text/clean.ts';

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

describe('what an answer says', () => {
  const [KEYSTRING, SECRET] = ['abcdefgh12345678ijklmnop', 'q1w2e3r4t5'];
  const key = new ApiKey(KEYSTRING, SECRET);
  /** Pieces of strings as they stand in JSON: of each kind that is read in a way of its own, and bytes that are no UTF-8. */
  const piece = fc.oneof(
    fc.constantFrom('a', ' – ', 'é', '家具', '🪑', '\u00a0', '\u200b', '\ufffd', '\x7f', '\u0080'),
    fc.constantFrom('\\n', '\\"', '\\u00e9', '\\u0041', '\\u0000', '\\ud800', '\\ud83e\\ude91', '\\b'),
    fc.integer({ min: 0x80, max: 0xff }).map((byte) => Buffer.of(byte)),
    fc.constantFrom(Buffer.of(0xe2, 0x82), Buffer.of(0xf0, 0x9f), Buffer.of(0xed, 0xa0, 0x80)),
  );
  const text = fc
    .array(piece, { maxLength: 8 })
    .map((pieces) => Buffer.concat(['"', ...pieces, '"'].map((part) => Buffer.from(part as string))));
  const answer = fc
    .tuple(fc.boolean(), fc.array(text, { minLength: 1, maxLength: 6 }))
    .map(([hasMark, texts]) =>
      Buffer.concat([
        Buffer.from(hasMark ? '\ufeff[' : '['),
        ...texts.flatMap((one) => [one, Buffer.from(',')]),
        Buffer.from('{"é":"ü"}]'),
      ]),
    );

  it('is what JSON.parse makes of it, whatever it is encoded in', () => {
    fc.assert(
      fc.property(answer, (bytes) => {
        const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
        assert.deepEqual(answerOf(bytes, key), eachText(parsed, wellFormed));
      }),
      { numRuns: 2000 },
    );
  });

  it('is without the key, whatever stands between its letters and in whatever encoding the rest is', () => {
    const hiding = fc.constantFrom('', '\u200b', '\\u200b', '\\u0000', '\u00ad', '\\n', '\\t\\r', '\x7f');
    const spelling = fc.constantFrom(
      (letter: string) => letter,
      (letter: string) => `\\u00${letter.charCodeAt(0).toString(16)}`,
    );
    fc.assert(
      fc.property(hiding, spelling, fc.constantFrom('', 'é', '\\u00e9'), (between, spelt, beside) => {
        const spoken = Array.from(KEYSTRING, spelt).join(between);
        const bytes = Buffer.from(`{"results":[{"title":"${beside} x ${spoken} y"}]}`);
        const said = JSON.stringify(answerOf(bytes, key, READ.listings));
        assert.match(said, /x \[key\] y/);
      }),
    );
  });

  it('is the same to a record, whether all of it is read or only what is kept', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('é \0 \ud800', `so ${KEYSTRING}`),
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer({ min: 1 }),
      fc.boolean(),
    );
    const recordOf = (schema: { shape: object }): fc.Arbitrary<Record<string, unknown>> =>
      fc.record(
        Object.fromEntries([...Object.keys(schema.shape), 'other', '__proto__'].map((name) => [name, value])),
        { requiredKeys: [] },
      );
    const withParts = fc
      .tuple(recordOf(listing), fc.array(recordOf(listingImage), { maxLength: 3 }), recordOf(shop))
      .map(([record, images, one]) => ({ ...record, listing_id: 1, shop_id: 2, images, shop: one }));
    const kinds = [
      { records: withParts, schema: listing, kept: READ.listings },
      { records: recordOf(review), schema: review, kept: READ.reviews },
    ];
    for (const { records, schema, kept } of kinds)
      fc.assert(
        fc.property(fc.array(records, { maxLength: 4 }), (results) => {
          const bytes = Buffer.from(JSON.stringify({ count: 1, results }));
          const read = (answerOf(bytes, key, kept) as { results: unknown[] }).results;
          const whole = (answerOf(bytes, key) as { results: unknown[] }).results;
          const of = (rows: unknown[]) => {
            const { good, rejected, misfits } = sortOut(schema as typeof listing, rows);
            const parts = good.map((one) => [
              sortOut(listingImage, one.images ?? []).good,
              sortOut(shop, [one.shop]).good,
            ]);
            // What is not read of a part is not looked at either: the part is what its schema makes of it.
            const bare = good.map((one) => ({ ...one, images: null, shop: null }));
            return { bare, parts, misfits, reasons: rejected.map(({ reason }) => reason) };
          };
          assert.deepEqual(of(read), of(whole));
          // Asked for all of it later, the same value is what it would have been at once.
          const reader = readerOf(bytes, key);
          const partly = reader(kept);
          assert.equal(reader(), partly);
          assert.deepEqual(partly, answerOf(bytes, key));
          assert.doesNotMatch(JSON.stringify(of(read)), new RegExp(KEYSTRING));
        }),
      );
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
