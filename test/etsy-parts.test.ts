import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import type {
  IListingImage,
  IMoney,
  IShop,
  IShopListing,
  IShopListingWithAssociations,
  ITransactionReview,
} from 'etsy-ts';
import * as fc from 'fast-check';
import { z } from 'zod';
import { BodyTooLarge, readBody } from '../lib/etsy/body.ts';
import { MIN_IMAGE_BYTES, jpegFault } from '../lib/etsy/cdn.ts';
import { ApiError, rootCause } from '../lib/etsy/errors.ts';
import { allowedHost, imageParts } from '../lib/etsy/image-url.ts';
import { ApiKey, findKey } from '../lib/etsy/key.ts';
import { createdAt, envelope, listing, listingImage, review, shop, sortOut } from '../lib/etsy/schemas.ts';
import type { Listing, ListingImage, Review, Shop } from '../lib/etsy/schemas.ts';
import { retryAfterMs, sleep } from '../lib/etsy/time.ts';

const DIGITS = '0123456789abcdef'.split('');
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'.split('');
const hex = fc.string({ unit: fc.constantFrom(...DIGITS), minLength: 6, maxLength: 6 });
const suffix = fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 4, maxLength: 4 });

describe('the parts of an image URL', () => {
  it('are found in every size, path and version', () => {
    fc.assert(
      fc.property(
        hex,
        suffix,
        fc.integer({ min: 1 }),
        fc.constantFrom('570xN', '75x75', '170x135', 'fullxfull', '1588xN'),
        fc.constantFrom('r/il', 'd/il', 'c/1000/795/0/12/il'),
        fc.constantFrom('', '?version=0'),
        (hex, suffix, id, size, path, version) => {
          const url = `https://i.etsystatic.com/7/${path}/${hex}/${id}/il_${size}.${id}_${suffix}.jpg${version}`;
          assert.deepEqual(imageParts(url), { hex, suffix });
        },
      ),
    );
  });

  it('are undefined for another shape', () => {
    for (const url of [
      '',
      'https://i.etsystatic.com/7/r/il/a1b2c3/5/il_570xN.5_x1y2.png',
      'https://i.etsystatic.com/7/r/il/A1B2C3/5/il_570xN.5_x1y2.jpg',
      'https://i.etsystatic.com/7/r/il/a1b2c3/5/il_570xN.5.jpg',
      'https://i.etsystatic.com/7/r/il/a1b2c3/five/il_570xN.5_x1y2.jpg',
      'https://i.etsystatic.com/7/r/il/a1b2c3/5/il_570xN.5_x1y2.jpg.exe',
      'https://i.etsystatic.com/iusa/7/1/iusa_75x75.1_x1y2.jpg',
    ]) {
      assert.equal(imageParts(url), undefined, url);
    }
  });
});

