import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { endless, evil, jpegOf, nested, worse } from './bomb.ts';
import type { Bomb, Thrown } from './bomb.ts';

const [SEARCH, BATCH, REVIEWS, TREE] = [/^listings\/active/, /^listings\/batch/, /\/reviews/, /taxonomy/];
/** Just within what is read of an answer. Bytes. */
const FULL = 8 * 2 ** 20 - 1000;
const list = (inside: string): string => `{"count":60,"results":[${inside}]}`;
const many = (part: string, size = FULL): string =>
  part.repeat(Math.floor(size / Buffer.byteLength(part))).replace(/,$/, '');
const zeros = Buffer.alloc(256 * 2 ** 20);
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };
const packed = (encoding: string, body: Buffer): Thrown => ({
  headers: { 'content-encoding': encoding },
  body,
});

/** @param body of one answer to a search */
const page = (name: string, body: () => string): Bomb => ({
  name,
  at: SEARCH,
  thrown: () => ({ body: body() }),
});

const shapes: readonly Bomb[] = [
  page('48 MB of brackets', () => nested(24e6)),
  page('8 MB of brackets', () => nested(4e6)),
  page('8 MB of opening brackets in the list', () => list(many('['))),
  page('8 MB of nested blocks', () => '{"a":'.repeat(FULL / 6) + '1' + '}'.repeat(FULL / 6)),
  page('8 MB of empty blocks', () => list(many('{},'))),
  page('150,000 values of blocks in blocks', () => list(many('{"a":{"b":{}}},', 37_000 * 15))),
  page('8 MB of texts of one letter', () => list(many('"a",'))),
  page('149,000 different keys in a record', () =>
    list(`{${Array.from({ length: 149_000 }, (_, at) => `"k${at}":1`).join(',')}}`),
  ),
  page('149,000 numbers as keys', () =>
    list(`{${Array.from({ length: 149_000 }, (_, at) => `"${4_294_967_294 - at * 97}":1`).join(',')}}`),
  ),
  page('a number of 8 million digits', () => list(many('9'))),
  page('a text of 8 MB of escapes', () => list(`"${many('\\u0041')}"`)),
  page('a text of 8 MB that never ends', () => `{"error":"${many('\\"')}`),
  page('8 MB that is no JSON', () => many('<p>&#x61;')),
  page('149,000 rows', () => list(many('1,', 298_000))),
  page('a count that is no count', () => `{"count":1e400,"results":[]}`),
];

const wire: readonly Bomb[] = [
  { name: '256 MB of zeros in gzip', at: SEARCH, thrown: () => packed('gzip', gzipSync(zeros)) },
  {
    name: '256 MB of zeros in brotli',
    at: SEARCH,
    thrown: () => packed('br', brotliCompressSync(zeros, QUICK)),
  },
  { name: 'gzip within gzip', at: SEARCH, thrown: () => packed('gzip, gzip', gzipSync(gzipSync(zeros))) },
  {
    name: '700 encodings',
    at: SEARCH,
    thrown: () => packed(Array(700).fill('gzip').join(','), gzipSync('{}')),
  },
  {
    name: 'a body without end, in chunks',
    at: SEARCH,
    thrown: () => endless({ 'content-type': 'application/json' }, Buffer.alloc(65_536, '[')),
  },
  {
    name: 'headers without end',
    at: SEARCH,
    thrown: () => (response) => {
      const socket = response.socket;
      socket?.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        while (socket && !socket.destroyed && socket.write(`x-${'h'.repeat(200)}: ${'v'.repeat(8000)}\r\n`));
      };
      socket?.on('drain', more).on('error', () => undefined);
      more();
    },
  },
  {
    name: 'a hundred large headers',
    at: SEARCH,
    thrown: () => ({
      headers: Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`x-${at}`, evilHeader])),
      body: '{}',
    }),
  },
  ...[
    ['an error of 20 MB', 500, () => JSON.stringify({ error: evil(20e6) })],
    ['a refusal of 20 MB', 400, () => JSON.stringify({ error: evil(20e6) })],
    ['an error nested 4 million levels', 500, () => `{"error":${nested(4e6)}}`],
    ['a page of 20 MB in place of an error', 502, () => '<p>'.repeat(7e6)],
  ].map(([name, status, body]): Bomb => ({
    name: String(name),
    at: SEARCH,
    thrown: () => ({ status: Number(status), body: (body as () => string)() }),
  })),
];

const evilHeader = '%41&#x61;'.repeat(80);

