import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type { Loadable } from '../lib/models/inference.ts';
import type { Job, OwnPool, Result } from '../lib/models/jobs.ts';
import { disagreement } from '../lib/workers/agree.ts';
import { Batches } from '../lib/workers/batches.ts';
import type { Batch, Wanted } from '../lib/workers/batches.ts';
import { bestDevice } from '../lib/workers/devices.ts';
import { faultOf } from '../lib/workers/judge.ts';
import type { Space } from '../lib/workers/protocol.ts';
import { IMAGE, CUTOUT, png, alike } from './workers-parts.ts';

const webpOf = async (width: number, height: number): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp({ create: { width, height, channels: 4, background: '#f008' } })
      .webp()
      .toBuffer(),
  );

function batchOf(space: Space, pictures: readonly Uint8Array[], answers: Result[] = []): Batch {
  const wanted = pictures.map((bytes, id): Wanted => ({
    item: { id, bytes },
    signal: undefined,
    done: (result) => void answers.push(result),
    failed: () => undefined,
  }));
  return new Batches().make(space, undefined, wanted);
}

describe('an answer', () => {
  it('of vectors is rubbish where one is missing, of other length, or no number', () => {
    const batch = batchOf(IMAGE, [png(9, 9), png(9, 9)]);
    const good: Result = { id: 0, vector: new Float32Array(4).fill(1) };
    for (const [results, expected] of [
      [[good, { ...good, id: 1 }], undefined],
      [[good, { id: 1, error: 'damaged' }], undefined],
      [[good], '1 answers to 2 items'],
      [[good, good], '2 answers to 2 items'],
      [[good, { ...good, id: 7 }], 'an answer to an item that it does not have'],
      [[good, { id: 1, vector: new Float32Array(3) }], 'a vector of 3 numbers'],
      [[good, { id: 1, vector: new Float32Array(4).fill(NaN) }], 'a vector with values that are no numbers'],
      [
        [good, { id: 1, cutout: { state: 'whole', webp: new Uint8Array(), cover: 1, box: [0, 0, 1, 1] } }],
        'no vector',
      ],
    ] satisfies [Result[], string | undefined][])
      assert.equal(faultOf(batch, 4, results), expected);
  });

  it('of cutouts is rubbish where one is no WebP, or cannot be of that picture', async () => {
    const batch = batchOf(CUTOUT, [png(60, 40)]);
    const of = (
      webp: Uint8Array,
      box: [number, number, number, number] = [0, 0, 4, 4],
      state: 'done' | 'whole' = 'done',
    ): Result[] => [{ id: 0, cutout: { state, webp, cover: 0.5, box } }];
    assert.equal(faultOf(batch, null, of(await webpOf(60, 40))), undefined);
    assert.equal(faultOf(batch, null, of(await webpOf(40, 60))), undefined);
    assert.equal(faultOf(batch, null, of(await webpOf(61, 80))), 'a cutout of 61 × 80 pixels');
    assert.equal(faultOf(batch, null, of(png(60, 40))), 'a cutout that is no WebP');
    assert.equal(faultOf(batch, null, of(Buffer.from('#!/bin/sh'))), 'a cutout that is no WebP');
    assert.equal(
      faultOf(batch, null, of(await webpOf(60, 40), [50, 0, 20, 4])),
      'a box outside of its cutout',
    );
    assert.equal(
      faultOf(batch, null, of(await webpOf(60, 40), [0, 0, 4, 4], 'whole')),
      'a cutout of a picture that is kept whole',
    );
    assert.equal(faultOf(batch, null, [{ id: 0, vector: new Float32Array(1) }]), 'no cutout');
    const large = batchOf(CUTOUT, [png(4096, 2048)]);
    assert.equal(faultOf(large, null, of(await webpOf(2048, 1024))), undefined);
  });
});