describe('the hosts that images may come from', () => {
  const hosts = ['i.etsystatic.com', '127.0.0.1', 'localhost:8080', '[::1]:9'];

  it('are those of the list, over HTTPS, or HTTP on this machine', () => {
    for (const url of [
      'https://i.etsystatic.com/7/r/il/a1b2c3/5/il_570xN.5_x1y2.jpg',
      'https://I.ETSYSTATIC.COM/x.jpg',
      'https://i.etsystatic.com:8443/x.jpg',
      'https://i.etsystatic.com:443/x.jpg',
      'http://127.0.0.1:4567/x.jpg',
      'http://0x7f.1/x.jpg',
      'http://localhost:8080/x.jpg',
      'http://[::1]:9/x.jpg',
    ]) {
      assert.ok(allowedHost(url, hosts), url);
    }
  });

  it('are no others, however they dress up', () => {
    for (const url of [
      '',
      'i.etsystatic.com/x.jpg',
      '//i.etsystatic.com/x.jpg',
      'http://i.etsystatic.com/x.jpg',
      'ftp://i.etsystatic.com/x.jpg',
      'file:///i.etsystatic.com/x.jpg',
      'data:image/jpeg;base64,AAAA',
      'https://etsystatic.com/x.jpg',
      'https://x.i.etsystatic.com/x.jpg',
      'https://i.etsystatic.com.example.org/x.jpg',
      'https://i.etsystatic.com@example.org/x.jpg',
      'https://example.org\\@i.etsystatic.com/x.jpg',
      'https://example.org#@i.etsystatic.com/x.jpg',
      'https://example.org?@i.etsystatic.com/x.jpg',
      'https://user@i.etsystatic.com/x.jpg',
      'https://user:secret@i.etsystatic.com/x.jpg',
      'https://i.etsystatic.com。example.org/x.jpg',
      'https://i.etsystat\u0456c.com/x.jpg',
      'https://i.etsystatic.com./x.jpg',
      'https://i.etsystatic.com%2eexample.org/x.jpg',
      'http://localhost:8081/x.jpg',
      'http://localhost/x.jpg',
      'https://localhost:80800/x.jpg',
      'http://127.0.0.2/x.jpg',
      'http://169.254.169.254/x.jpg',
      'http://[::1]:10/x.jpg',
      'http://[::ffff:127.0.0.1]/x.jpg',
    ]) {
      assert.ok(!allowedHost(url, hosts), url);
    }
  });

  it('are none where the list is empty', () => {
    assert.ok(!allowedHost('https://i.etsystatic.com/x.jpg', []));
  });

  it('are exactly those a fetch would turn to', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['http', 'https'], withFragments: true }), (url) => {
        const { hostname, protocol } = new URL(url);
        assert.equal(allowedHost(url, [hostname]), protocol === 'https:');
        assert.ok(!allowedHost(url, hosts) || hosts.includes(hostname));
      }),
    );
  });
});

describe('time', () => {
  const NOW = Date.parse('2026-08-17T12:00:00Z');

  it('of a retry-after header is seconds or a date', () => {
    for (const [header, ms] of [
      ['1', 1000],
      [' 2.5 ', 2500],
      ['0', 0],
      ['-3', 0],
      ['86400', 86_400_000],
      ['Mon, 17 Aug 2026 12:00:30 GMT', 30_000],
      ['Mon, 17 Aug 2026 11:00:00 GMT', 0],
      ['', undefined],
      ['  ', undefined],
      ['soon', undefined],
      ['Infinity', undefined],
      ['NaN', undefined],
    ] as const) {
      assert.equal(retryAfterMs(header, NOW), ms, header);
    }
    assert.equal(retryAfterMs(null, NOW), undefined);
  });

  it('of a retry-after header is never in the past, whatever it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date({ noInvalidDate: true }).map(String)), (header) => {
        const ms = retryAfterMs(header, NOW);
        assert.ok(ms === undefined || (ms >= 0 && Number.isFinite(ms)), String(ms));
      }),
    );
  });

  it('of sleep ends with the reason of its signal, before it or while it lasts', async () => {
    const reason = new Error('stop');
    await assert.rejects(sleep(60_000, AbortSignal.abort(reason)), reason);
    const stop = new AbortController();
    const nap = sleep(60_000, stop.signal);
    stop.abort(reason);
    await assert.rejects(nap, reason);
    await sleep(-5);
  });

  it('of sleep does not shrink to nothing where it is longer than a timer can be', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const nap = sleep(2 ** 31 + 5, stop.signal).then(() => 'over');
    const first = await Promise.race([nap, sleep(30).then(() => 'still asleep')]);
    stop.abort(reason);
    await nap.catch(() => undefined);
    assert.equal(first, 'still asleep');
  });
});

