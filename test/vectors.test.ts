import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { addListings } from '../lib/dataset/listings.ts';
import type { Sql } from '../lib/store/database.ts';
import { putFailures, putVectors, countVectors, restamp, vectorOf } from '../lib/vectors/embeddings.ts';
import { exact, nearest } from '../lib/vectors/nearest.ts';
import { Vectors } from '../lib/vectors/open.ts';
import { mean, quantise, unit } from '../lib/vectors/quantise.ts';
import { answering, completeSpace, ensureSpace, allSpaces } from '../lib/vectors/spaces.ts';
import type { Space, SpaceDefinition } from '../lib/vectors/spaces.ts';
import { NOW, listing, storePerTest } from './store-rig.ts';

const DIMS = 64;

/** Evenly spread, the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
}

/** Some around each of a few centres, as pictures of alike things are. */
function clustered(count: number, dims: number, seed = 7): Float32Array[] {
  const next = random(seed);
  const centres = Array.from({ length: 20 }, () => Float32Array.from({ length: dims }, next));
  return Array.from({ length: count }, (_, at) =>
    (centres[at % centres.length] ?? new Float32Array()).map((value) => value + next() * 0.8),
  );
}

function definition(more: Partial<SpaceDefinition> = {}): SpaceDefinition {
  return { kind: 'image', model: 'm', sha256: 'a', recipe: 1, input: 'cutout', dims: DIMS, ...more };
}

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let [dot, one, other] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    dot += (a[at] ?? 0) * (b[at] ?? 0);
    one += (a[at] ?? 0) ** 2;
    other += (b[at] ?? 0) ** 2;
  }
  return dot / Math.sqrt(one * other);
};

describe('a vector as bytes', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 16, maxLength: 16 });

  it('points where the vector does, whatever its length', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(1e-3, 1, 1e3), (vector, scale) => {
        fc.pre(vector.some((value) => Math.abs(value) > 1e-3));
        const { bytes, code } = quantise(
          vector.map((value) => value * scale),
          16,
        );
        // Half a step of 1/127 in each of 16 dimensions, against a vector at least as long as its largest value.
        assert.ok(cosine(bytes, vector) > 1 - (16 * 0.5 ** 2) / 127 ** 2 - 1e-9);
        assert.equal(Math.max(...bytes.map(Math.abs)), 127);
        const signs = unit(vector, 16);
        signs.forEach((value, at) => assert.equal(((code[at >> 3] ?? 0) >> (at & 7)) & 1, value > 0 ? 1 : 0));
      }),
    );
  });

  for (const [what, vector, dims] of [
    ['a value that is no number', [NaN, 1, 1, 1, 1, 1, 1, 1], 8],
    ['an endless value', [Infinity, 1, 1, 1, 1, 1, 1, 1], 8],
    ['nothing but zeros', new Array<number>(8).fill(0), 8],
    ['too few values', [1, 2], 8],
    ['too many values', new Array<number>(16).fill(1), 8],
    ['dimensions that are no whole bytes', new Array<number>(12).fill(1), 12],
    ['values whose squares overflow', new Array<number>(8).fill(1e200), 8],
  ] as const) {
    it(`is refused for ${what}`, () => assert.throws(() => quantise(vector, dims), RangeError));
  }

  it('of several is their mean direction: long ones count no more than short ones', () => {
    const [one, other] = [Float32Array.of(10, 0, 0, 0, 0, 0, 0, 0), Float32Array.of(0, 1, 0, 0, 0, 0, 0, 0)];
    const middle = mean([one, other], 8);
    assert.ok(
      Math.abs((middle[0] ?? 0) - Math.SQRT1_2) < 1e-6 && Math.abs((middle[1] ?? 0) - Math.SQRT1_2) < 1e-6,
    );
  });
});

