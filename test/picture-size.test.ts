import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { pictureSize } from '../lib/models/picture-size.ts';

/** A WebP of the extended form that says it has so many pixels. */
function vp8x(width: number, height: number): Uint8Array {
  const bytes = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0'), Buffer.alloc(6)]);
  bytes.writeUIntLE(width - 1, 24, 3);
  bytes.writeUIntLE(height - 1, 27, 3);
  return new Uint8Array(bytes);
}

describe('the size of a picture', () => {
  it('is read from its first bytes, as the decoder reads it', async () => {
    for (const format of ['jpeg', 'png', 'webp'] as const)
      for (const [width, height] of [
        [1, 1],
        [570, 431],
        [300, 2000],
      ] as const)
        for (const alpha of [3, 4] as const) {
          const plain = sharp({ create: { width, height, channels: alpha, background: '#123' } });
          for (const image of [
            plain.clone().toFormat(format),
            plain.clone().webp({ lossless: true }),
            plain.clone().jpeg({ progressive: true }),
          ])
            assert.deepEqual(pictureSize(new Uint8Array(await image.toBuffer())), { width, height });
        }
    assert.deepEqual(pictureSize(vp8x(30_000, 20_000)), { width: 30_000, height: 20_000 });
  });

  it('is unknown where the bytes are others, or too few', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const size = pictureSize(bytes);
        assert.ok(size === undefined || size.width >= 0);
      }),
    );
    assert.equal(pictureSize(Buffer.from('<html>')), undefined);
  });
});