describe('the API key', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etsy-parts-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is read from .env beside pipeline.yaml, the secret joined to the keystring', async () => {
    await writeFile(join(folder, '.env'), '# mine\nETSY_API_KEY="abcdef"\nETSY_SHARED_SECRET= s3cret \n');
    assert.equal((await findKey(folder, {}))?.header(), 'abcdef:s3cret');
    await writeFile(join(folder, '.env'), 'ETSY_API_KEY=abcdef:whole\nETSY_SHARED_SECRET=s3cret\n');
    assert.equal((await findKey(folder, {}))?.header(), 'abcdef:whole');
  });

  it('is that of the environment where both have one', async () => {
    await writeFile(join(folder, '.env'), 'ETSY_API_KEY=file:file\n');
    assert.equal((await findKey(folder, { ETSY_API_KEY: ' from:env ' }))?.header(), 'from:env');
  });

  it('is undefined where nobody gives one', async () => {
    const none = await mkdtemp(join(folder, 'none-'));
    assert.equal(await findKey(none, {}), undefined);
    assert.equal(await findKey(none, { ETSY_API_KEY: '  ' }), undefined);
    assert.equal(await findKey(none, { ETSY_SHARED_SECRET: 'alone' }), undefined);
  });

  it('is struck out of every text, whole and in parts', () => {
    const key = new ApiKey('keystring', 'shared$1secret');
    assert.equal(key.header(), 'keystring:shared$1secret');
    assert.equal(
      key.redact('x-api-key: keystring:shared$1secret, keystring, keystring%3Ashared$1secret'),
      'x-api-key: [key], [key], [key]%3A[key]',
    );
    assert.equal(new ApiKey('ab:c').redact('ab and c'), 'ab and c', 'too short to be told from a word');
    const word = fc.string({ unit: fc.constantFrom(...LETTERS, '$', '&', '.', '*'), minLength: 8 });
    fc.assert(
      fc.property(word, word, fc.string(), fc.string(), (keystring, secret, one, other) => {
        const text = new ApiKey(keystring, secret).redact(`${one}${secret}${other}${keystring}:${secret}`);
        assert.ok(!text.replaceAll('[key]', '\n').includes(secret));
      }),
    );
  });

  it('does not show itself', () => {
    const key = new ApiKey('keystring', 'secret');
    for (const text of [JSON.stringify({ key }), inspect({ key }, { showHidden: true })]) {
      assert.doesNotMatch(text, /keystring|secret/);
    }
  });
});

describe('a JPEG', () => {
  const whole = (size: number): [number, Uint8Array, Uint8Array] => [
    size,
    Uint8Array.of(0xff, 0xd8, 0xff),
    Uint8Array.of(0xff, 0xd9),
  ];

  it('is told by its size and its two ends', () => {
    assert.equal(jpegFault(...whole(MIN_IMAGE_BYTES)), undefined);
    assert.equal(jpegFault(...whole(MIN_IMAGE_BYTES - 1)), 'only 1023 bytes, a placeholder');
    assert.equal(jpegFault(0, Uint8Array.of(), Uint8Array.of()), 'empty');
    const [size, start, end] = whole(50_000);
    assert.equal(jpegFault(size, Uint8Array.of(0x89, 0x50, 0x4e), end), 'not a JPEG');
    assert.equal(jpegFault(1, Uint8Array.of(0xff), Uint8Array.of(0xff)), 'not a JPEG');
    assert.equal(jpegFault(size, start, Uint8Array.of(0xd9, 0x00)), 'the end of the JPEG is missing');
    assert.equal(jpegFault(size, start, Uint8Array.of(0xd9)), 'the end of the JPEG is missing');
  });
});

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

// Etsy's own types, without the "may be absent" that all of their fields carry.
type Whole<T> = {
  [Field in keyof T]-?: Field extends 'price' ? Required<IMoney> : Exclude<T[Field], undefined>;
};
/** Fields of ours that Etsy's type lacks, or whose value there ours would not take. */
type Unmatched<Ours, Theirs> = {
  [Field in keyof Ours]-?: Field extends keyof Theirs
    ? Whole<Theirs>[Field] extends Ours[Field]
      ? never
      : Field
    : Field;
}[keyof Ours];

