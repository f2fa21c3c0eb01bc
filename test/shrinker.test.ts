import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { Shrinker } from '../lib/pictures/shrinker.ts';
import type { Small } from '../lib/pictures/shrinker.ts';

const SMALL: Small = { type: 'webp', width: 60, fit: 'inside', quality: 80 };
/** See fixtures/shrink.mjs. */
const [ENDS, HANGS, BAD, GOOD] = [1, 2, 3, 4].map((byte) => Buffer.from([byte])) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];
const script = new URL('./fixtures/shrink.mjs', import.meta.url);

describe('pictures made small', () => {
  it('are JPEG or WebP of the size that was asked for, and never larger than they were', async () => {
    const shrinker = new Shrinker();
    const picture = (width: number, height: number): Promise<Buffer> =>
      sharp({ create: { width, height, channels: 3, background: 'teal' } })
        .png()
        .toBuffer();
    try {
      const wide = await picture(200, 100);
      const of = async (small: Small, bytes = wide): Promise<unknown[]> => {
        const { format, width, height } = await sharp(await shrinker.shrink(bytes, small)).metadata();
        return [format, width, height];
      };
      assert.deepEqual(await of(SMALL), ['webp', 60, 30]);
      assert.deepEqual(await of({ ...SMALL, type: 'jpeg', fit: 'cover' }), ['jpeg', 60, 60]);
      assert.deepEqual(await of(SMALL, await picture(20, 10)), ['webp', 20, 10]);
      for (const bytes of [wide.subarray(0, 60), Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')])
        assert.equal(await shrinker.shrink(bytes, SMALL), undefined);
    } finally {
      shrinker.close();
    }
  });

  it('are the others, where one ends the process, keeps it busy or cannot be read', async () => {
    const shrinker = new Shrinker({ script, patience: 1000 });
    try {
      const all = [GOOD, ENDS, GOOD, HANGS, GOOD, BAD, GOOD].map((bytes) => shrinker.shrink(bytes, SMALL));
      assert.deepEqual(
        (await Promise.all(all)).map((small) => small?.[0]),
        [60, undefined, 60, undefined, 60, undefined, 60],
      );
    } finally {
      shrinker.close();
    }
  });

  it('are no more once as many were lost as may be, nor after the end', async () => {
    const shrinker = new Shrinker({ script, mostLost: 1 });
    const found = [];
    for (const bytes of [GOOD, ENDS, GOOD]) found.push((await shrinker.shrink(bytes, SMALL))?.[0]);
    assert.deepEqual(found, [60, undefined, undefined]);
    const closed = new Shrinker({ script });
    closed.close();
    assert.equal(await closed.shrink(GOOD, SMALL), undefined);
  });
});
