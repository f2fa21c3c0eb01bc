import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { allowedHost, imageParts } from '../lib/dataset/image-url.ts';
import { MIN_IMAGE_BYTES, faultOfJpeg, jpegFault } from '../lib/dataset/jpeg.ts';

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

describe('a whole JPEG', () => {
  /** A part of its head: marker, length, content. */
  const part = (kind: number, content: Uint8Array): Buffer => {
    const length = content.length + 2;
    return Buffer.concat([Buffer.from([0xff, kind, length >> 8, length & 0xff]), content]);
  };
  const anyBytes = fc.uint8Array({ minLength: 0, maxLength: 3000 });
  /** Within a picture every 0xff is followed by 0, or by a restart marker. */
  const scan = fc
    .uint8Array({ minLength: 1200, maxLength: 3000 })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0xff ? 0xd0 : byte))));
  const preview = Buffer.from([0xff, 0xd8, 0xff, 0xdb, 0xff, 0xd9]);
  const head = fc
    .array(fc.tuple(fc.constantFrom(0xe0, 0xe1, 0xed, 0xdb, 0xc0, 0xc4, 0xfe), anyBytes), { minLength: 1 })
    .map((parts) =>
      Buffer.concat([
        Buffer.from([0xff, 0xd8]),
        ...parts.map(([kind, bytes]) => part(kind, Buffer.concat([bytes, preview]))),
        part(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
      ]),
    );
  const END = Buffer.from([0xff, 0xd9]);

  it('is whole with whatever bytes behind its end', () => {
    fc.assert(
      fc.property(head, scan, anyBytes, (start, picture, trailer) => {
        assert.equal(faultOfJpeg(Buffer.concat([start, picture, END, trailer])), undefined);
      }),
    );
  });

  it('that is cut anywhere is not, though a preview in its head has an end of its own', () => {
    fc.assert(
      fc.property(head, scan, fc.double({ min: 0, max: 1, noNaN: true }), (start, picture, share) => {
        const whole = Buffer.concat([start, picture]);
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        // Cut just behind the preview it ends like a whole one: only a decoder could tell.
        fc.pre(!(cut.at(-2) === 0xff && cut.at(-1) === 0xd9));
        assert.notEqual(faultOfJpeg(cut), undefined);
      }),
    );
  });
});