/** 'none', or the names of the fields that are left over: then the word 'none' does not compile. */
type OrNone<Left> = [Left] extends [never] ? 'none' : Left;

const SHOP: Whole<Pick<IShop, keyof Shop>> = {
  shop_id: 7,
  create_date: 1_500_000_000,
  created_timestamp: 1_500_000_000,
  update_date: 1_700_000_000,
  updated_timestamp: 1_700_000_000,
  url: 'https://www.etsy.com/shop/x',
  is_shop_us_based: true,
  shipping_from_country_iso: 'US',
  shop_location_country_iso: null,
  listing_active_count: 3,
  accepts_custom_requests: false,
  num_favorers: 12,
  transaction_sold_count: 99,
  review_average: 4.8,
  review_count: 5,
};

const IMAGE: Whole<Pick<IListingImage, keyof ListingImage>> = {
  listing_image_id: 9_876_543_210,
  rank: 1,
  url_570xN: 'https://i.etsystatic.com/7/r/il/a1b2c3/5/il_570xN.5_x1y2.jpg',
};

const LISTING: Whole<Pick<IShopListingWithAssociations, keyof Listing>> = {
  listing_id: 4_300_000_000,
  shop_id: 7,
  title: 'Oak table, 30&quot; high',
  description: 'Two\nlines',
  url: 'https://www.etsy.com/listing/4300000000',
  state: 'active',
  creation_timestamp: 1_700_000_000,
  created_timestamp: 1_700_000_000,
  ending_timestamp: 1_710_500_000,
  quantity: 1,
  num_favorers: 4,
  views: 77,
  is_customizable: false,
  is_personalizable: true,
  listing_type: 'physical',
  tags: ['oak', 'table'],
  materials: [],
  processing_min: null,
  processing_max: 5,
  who_made: 'someone_else',
  when_made: '2007_2009',
  item_weight: 12.5,
  item_weight_unit: 'kg',
  item_length: 80,
  item_width: null,
  item_height: 75.5,
  item_dimensions_unit: 'cm',
  should_auto_renew: true,
  language: 'en-US',
  price: { amount: 12_900, divisor: 100, currency_code: 'USD' },
  taxonomy_id: 977,
  production_partners: [],
  images: [IMAGE],
  shop: SHOP,
};

const REVIEW: Whole<Pick<ITransactionReview, keyof Review>> = {
  shop_id: 7,
  listing_id: 4_300_000_000,
  transaction_id: 5_000_000_000,
  buyer_user_id: null,
  rating: 5,
  review: '',
  language: 'en',
  create_timestamp: 1_700_000_000,
  created_timestamp: 1_700_000_000,
};

const RECORDS: readonly {
  readonly what: string;
  readonly schema: z.ZodObject;
  readonly record: Readonly<Record<string, unknown>>;
  readonly demanded: readonly string[];
}[] = [
  { what: 'a listing', schema: listing, record: LISTING, demanded: ['listing_id', 'shop_id'] },
  { what: 'a shop', schema: shop, record: SHOP, demanded: ['shop_id'] },
  { what: 'an image', schema: listingImage, record: IMAGE, demanded: ['listing_image_id'] },
  {
    what: 'a review',
    schema: review,
    record: REVIEW,
    demanded: ['shop_id', 'listing_id', 'transaction_id'],
  },
];