describe('two computers agree', () => {
  const vector = (...values: number[]): Result[] => [{ id: 0, vector: Float32Array.from(values) }];
  const cut = (state: 'done' | 'whole' = 'done', cover = 0.4): Result[] => [
    { id: 0, cutout: { state, webp: new Uint8Array(1), cover, box: [0, 0, 1, 1] } },
  ];
  it('where vectors point the same way, masks overlap, and both refuse the same', async () => {
    for (const [mine, theirs, expected] of [
      [vector(1, 2, 3), vector(2, 4, 6), undefined],
      [vector(1, 2, 3), vector(3, 2, 1), 'its vectors differ: cosine 0.7143, expected at least 0.999'],
      [vector(1, 2), vector(1, 2, 3), 'its vectors differ: cosine 0.0000, expected at least 0.999'],
      [vector(1), [], '0 answers to 1 items'],
      [vector(1), [{ id: 3, error: 'x' }], 'an answer is missing'],
      [vector(1), [{ id: 0, error: 'no memory' }], 'it cannot use a good picture: no memory'],
      [[{ id: 0, error: 'x' }], vector(1), 'it accepts a picture that cannot be used'],
      [[{ id: 0, error: 'x' }], [{ id: 0, error: 'other words' }], undefined],
      [cut(), cut(), undefined],
      [cut(), cut('whole'), 'it calls a picture whole that is done here'],
      [cut('done', 0.3), cut('whole', 0.301), 'it calls a picture whole that is done here'],
      [cut('done', 0.055), cut('whole', 0.02), 'it calls a picture whole that is done here'],
      // The border is at 0.05.
      [cut('done', 0.051), cut('whole', 0.049), undefined],
      [cut('whole', 0.971), cut('done', 0.969), undefined],
      [cut(), vector(1), 'it sends no cutout'],
    ] satisfies [Result[], Result[], string | undefined][])
      assert.equal(await disagreement(alike, mine, theirs), expected);
    const apart = (overlap: number, colours: number) => ({
      compare: () => Promise.resolve({ overlap, colours }),
    });
    assert.equal(
      await disagreement(apart(0.98, 0), cut(), cut()),
      'its masks differ: overlap 0.9800, expected at least 0.99',
    );
    assert.equal(
      await disagreement(apart(1, 20), cut(), cut()),
      'the colours of its cutouts differ by 20 of 255',
    );
    const broken = { compare: () => Promise.reject(new Error('not a picture')) };
    assert.equal(await disagreement(broken, cut(), cut()), 'a cutout of it cannot be read: not a picture');
  });
});

describe('an accelerator', () => {
  const items: Result[] = [{ id: 0, vector: Float32Array.of(1, 2) }];
  const job: Job = { work: 'image', model: 'baseline', items: [{ id: 0, bytes: new Uint8Array(1) }] };
  const own = {
    ...alike,
    threads: 1,
    run: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { worker: '', ms: 0, items };
    },
  } as unknown as OwnPool;

  it('is taken where it is faster and agrees, and passed over where it cannot be loaded', async () => {
    const said: string[] = [];
    const { device } = await bestDevice({
      own,
      job,
      loadable: {} as Loadable,
      tell: (message) => void said.push(message),
      candidates: ['cuda', 'webgpu', 'dml', 'coreml'],
      trial: (device) => {
        if (device === 'cuda') throw new Error('The model baseline cannot be loaded: /somewhere/ort.cc:12.');
        if (device === 'webgpu')
          return Promise.resolve({ ms: 0.1, items: [{ id: 0, vector: Float32Array.of(2, 1) }] });
        return Promise.resolve({ ms: device === 'dml' ? 1 : 60_000, items });
      },
    });
    assert.equal(device, 'dml');
    assert.equal(said[0], 'cuda is not used: it cannot be loaded.');
    assert.equal(said[1], 'webgpu is not used: its vectors differ: cosine 0.8000, expected at least 0.999.');
    assert.match(said[2] ?? '', /^dml: 1 ms a picture, the processor \d+ ms a picture\.$/);
    assert.match(said[3] ?? '', /^coreml is not used: 60000 ms a picture, the processor \d+ ms a picture\.$/);
  });
});
