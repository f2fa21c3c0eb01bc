import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { classify } from '../lib/dataset/when-made.ts';
import { imageEntry, mergedEntry, seenEntry, yearOfEntry } from '../lib/dataset/entries.ts';

const SINCE = 2000;
const FAILED = 9_999_999_999;

const NEW = { shop_id: 7, when_made: '2010_2019' };
const OLD = { shop_id: 7, when_made: '1960s' };
const NO_IMAGE = { image_id: null, hex: null, suffix: null };

/** As it would be written to the file: the order of keys counts. */
function written(value: unknown): string | undefined {
  return JSON.stringify(value);
}

function assertSeen(old: unknown, listing: typeof NEW, expected: unknown): void {
  assert.equal(written(seenEntry(old, listing, SINCE)), written(expected));
}

describe('a listing without an entry', () => {
  it('gets one with room for its image where it was made since', () => {
    assertSeen(undefined, NEW, {
      image_id: null,
      shop_id: 7,
      hex: null,
      suffix: null,
      when_made: '2010_2019',
    });
  });

  it('gets one of shop and year where it was made before, or nobody knows', () => {
    for (const when_made of ['1960s', 'before_1700', 'before_2007', 'some_new_word']) {
      assertSeen(undefined, { shop_id: 7, when_made }, { shop_id: 7, when_made });
    }
    assert.equal(written(seenEntry(undefined, { shop_id: 7 }, SINCE)), '{"shop_id":7,"when_made":null}');
  });
});

describe('an entry of the old system', () => {
  it('stays as it is where it says it all', () => {
    const complete = [
      { image_id: 5, shop_id: 7, hex: 'a1b2c3', suffix: 'x1y2', when_made: '2010_2019' },
      { image_id: null, shop_id: 7, hex: null, suffix: null, when_made: '2010_2019' },
      { image_id: FAILED, shop_id: 7, hex: null, suffix: null, when_made: '2010_2019' },
      { shop_id: 7, when_made: '2020_2026', images: [{ image_id: 5, hex: 'a1b2c3', suffix: 'x1y2' }] },
      { shop_id: 7, when_made: '2010_2019', images: [], price: 12.5, background_removed: true },
    ];
    for (const entry of complete) assert.equal(seenEntry(entry, NEW, SINCE), undefined, written(entry));
    assert.equal(seenEntry({ shop_id: 7, when_made: '1960s' }, OLD, SINCE), undefined);
  });

  it('of a bare image id becomes a whole one where the item was made since', () => {
    const entry = { image_id: 1234567890, shop_id: 7, hex: null, suffix: null, when_made: '2010_2019' };
    assertSeen(1234567890, NEW, entry);
    assertSeen(FAILED, NEW, { ...entry, image_id: null });
  });

  it('of a word of failure becomes a whole one where the item was made since', () => {
    for (const word of ['404', 'no_images', 'cdn_error', 'error: timed out', '']) {
      assertSeen(word, NEW, {
        image_id: null,
        shop_id: 7,
        hex: null,
        suffix: null,
        when_made: '2010_2019',
      });
    }
  });

  it('that is no object stays as it is where the item was not made since', () => {
    for (const value of [1234567890, FAILED, '404', 'no_images', null, true, [], [1]]) {
      assert.equal(seenEntry(value, OLD, SINCE), undefined, written(value));
    }
  });

  it('of image id and shop gets its year', () => {
    assertSeen({ image_id: 5, shop_id: 7 }, NEW, { image_id: 5, shop_id: 7, when_made: '2010_2019' });
    assertSeen({ image_id: 5, shop_id: null }, NEW, { image_id: 5, shop_id: 7, when_made: '2010_2019' });
    assertSeen({ image_id: 5, shop_id: null }, OLD, { image_id: 5, shop_id: 7, when_made: '1960s' });
  });

  it('keeps the shop it names', () => {
    assertSeen({ shop_id: 3 }, OLD, { shop_id: 3, when_made: '1960s' });
  });
});