describe('the schemas of answers', () => {
  it('read fields that Etsy has, and take every value it says they may have', () => {
    const batch: OrNone<Unmatched<Listing, IShopListingWithAssociations>> = 'none';
    // The page of a search lacks the associations, and by the specification `views`.
    type More = 'views' | 'production_partners' | 'images' | 'shop';
    const page: OrNone<Exclude<Unmatched<Listing, IShopListing>, More>> = 'none';
    const ofShop: OrNone<Unmatched<Shop, IShop>> = 'none';
    const image: OrNone<Unmatched<ListingImage, IListingImage>> = 'none';
    const ofReview: OrNone<Unmatched<Review, ITransactionReview>> = 'none';
    assert.deepEqual([...new Set([batch, page, ofShop, image, ofReview])], ['none']);
    const other: Unmatched<{ shop_id: string; shop_name: string }, IShop> = 'shop_id';
    const absent: Unmatched<{ shop_nickname: string }, IShop> = 'shop_nickname';
    assert.deepEqual([other, absent], ['shop_id', 'shop_nickname']);
  });

  for (const { what, schema, record, demanded } of RECORDS) {
    const optional = Object.keys(schema.shape).filter((field) => !demanded.includes(field));

    it(`keep every field of ${what}, and drop what they do not know`, () => {
      assert.deepEqual(Object.keys(record).toSorted(), Object.keys(schema.shape).toSorted());
      const { good, rejected } = sortOut(schema, [{ ...record, rich_description: '<p>new</p>' }]);
      assert.deepEqual([good, rejected], [[record], []]);
    });

    it(`accept ${what} without any field but its ids`, () => {
      const timeless = what === 'a review' ? ['create_timestamp', 'created_timestamp'] : [];
      fc.assert(
        fc.property(fc.subarray(optional), fc.subarray(optional), (absent, empty) => {
          const less: Record<string, unknown> = { ...record };
          for (const field of empty) less[field] = null;
          for (const field of absent) delete less[field];
          const without = timeless.length > 0 && timeless.every((field) => (less[field] ?? null) === null);
          // Nothing is on offer without a price.
          const unpriced = less['state'] === 'active' && 'price' in record && !less['price'];
          assert.equal(schema.safeParse(less).success, !without && !unpriced);
        }),
      );
    });

    it(`refuse ${what} without an id or with a field of another type, naming it`, () => {
      for (const field of demanded) {
        for (const value of [undefined, null, 0, -1, 1.5, '7', 2 ** 60]) {
          const { rejected } = sortOut(schema, [{ ...record, [field]: value }]);
          assert.ok(rejected[0]?.reason.startsWith(`${field}: `), `${field} ${String(value)}`);
        }
      }
      for (const field of optional.filter((name) => name !== 'shop')) {
        const { rejected } = sortOut(schema, [{ ...record, [field]: { odd: true } }]);
        assert.ok(rejected[0]?.reason.startsWith(field), `${field}: ${rejected[0]?.reason}`);
      }
    });
  }

  it('set a bad record aside with its reason, and go on with the rest', () => {
    const bad = [null, 5, 'text', [], {}, { ...SHOP, review_count: 'many' }];
    const { good, rejected } = sortOut(shop, [SHOP, ...bad, SHOP]);
    assert.equal(good.length, 2);
    assert.deepEqual(
      rejected.map(({ raw }) => raw),
      bad,
    );
    assert.match(rejected[0]?.reason ?? '', /^record: /);
    assert.match(rejected.at(-1)?.reason ?? '', /^review_count: /);
  });

  it('take any record for what it is and never throw', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (records) => {
        for (const { schema } of RECORDS) {
          const { good, rejected } = sortOut(schema, records);
          assert.equal(good.length + rejected.length, records.length);
        }
      }),
    );
  });

  it('take the time of a review under either name', () => {
    assert.equal(createdAt({ create_timestamp: 5, created_timestamp: 6 }), 5);
    assert.equal(createdAt({ create_timestamp: null, created_timestamp: 6 }), 6);
    assert.equal(createdAt({}), undefined);
  });

  it('know a list by its count and its results', () => {
    assert.ok(envelope.safeParse({ count: 0, results: [] }).success);
    for (const body of [null, [], {}, { results: [] }, { count: 1 }, { count: -1, results: [] }]) {
      assert.ok(!envelope.safeParse(body).success, JSON.stringify(body));
    }
  });
});