describe('the nearest vectors', () => {
  const store = storePerTest();

  async function fill(
    vectors: readonly ArrayLike<number>[],
    more: Partial<SpaceDefinition> = {},
  ): Promise<Space> {
    return store.database.write(async (tx) => {
      const space = await ensureSpace(tx, definition(more), NOW);
      const rows = vectors.map((vector, at) => ({
        listingId: at + 1,
        source: `s${at}`,
        stamp: `t${at}`,
        vector,
      }));
      await putVectors(tx, space, rows);
      return space;
    });
  }

  async function searching<T>(work: (vectors: Vectors) => Promise<T>, width = 2): Promise<T> {
    const vectors = await Vectors.open(store.path, { width, worth: 40 });
    try {
      return await work(vectors);
    } finally {
      await vectors.close();
    }
  }

  it('are those of an exact search over the values themselves, however many look', async () => {
    const vectors = clustered(3000, DIMS);
    const space = await fill(vectors);
    const check = async (opened: Vectors): Promise<void> => {
      for (const at of [0, 17, 1234, 5, 999]) {
        const query = vectors[at] ?? [];
        const right = vectors
          .map((vector, index) => ({ listingId: index + 1, score: cosine(vector, query) }))
          .toSorted((a, b) => b.score - a.score)
          .slice(0, 10);
        const found = await nearest(opened, space, [query], 10);
        const same = right.filter(({ listingId }) => found.some((hit) => hit.listingId === listingId));
        assert.equal(found[0]?.listingId, at + 1);
        assert.ok(same.length >= 9, `${same.length} of 10`);
        for (const [index, hit] of found.entries())
          assert.ok(Math.abs(hit.score - (right[index]?.score ?? 0)) < 0.01, `${hit.score}`);
        assert.deepEqual(await exact(opened.sql, space, [query], 10), found);
      }
    };
    for (const width of [1, 2, 3]) await searching(check, width);
  });

  it('that a filter lets through are found, be they far away', async () => {
    // More than are looked at roughly at first.
    const vectors = clustered(7000, DIMS);
    const space = await fill(vectors);
    await store.database.write((tx) =>
      addListings(
        tx,
        vectors.map((_, at) => listing(at + 1)),
      ),
    );
    const [query] = vectors;
    const far = vectors
      .map((vector, at) => ({ id: at + 1, score: cosine(vector, query ?? []) }))
      .toSorted((a, b) => a.score - b.score)
      .slice(0, 12)
      .map(({ id }) => id);
    await searching(async (opened) => {
      const filter = {
        where: 'l.listing_id IN (SELECT value FROM json_each(:far))',
        params: { ':far': JSON.stringify(far) },
      };
      const found = await nearest(opened, space, [query ?? []], 10, filter);
      // Two that are nearly as far may change places: compared as sets.
      assert.deepEqual(new Set(found.map(({ listingId }) => listingId)), new Set(far.slice(2)));
      const nothing = await nearest(opened, space, [query ?? []], 10, {
        where: 'l.listing_id < 0',
        params: {},
      });
      assert.deepEqual(nothing, []);
    });
  });

  it('are looked for in one space alone', async () => {
    const vectors = clustered(50, DIMS);
    const one = await fill(vectors);
    const other = await fill(vectors.slice(0, 5), { model: 'n' });
    await searching(async (opened) => {
      assert.equal((await nearest(opened, one, [vectors[0] ?? []], 100)).length, 50);
      assert.equal((await nearest(opened, other, [vectors[0] ?? []], 100)).length, 5);
      await assert.rejects(nearest(opened, one, [[1, 2, 3]], 10), RangeError);
    });
  });

  it('are read on a connection that can neither write nor load anything else', async () => {
    const space = await fill(clustered(90, DIMS));
    await searching(async (vectors) => {
      const refuses = async (sql: Sql): Promise<void> => {
        await assert.rejects(sql.all('DELETE FROM embeddings'), /readonly|read-only/i);
        await assert.rejects(sql.all("SELECT load_extension('vec0')"), /not authorized|no such function/);
        assert.deepEqual(await sql.get('PRAGMA trusted_schema'), { trusted_schema: 0 });
      };
      // The first look is whole; the second one has the parts made.
      const idsIn = async (sql: Sql, from: number, to: number): Promise<number[]> => {
        await refuses(sql);
        const rows = await sql.all<{ id: number }>(
          'SELECT listing_id AS id FROM embedding_codes WHERE listing_id >= ? AND listing_id < ? ORDER BY listing_id',
          [from, to],
        );
        return rows.map(({ id }) => id);
      };
      let parts: number[][] = [];
      for (const until = Date.now() + 20_000; parts.length < 3 && Date.now() < until; await sleep(5))
        parts = await vectors.eachPart(space.id, idsIn);
      assert.deepEqual(
        parts.map(({ length }) => length),
        [30, 30, 30],
      );
      assert.deepEqual(
        parts.flat(),
        Array.from({ length: 90 }, (_, at) => at + 1),
      );
    }, 3);
  });

  it('replace what was there; a failure takes the vector away, and a vector the failure', async () => {
    const [first = [], second = []] = clustered(2, DIMS);
    const space = await fill([first]);
    const count = (): Promise<unknown> => countVectors(store.database.read, space.id);
    await store.database.write((tx) =>
      putVectors(tx, space, [{ listingId: 1, source: 'new', stamp: 'x', vector: second }]),
    );
    assert.ok(cosine((await vectorOf(store.database.read, space, 1)) ?? [], second) > 0.999);
    assert.deepEqual(await count(), { vectors: 1, failed: 0 });

    const failure = { listingId: 1, source: 'worse', stamp: 'y', reason: 'cannot be decoded' };
    for (const run of [3, 4]) await store.database.write((tx) => putFailures(tx, space, [failure], run));
    assert.deepEqual(await count(), { vectors: 0, failed: 1 });
    assert.equal(await vectorOf(store.database.read, space, 1), undefined);
    const failed = await store.rows('SELECT reason, attempts, tried_run FROM embeddings');
    assert.deepEqual(failed, [{ reason: 'cannot be decoded', attempts: 2, tried_run: 4 }]);
    await store.database.write((tx) => putFailures(tx, space, [{ ...failure, stamp: 'z' }], 5));
    assert.deepEqual(await store.rows('SELECT attempts FROM embeddings'), [{ attempts: 1 }]);

    await store.database.write((tx) =>
      putVectors(tx, space, [{ listingId: 1, source: 'good', stamp: 'z', vector: first }]),
    );
    await store.database.write((tx) => restamp(tx, space, [{ listingId: 1, stamp: 'touched' }]));
    assert.deepEqual(await store.rows('SELECT stamp, reason, attempts, tried_run FROM embeddings'), [
      { stamp: 'touched', reason: null, attempts: 0, tried_run: null },
    ]);
    assert.deepEqual(await count(), { vectors: 1, failed: 0 });
  });

  it('are not written where one of them cannot be', async () => {
    const [good = []] = clustered(1, DIMS);
    const space = await fill([]);
    const rows = [good, new Float32Array(DIMS).fill(NaN)].map((vector, at) => ({
      listingId: at,
      source: '',
      stamp: '',
      vector,
    }));
    await assert.rejects(
      store.database.write((tx) => putVectors(tx, space, rows)),
      RangeError,
    );
    assert.deepEqual(await countVectors(store.database.read, space.id), { vectors: 0, failed: 0 });
  });
});