describe('when_made of an entry', () => {
  it('keeps the spelling of the year it was read', () => {
    for (const [kept, now] of [
      ['2020_2023', '2020_2026'],
      ['2004_2009', '2007_2009'],
      ['2000_2003', '2000_2006'],
      ['before_2004', 'before_2007'],
      ['made_to_order', '2020_2026'],
      ['1990s', '1980s'],
    ] as const) {
      const entry = { ...NO_IMAGE, shop_id: 7, when_made: kept };
      assert.equal(seenEntry(entry, { shop_id: 7, when_made: now }, SINCE), undefined, `${kept}, now ${now}`);
    }
  });

  it('follows the listing to the other side', () => {
    assertSeen({ shop_id: 7, when_made: '1990s' }, NEW, {
      image_id: null,
      shop_id: 7,
      hex: null,
      suffix: null,
      when_made: '2010_2019',
    });
    assertSeen({ image_id: 5, shop_id: 7, hex: 'a1b2c3', suffix: 'x1y2', when_made: '2000_2003' }, OLD, {
      image_id: 5,
      shop_id: 7,
      hex: 'a1b2c3',
      suffix: 'x1y2',
      when_made: '1960s',
    });
    assertSeen({ shop_id: 7, when_made: 'before_2004' }, OLD, { shop_id: 7, when_made: '1960s' });
  });

  it('gives the year, in whichever form the entry is', () => {
    assert.equal(yearOfEntry({ shop_id: 7, when_made: '2004_2009' }), 2004);
    assert.equal(yearOfEntry({ shop_id: 7, when_made: '1960s', images: [] }), 1960);
    for (const value of [{ shop_id: 7 }, { when_made: null }, { when_made: 2010 }, 5, '404', null, [NEW]]) {
      assert.equal(yearOfEntry(value), null, written(value));
    }
  });
});

describe('the image of an entry', () => {
  const image = { imageId: 8, hex: 'd4e5f6', suffix: 'z9z9' };
  const whole = { image_id: 8, shop_id: 7, hex: 'd4e5f6', suffix: 'z9z9', when_made: '2010_2019' };

  it('is filled in, in the order of the file, and other keys stay', () => {
    const entry = { note: 'mine', when_made: '2010_2019', shop_id: 7 };
    assert.equal(written(imageEntry(entry, image, false)), written({ ...whole, note: 'mine' }));
  });

  it('is replaced by that of the listing where no file is kept', () => {
    const entry = { ...whole, image_id: 5, hex: 'a1b2c3' };
    assert.equal(written(imageEntry(entry, image, false)), written(whole));
    assert.equal(imageEntry(entry, undefined, false), undefined);
    assert.equal(imageEntry(whole, image, false), undefined);
  });

  it('stays where the file on disk is its own', () => {
    assert.equal(imageEntry({ ...whole, image_id: 5 }, image, true), undefined);
    assert.equal(imageEntry({ image_id: 5, shop_id: 7 }, image, true), undefined);
    assert.equal(imageEntry({ ...OLD, images: [{ image_id: 5 }] }, image, true), undefined);
  });

  it('is filled in beside a kept file where the entry names none', () => {
    for (const image_id of [null, FAILED]) {
      assert.equal(written(imageEntry({ ...whole, ...NO_IMAGE, image_id }, image, true)), written(whole));
    }
  });
});

const madeWords = ['made_to_order', '2020_2026', '2004_2009', 'before_2007', '1990s', '1700s', 'new_word'];
const listing = fc.record({
  shop_id: fc.integer({ min: 1 }),
  when_made: fc.option(fc.constantFrom(...madeWords)),
});
const foreign = fc.dictionary(fc.string(), fc.jsonValue());
const ours = fc.record(
  {
    image_id: fc.option(fc.constantFrom(5, FAILED)),
    shop_id: fc.option(fc.integer({ min: 1 })),
    hex: fc.option(fc.constant('a1b2c3')),
    suffix: fc.option(fc.constant('x1y2')),
    when_made: fc.oneof(fc.constantFrom(...madeWords, null), fc.nat()),
    images: fc.array(fc.record({ image_id: fc.nat(), hex: fc.string() })),
  },
  { requiredKeys: [] },
);
const entry = fc.tuple(foreign, ours).map(([foreign, ours]) => ({ ...foreign, ...ours }));
const anyEntry = fc.oneof(entry, fc.jsonValue(), fc.constant(undefined));
const image = fc.record(
  { imageId: fc.integer({ min: 1 }), hex: fc.constant('d4e5f6'), suffix: fc.constant('z9z9') },
  { requiredKeys: ['imageId'] },
);