const TEXTS = ['title', 'description', 'url', 'state', 'when_made', 'who_made', 'language', 'style'];
const inEach = (size: number) => (record: Record<string, unknown>) => ({
  ...record,
  ...Object.fromEntries(TEXTS.map((field) => [field, evil(size)])),
  tags: [evil(size)],
  materials: [evil(size)],
});

const records: readonly Bomb[] = [
  {
    name: 'a record 20,000 levels deep',
    at: SEARCH,
    thrown: (good) => ({
      body: worse(good, (one) => ({ ...one, extra: '@deep@', title: 5 }), 1, { deep: nested(20_000) }),
    }),
  },
  {
    name: 'a hundred records 2,000 levels deep',
    at: SEARCH,
    thrown: (good) => ({
      body: worse(good, (one) => ({ ...one, production_partners: ['@deep@'] }), 100, { deep: nested(2000) }),
    }),
  },
  {
    name: '145,000 tags of the wrong type',
    at: SEARCH,
    thrown: (good) => ({
      body: worse(good, (one) => ({ ...one, tags: '@tags@' }), 1, { tags: `[${many('1,', 290_000)}]` }),
    }),
  },
  {
    name: 'a description of 7 MB',
    at: SEARCH,
    thrown: (good) => ({ body: worse(good, (one) => ({ ...one, description: 'd'.repeat(7e6) })) }),
  },
  {
    name: '7 MB of hostile text in every field of one record',
    at: SEARCH,
    thrown: (good) => ({ body: worse(good, inEach(300_000)) }),
  },
  {
    name: '7 MB of hostile text in all fields of a page',
    at: SEARCH,
    thrown: (good) => ({ body: worse(good, inEach(4000), 100) }),
  },
  {
    name: 'a page of listings in which every field is wrong',
    at: SEARCH,
    thrown: (good) => ({
      body: worse(
        good,
        (one) => Object.fromEntries(Object.keys(one).map((field) => [field, { [field]: [[field]] }])),
        100,
      ),
    }),
  },
  {
    name: 'a batch with 74,000 images of one listing',
    at: BATCH,
    thrown: (good) => ({
      body: worse(good, (one) => ({ ...one, images: '@images@' }), 1, {
        images: `[${many('{},', 222_000)}]`,
      }),
    }),
  },
  {
    name: 'a batch with 7 MB of hostile text in each shop',
    at: BATCH,
    thrown: (good) => ({
      body: worse(
        good,
        (one) => ({
          ...one,
          shop: { ...(one['shop'] as object), shop_name: evil(70_000), url: evil(30_000) },
        }),
        60,
      ),
    }),
  },
  {
    name: 'reviews with 7 MB of hostile text',
    at: REVIEWS,
    thrown: (good) => ({ body: worse(good, (one) => ({ ...one, review: evil(1e6) }), 5) }),
  },
  { name: 'reviews: 149,000 rows', at: REVIEWS, thrown: () => ({ body: list(many('1,', 298_000)) }) },
  {
    name: 'a tree of categories 100,000 levels deep',
    at: TREE,
    thrown: () => ({ body: list(nested(100_000, '{"id":1,"name":"a","children":[', ']}')) }),
  },
  {
    name: 'a tree of 49,000 categories',
    at: TREE,
    thrown: () => ({
      body: list(Array.from({ length: 49_000 }, (_, at) => `{"id":${at + 1},"name":"n${at}"}`).join(',')),
    }),
  },
  {
    name: 'a tree of 49,000 categories with long names',
    at: TREE,
    thrown: () => ({
      body: list(
        Array.from({ length: 49_000 }, (_, at) => `{"id":${at + 1},"name":"${'n'.repeat(150)}"}`).join(','),
      ),
    }),
  },
];

const image = (name: string, thrown: () => Thrown): Bomb => ({
  name: `an image: ${name}`,
  at: /^\/(?!v3)/,
  thrown,
});

const images: readonly Bomb[] = [
  image('256 MB of zeros in gzip', () => packed('gzip', gzipSync(zeros))),
  image('without end', () => endless({ 'content-type': 'image/jpeg' }, Buffer.alloc(65_536, 0xff))),
  image('19 MB of fill bytes', () => ({ body: jpegOf(Buffer.alloc(19e6, 0xff)) })),
  image('19 MB of segments without content', () => ({
    body: jpegOf(Buffer.from('ffe00002'.repeat(4.7e6), 'hex')),
  })),
  image('a content type and an address of 8 kB', () => ({
    headers: { 'content-type': evilHeader.repeat(10) },
    body: 'x',
  })),
];

export const answers: readonly Bomb[] = [...shapes, ...wire, ...records, ...images];