describe('spaces', () => {
  const store = storePerTest();
  const wanted = { models: ['new'], input: 'cutout' };

  const made = async (more: Partial<SpaceDefinition>, complete: boolean): Promise<Space> =>
    store.database.write(async (tx) => {
      const space = await ensureSpace(tx, definition(more), NOW);
      if (complete) await completeSpace(tx, space.id, NOW + 5);
      return space;
    });
  const answers = async (of = wanted): Promise<string[]> =>
    answering(await allSpaces(store.database.read), 'image', of).map(
      ({ model, sha256 }) => `${model} ${sha256}`,
    );

  it('are one for the same model, hash, recipe and input, and another for any other', async () => {
    const first = await made({}, false);
    assert.equal((await made({}, true)).id, first.id);
    const others = [
      { model: 'n' },
      { sha256: 'b' },
      { recipe: 2 },
      { input: 'image' },
      { kind: 'text' as const },
    ];
    const ids = new Set([first.id]);
    for (const other of others) ids.add((await made(other, false)).id);
    assert.equal(ids.size, others.length + 1);
    const [, ...rest] = await allSpaces(store.database.read);
    assert.ok(rest.every(({ completeAt }) => completeAt === null));
  });

  it('that are complete answer while a new one is being built', async () => {
    await made({ model: 'old' }, true);
    await made({ model: 'new' }, false);
    assert.deepEqual(await answers(), ['old a']);
    await made({ model: 'new' }, true);
    assert.deepEqual(await answers(), ['new a']);
    await made({ model: 'new', sha256: 'b' }, false);
    assert.deepEqual(await answers(), ['new a']);
    assert.deepEqual(await answers({ models: ['new', 'old'], input: 'cutout' }), ['new a', 'old a']);
  });

  it('that are being built answer where there is no other; of another kind or input they do not', async () => {
    await made({ kind: 'text', model: 'old' }, true);
    assert.deepEqual(await answers(), []);
    await made({ model: 'new', input: 'image' }, false);
    assert.deepEqual(await answers(), []);
    await made({ model: 'new' }, false);
    assert.deepEqual(await answers(), ['new a']);
  });

  it('answer for every model where none is named', async () => {
    for (const model of ['one', 'two']) await made({ model }, true);
    await made({ model: 'two', recipe: 9 }, false);
    const all = answering(await allSpaces(store.database.read), 'image', undefined);
    assert.deepEqual(
      all.map(({ model, recipe }) => [model, recipe]),
      [
        ['two', 1],
        ['one', 1],
      ],
    );
  });
});