describe('an entry that another program wrote', () => {
  const known = { image_id: 5, shop_id: 7, hex: 'a1b2c3', suffix: 'x1y2', when_made: '2010_2019' };

  it('keeps what the database knows, and whatever is not ours as it was written', () => {
    const older = { ...known, ...NO_IMAGE, label: 'oak' };
    assert.equal(written(mergedEntry(known, older)), written({ ...known, label: 'oak' }));
    assert.equal(written(mergedEntry(known, { label: 'oak' })), written({ ...known, label: 'oak' }));
    const other = { image_id: 6, shop_id: 7, hex: 'ffffff', suffix: 'y9y9', when_made: '1960s' };
    assert.equal(written(mergedEntry(known, other)), written(known));
    for (const word of ['404', 5, null, []]) assert.equal(mergedEntry(known, word), known);
  });

  it('fills in what the database does not know', () => {
    for (const image_id of [null, FAILED]) {
      const unknown = { ...known, ...NO_IMAGE, image_id };
      assert.equal(mergedEntry(unknown, known), undefined);
    }
    const half = { ...known, hex: null, suffix: null };
    assert.equal(mergedEntry(half, known), undefined);
    for (const ours of [undefined, '404', 5, {}, { label: 1 }])
      assert.equal(mergedEntry(ours, known), undefined);
  });

  it('never loses a value of ours to a null, an absence or another image, and settles at once', () => {
    fc.assert(
      fc.property(entry, anyEntry, (before, theirs) => {
        const merged: Record<string, unknown> =
          mergedEntry(before, theirs) ?? (theirs as typeof before) ?? {};
        for (const key of ['shop_id', 'when_made'] as const)
          if ((before[key] ?? null) !== null) assert.equal(merged[key], before[key]);
        if (typeof before.image_id === 'number' && before.image_id !== FAILED)
          for (const key of ['image_id', 'hex', 'suffix'] as const)
            if ((before[key] ?? null) !== null) assert.equal(merged[key], before[key]);
        assert.equal(written(mergedEntry(merged, merged)), undefined);
        const isObject = typeof theirs === 'object' && theirs !== null && !Array.isArray(theirs);
        if (!isObject) return;
        for (const [key, value] of Object.entries(theirs))
          if (!['image_id', 'shop_id', 'hex', 'suffix', 'when_made'].includes(key))
            assert.deepEqual(merged[key], value);
      }),
    );
  });
});

describe('any entry', () => {
  it('is whole after a listing was seen: seeing it again changes nothing', () => {
    fc.assert(
      fc.property(anyEntry, listing, (old, listing) => {
        const entry = seenEntry(old, listing, SINCE);
        if (entry) assert.equal(seenEntry(entry, listing, SINCE), undefined);
      }),
    );
  });

  it('is whole after its image was filled in: filling it in again changes nothing', () => {
    fc.assert(
      fc.property(entry, image, fc.boolean(), (old, image, kept) => {
        const entry = imageEntry(old, image, kept);
        if (entry) assert.equal(imageEntry(entry, image, kept), undefined);
      }),
    );
  });

  it('keeps every key and value that is not ours', () => {
    fc.assert(
      fc.property(foreign, ours, listing, image, (foreign, ours, listing, image) => {
        // As read from the file: there "__proto__" is a key like any other.
        const old = JSON.parse(JSON.stringify({ ...foreign, ...ours })) as Record<string, unknown>;
        const seen = seenEntry(old, listing, SINCE) ?? old;
        const entry = imageEntry(seen, image, false) ?? seen;
        const mine = new Set(['image_id', 'shop_id', 'hex', 'suffix', 'when_made']);
        const others = Object.entries(old).filter(([key]) => !mine.has(key));
        assert.deepEqual(
          Object.entries(entry).filter(([key]) => !mine.has(key)),
          others,
        );
      }),
    );
    const text = '{"__proto__":{"a":1},"constructor":2,"shop_id":7}';
    const entry = seenEntry(JSON.parse(text), OLD, SINCE);
    assert.equal(written(entry), '{"shop_id":7,"when_made":"1960s","__proto__":{"a":1},"constructor":2}');
  });

  it('is on the side of the year that the listing is on', () => {
    fc.assert(
      fc.property(entry, listing, (old, listing) => {
        const entry = seenEntry(old, listing, SINCE) ?? old;
        const word = 'when_made' in entry && typeof entry.when_made === 'string' ? entry.when_made : null;
        assert.equal(classify(word, SINCE), classify(listing.when_made, SINCE));
      }),
    );
  });
});
