import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { MOST_BATCH } from '../lib/limits.ts';
import type { Loadable } from '../lib/models/inference.ts';
import type { Job, OwnPool, Result } from '../lib/models/jobs.ts';
import { pictureSize, tooLarge } from '../lib/models/picture-size.ts';
import { redisAddress, refusalOf } from '../lib/workers/address.ts';
import { disagreement } from '../lib/workers/agree.ts';
import { Batches, Gathering, batchSize } from '../lib/workers/batches.ts';
import type { Batch, Wanted } from '../lib/workers/batches.ts';
import { bestDevice } from '../lib/workers/devices.ts';
import { Hearing } from '../lib/workers/hearing.ts';
import { faultOf } from '../lib/workers/judge.ts';
import { Lane } from '../lib/workers/lane.ts';
import {
  answerMessage,
  jobMessage,
  packItems,
  packResults,
  queueOf,
  signed,
  speaker,
  unpackJob,
  unpackResults,
} from '../lib/workers/protocol.ts';
import type { Space } from '../lib/workers/protocol.ts';
import type { Link } from '../lib/workers/link.ts';
import { NOTICE } from '../lib/workers/protocol.ts';
import { Presence } from '../lib/workers/presence.ts';
import { Roster } from '../lib/workers/roster.ts';
import { inALine, rowsOf } from '../lib/worker/screen.ts';

const IMAGE: Space = { work: 'image', model: 'baseline', sha256: 'a'.repeat(64), recipe: 1 };
const CUTOUT: Space = { ...IMAGE, work: 'cutout' };
/** A PNG that says it has so many pixels. */
function png(width: number, height: number): Uint8Array {
  const bytes = Buffer.from('89504e470d0a1a0a0000000d49484452'.padEnd(66, '0'), 'hex');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return new Uint8Array(bytes);
}
/** A WebP of the extended form that says it has so many pixels. */
function vp8x(width: number, height: number): Uint8Array {
  const bytes = Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0'), Buffer.alloc(6)]);
  bytes.writeUIntLE(width - 1, 24, 3);
  bytes.writeUIntLE(height - 1, 27, 3);
  return new Uint8Array(bytes);
}
const webpOf = async (width: number, height: number): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp({ create: { width, height, channels: 4, background: '#f008' } })
      .webp()
      .toBuffer(),
  );

describe('the address of a Redis', () => {
  it('has a host, a port and a database, and no password', () => {
    for (const [text, expected] of [
      ['redis://imac.local:6379', 'imac.local 6379 0 false'],
      ['rediss://r.example.com', 'r.example.com 6379 0 true'],
      ['redis://[::1]:7000/3', '::1 7000 3 false'],
      ['redis://:secret@imac.local:6379', undefined],
      ['redis://name@imac.local', undefined],
      ['http://imac.local:6379', undefined],
      ['imac.local:6379', undefined],
      ['redis://imac.local:99999', undefined],
      ['redis://imac.local:6379?db=1', undefined],
      ['', undefined],
    ] as const) {
      const address = redisAddress(text);
      const { host, port, db, isEncrypted } = address ?? {};
      assert.equal(address && `${host} ${port} ${db} ${isEncrypted}`, expected, text);
    }
  });

  it('is used without a password on this computer alone, and unencrypted at home alone', () => {
    for (const [text, hasPassword, expected] of [
      ['redis://127.0.0.1:6379', false, ''],
      ['redis://localhost', false, ''],
      [
        'redis://imac.local',
        false,
        'redis://imac.local:6379 can be reached from other computers, and there is no password for it.',
      ],
      ['redis://imac.local', true, ''],
      ['redis://imac', true, ''],
      ['redis://192.168.1.5', true, ''],
      ['redis://172.20.0.5', true, ''],
      [
        'redis://172.40.0.5',
        true,
        'redis://172.40.0.5:6379 is not in a home network, and redis:// is not encrypted.',
      ],
      [
        'redis://8.8.8.8',
        true,
        'redis://8.8.8.8:6379 is not in a home network, and redis:// is not encrypted.',
      ],
      [
        'redis://redis.example.com',
        true,
        'redis://redis.example.com:6379 is not in a home network, and redis:// is not encrypted.',
      ],
      ['rediss://redis.example.com', true, ''],
      [
        'rediss://redis.example.com',
        false,
        'rediss://redis.example.com:6379 can be reached from other computers, and there is no password for it.',
      ],
    ] as const) {
      const address = redisAddress(text);
      assert.ok(address);
      assert.equal(refusalOf(address, hasPassword)?.message ?? '', expected, text);
    }
  });
});

describe('what coordinator and workers say', () => {
  const own = { ...signed(), worker: 'w-1', name: 'anna' };
  const job = { ...signed(), coordinator: 'c-1', batch: 'b-1', space: IMAGE };

  it('arrives as it was sent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: MOST_BATCH }),
        fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 64 }),
        (pictures, values) => {
          const items = pictures.map((bytes, at) => ({ id: 900 + at, bytes }));
          const sent = jobMessage.parse(JSON.parse(JSON.stringify({ ...job, items: packItems(items) })));
          const got = unpackJob(sent).job;
          assert.deepEqual(
            got.items,
            pictures.map((bytes, id) => ({ id, bytes })),
          );
          const results: Result[] = [
            { id: 0, vector: Float32Array.from(values) },
            { id: 1, error: 'no' },
            {
              id: 2,
              cutout: { state: 'done', webp: pictures[0] ?? new Uint8Array(), cover: 0.5, box: [0, 1, 2, 3] },
            },
          ];
          const answer = {
            ...own,
            kind: 'answer',
            batch: 'b-1',
            space: IMAGE,
            ms: 1,
            items: packResults(results),
          };
          const read = answerMessage.parse(JSON.parse(JSON.stringify(answer)));
          assert.ok(read.kind === 'answer');
          assert.deepEqual(unpackResults(read.items), results);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is refused where it has another form, is longer than allowed, or names a path', () => {
    const picture = { id: 0, bytes: 'AAAA' };
    for (const [what, message] of Object.entries({
      'no item': { ...job, items: [] },
      'too many items': { ...job, items: Array.from({ length: MOST_BATCH + 1 }, () => picture) },
      'a picture that is no base64': { ...job, items: [{ id: 0, bytes: '<svg>' }] },
      'a picture of 21 MB': { ...job, items: [{ id: 0, bytes: 'A'.repeat(28_100_000) }] },
      'a key more': { ...job, items: [picture], path: '/etc/passwd' },
      'a model that is a path': { ...job, space: { ...IMAGE, model: '../x' }, items: [picture] },
      'another protocol': { ...job, protocol: 2, items: [picture] },
      'a batch that is a key of Redis': { ...job, batch: 'a:b', items: [picture] },
    }))
      assert.equal(jobMessage.safeParse(message).success, false, what);
    assert.equal(speaker.safeParse({ ...own, name: '\u001b[31mred' }).success, false);
    assert.equal(speaker.safeParse({ ...own, worker: '__proto__ ' }).success, false);
    fc.assert(fc.property(fc.jsonValue(), (value) => !answerMessage.safeParse(value).success));
  });

  it('is refused where base64 is something else', () => {
    const bytes = 'AAAA<b>/AAA=';
    assert.throws(
      () => unpackJob(jobMessage.parse({ ...job, items: [{ id: 0, bytes }] })),
      /what should be base64 is something else/,
    );
  });

  it('has no picture of more pixels than are decoded: it is looked at before', () => {
    const huge = png(30_000, 30_000);
    const why = 'the picture has 30000 × 30000 pixels, at most 25000000 are read';
    assert.equal(tooLarge(huge), why);
    const message = jobMessage.parse({
      ...job,
      items: packItems([
        { id: 5, bytes: png(10, 10) },
        { id: 6, bytes: huge },
      ]),
    });
    const { job: taken, refused } = unpackJob(message);
    assert.deepEqual(refused, [{ id: 1, error: why }]);
    assert.equal(taken.items.length, 1);
  });
});

describe('a job that contradicts itself', () => {
  const job = { ...signed(), coordinator: 'c-1', batch: 'b-1' };
  it('is not done', () => {
    const picture = { id: 0, bytes: 'AAAA' };
    assert.throws(
      () => unpackJob({ ...job, space: IMAGE, items: [picture, picture] }),
      /two of its items have the same number/,
    );
    assert.throws(
      () => unpackJob({ ...job, space: IMAGE, items: [{ id: 0, text: 'oak' }] }),
      /an item has no picture/,
    );
    assert.throws(
      () => unpackJob({ ...job, space: { ...IMAGE, work: 'text' }, items: [picture] }),
      /an item has no text/,
    );
    assert.match(
      tooLarge(new Uint8Array(21_000_000)) ?? '',
      /^the file has 21000000 bytes, at most \d+ are read$/,
    );
  });
});

describe('a coordinator’s place in a Redis', () => {
  const setup = () => {
    const keys = new Map<string, string>();
    const told: string[] = [];
    const redis = {
      get: (key: string) => Promise.resolve(keys.get(key) ?? null),
      set: (key: string, value: string) => Promise.resolve(void keys.set(key, value)),
      del: (key: string) => Promise.resolve(void keys.delete(key)),
    };
    const queue = { obliterate: () => Promise.resolve() };
    const link = { isUp: true, redis, queue: () => queue, worker: () => undefined } as unknown as Link;
    const presence = new Presence(link, {
      id: 'c-1',
      dataset: 'mine',
      address: 'redis://imac.local:6379',
      tell: ({ message }) => void told.push(message),
      work: () => ({ spaces: [], verdicts: {} }),
      hear: () => Promise.resolve(),
      changed: () => undefined,
    });
    return { keys, told, presence };
  };

  it('is taken when it is there, given up while it is not, and said again and again', async () => {
    const { keys, told, presence } = setup();
    assert.equal(presence.apart?.reason, 'not connected yet');
    presence.linkChanged({ isUp: false, reason: 'ECONNREFUSED', inMs: 200 });
    presence.linkChanged({ isUp: false, reason: 'ECONNREFUSED', inMs: 400 });
    await presence.join();
    assert.equal(presence.apart, undefined);
    assert.ok(keys.has(NOTICE));
    presence.linkChanged({ isUp: false, reason: 'the connection was closed', inMs: 200 });
    await presence.join();
    assert.deepEqual(told, [
      'Redis at redis://imac.local:6379 cannot be reached (ECONNREFUSED): the threads of this computer continue without it.',
      'Redis at redis://imac.local:6379 is reached now.',
      'Redis at redis://imac.local:6379 cannot be reached (the connection was closed): the threads of this computer continue without it.',
      'Redis at redis://imac.local:6379 is back again.',
    ]);
    await presence.leave();
    assert.equal(keys.size, 0);
  });

  it('is left to another dataset that has it, until that is gone', async () => {
    const { keys, told, presence } = setup();
    const other = {
      ...signed(),
      coordinator: 'c-2',
      dataset: 'theirs',
      name: 'nas',
      spaces: [],
      verdicts: {},
    };
    keys.set(NOTICE, JSON.stringify(other));
    await presence.join();
    await presence.tick();
    assert.equal(presence.apart?.reason, 'the dataset of nas uses it');
    assert.deepEqual(told, [
      'Redis at redis://imac.local:6379 is in use by the dataset of nas; give each a database of its own (redis://imac.local:6379/1): the threads of this computer continue without it.',
    ]);
    keys.set(NOTICE, 'no JSON');
    await presence.tick();
    assert.equal(presence.apart, undefined);
  });
});

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

const alike = { compare: () => Promise.resolve({ overlap: 0.995, colours: 1 }) };

describe('two computers agree', () => {
  const vector = (...values: number[]): Result[] => [{ id: 0, vector: Float32Array.from(values) }];
  const cut = (state: 'done' | 'whole' = 'done'): Result[] => [
    { id: 0, cutout: { state, webp: new Uint8Array(1), cover: 0.4, box: [0, 0, 1, 1] } },
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

describe('batches', () => {
  it('are small where a picture takes long, and never larger than a job may be', () => {
    assert.deepEqual([1, 15, 220, 500, 2000, 60_000].map(batchSize), [16, 16, 16, 8, 2, 1]);
  });

  it('go out when they are full, and the last one after a moment', async () => {
    const out: number[] = [];
    const gathering = new Gathering(5, (_space, _cover, wanted) => out.push(wanted.length));
    const want = (bytes: number): Wanted => ({
      item: { id: 1, bytes: new Uint8Array(bytes) },
      signal: undefined,
      done: () => undefined,
      failed: () => undefined,
    });
    for (let n = 0; n < 9; n += 1) gathering.add(IMAGE, undefined, want(10), 4);
    gathering.add(CUTOUT, [0.1, 0.9], want(10), 4);
    assert.deepEqual(out, [4, 4]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual(out.slice(2).toSorted(), [1, 1]);
    for (let n = 0; n < 3; n += 1) gathering.add(IMAGE, undefined, want(5_000_000), 16);
    gathering.flush();
    assert.deepEqual(out.slice(4), [1, 1, 1]);
  });
});

describe('the list of workers', () => {
  it('says who is silent, back, refused or gone, and calls no two by one name', () => {
    const roster = new Roster(10_000);
    const greet = (id: string) => roster.greet({ id, name: 'imac', device: 'cpu', threads: 3 }, 0);
    const [one, two] = [greet('a'), greet('b')];
    assert.deepEqual([one?.name, two?.name], ['imac', 'imac (2)']);
    one?.verdicts.set('q', '');
    two?.verdicts.set('q', 'wrong');
    assert.equal(roster.threads('q'), 4);
    roster.did('a', 30, 5000);
    assert.equal(roster.heard('a', 5000), undefined);
    assert.deepEqual(
      roster.silent(12_000).map(({ name }) => name),
      ['imac (2)'],
    );
    assert.deepEqual(
      roster.silent(20_000).map(({ name }) => name),
      ['imac'],
    );
    assert.equal(roster.threads('q'), 0);
    assert.equal(roster.heard('a', 21_000), 'back');
    const [first, second] = roster.views(21_000);
    assert.deepEqual(
      [first?.state, first?.pictures, second?.state, second?.reason],
      ['working', 30, 'refused', 'wrong'],
    );
    roster.leave('a', 'asked to end');
    assert.equal(roster.views(22_000)[0]?.state, 'left');
  });
});

describe('the coordinator, told by a worker', () => {
  const good: Result = { id: 0, vector: Float32Array.of(1, 2, 3) };
  const setup = () => {
    const told: string[] = [];
    const counted: string[] = [];
    const settled: Result[] = [];
    const calls: string[] = [];
    const batches = new Batches();
    const roster = new Roster(10_000);
    const lane = new Lane(IMAGE, 6, 3);
    const own = {
      ...alike,
      run: () => Promise.resolve({ worker: '', ms: 1, items: [good] }),
    } as unknown as OwnPool;
    const hearing = new Hearing({
      own,
      roster,
      batches,
      lane: (name) => (name === lane.name ? lane : undefined),
      lanes: () => [lane.name],
      tell: ({ message, odd }) => {
        if (message !== '') told.push(message);
        if (odd) counted.push(odd.what);
      },
      settle: (batch, results) => {
        batches.drop(batch);
        settled.push(...results);
      },
      again: () => Promise.resolve(void calls.push('again')),
      halve: () => Promise.resolve(void calls.push('halve')),
      say: () => Promise.resolve(void calls.push('say')),
    });
    const wanted: Wanted = {
      item: { id: 77, bytes: png(9, 9) },
      signal: undefined,
      done: () => undefined,
      failed: () => undefined,
    };
    const says = { ...signed(), worker: 'w-1', name: 'anna' };
    const accept = () =>
      roster
        .greet({ id: 'w-1', name: 'anna', device: 'cpu', threads: 1 }, Date.now())
        ?.verdicts.set(lane.name, '');
    const answer = (batch: string, results: Result[] = [good]) =>
      hearing.hear({ ...says, kind: 'answer', batch, space: IMAGE, ms: 1, items: packResults(results) });
    const make = () => batches.make(IMAGE, undefined, [wanted]);
    return { told, counted, settled, calls, roster, hearing, says, accept, answer, make, lane };
  };

  it('uses an answer once: not of a stranger, not a second one, not one that is too late', async () => {
    const { told, settled, accept, answer, make } = setup();
    const batch = make();
    await answer(batch.id);
    assert.match(told.at(-1) ?? '', /An answer of anna, which was not accepted: not used\./);
    accept();
    await answer(batch.id);
    assert.deepEqual(settled, [good]);
    await answer(batch.id);
    assert.match(told.at(-1) ?? '', /An answer of anna came a second time: not used\./);
    await answer('another-batch');
    assert.match(told.at(-1) ?? '', /An answer of anna came too late: not used\./);
    assert.equal(settled.length, 1);
  });

  it('refuses who sends rubbish three times in a row, and asks again for what it was to answer', async () => {
    const { told, calls, accept, answer, make, hearing, says, roster, lane } = setup();
    accept();
    await answer(make().id, [{ id: 0, vector: Float32Array.of(1) }]);
    assert.match(
      told.at(-1) ?? '',
      /An answer of anna is rubbish \(a vector of 1 numbers\): not used; what it was to answer is done again\./,
    );
    assert.deepEqual(calls, ['again']);
    await hearing.hear({ ...says, kind: 'answer', items: 'x' });
    // The same of the same worker is counted, not said again so soon.
    assert.equal(told.length, 1);
    await hearing.hear({ ...says, kind: 'nonsense' });
    assert.match(
      told.at(-1) ?? '',
      /The worker anna is refused \(it sends rubbish\): its answers are not used\./,
    );
    assert.equal(roster.get('w-1')?.verdicts.get(lane.name), 'it sends rubbish');
    await hearing.hear({ ...says, worker: 'w-2', name: 'bert', kind: 'nonsense' });
    assert.match(told.at(-1) ?? '', /The worker bert sent rubbish/);
    for (const value of [null, 3, 'x', [], {}, { worker: 'w-1' }]) await hearing.hear(value);
    assert.ok(told.some((line) => line.startsWith('A message in Redis is not of a worker')));
  });

  it('compares the first answer with its own, and refuses who differs', async () => {
    const { told, calls, settled, accept, answer, make } = setup();
    accept();
    await answer(make().id, [{ id: 0, vector: Float32Array.of(3, 2, 1) }]);
    assert.match(
      told.at(-1) ?? '',
      /The worker anna is refused \(its vectors differ: cosine 0\.7143, expected at least 0\.999\)/,
    );
    assert.deepEqual([settled.length, calls.includes('again')], [0, true]);
  });

  it('tries itself what a worker cannot use', async () => {
    const { told, settled, accept, answer, make } = setup();
    accept();
    await answer(make().id, [{ id: 0, error: 'no memory' }]);
    assert.match(
      told[0] ?? '',
      /The worker anna cannot use a picture that this computer can \(no memory\): this computer did it\./,
    );
    assert.deepEqual(settled, [good]);
  });

  it('halves a batch that failed', async () => {
    const { told, calls, accept, make, hearing, says } = setup();
    accept();
    await hearing.hear({ ...says, kind: 'failure', batch: make().id, space: IMAGE, reason: 'out of memory' });
    assert.match(
      told[0] ?? '',
      /The worker anna could not do 1 picture \(out of memory\): divided, and each half done by itself\./,
    );
    assert.deepEqual(calls, ['halve']);
  });

  it('names both versions of a worker of another one', async () => {
    const { told, hearing, says } = setup();
    await hearing.hear({ ...says, version: '0.0.9', kind: 'pulse' });
    assert.match(
      told[0] ?? '',
      /^The worker anna is refused \(it is version 0\.0\.9, the coordinator is version \d+\.\d+\.\d+\): its answers are not used\.$/,
    );
    await hearing.hear({ ...says, protocol: 9, what: 'ever' });
    assert.match(told[1] ?? '', /\(protocol 9, not 1\)/);
  });

  it('says who comes and goes, and counts what it does not say again', async () => {
    const { told, counted, accept, answer, hearing, says, roster } = setup();
    accept();
    roster.silent(Date.now() + 20_000);
    await hearing.hear({ ...says, kind: 'pulse' });
    assert.equal(told.at(-1), 'The worker anna is back.');
    await answer('none');
    await answer('none');
    assert.equal(told.filter((line) => line.includes('too late')).length, 1);
    assert.equal(counted.length, 2);
    await hearing.hear({ ...says, kind: 'bye', reason: 'you pressed Ctrl-C' });
    assert.equal(told.at(-1), 'The worker anna has left: you pressed Ctrl-C.');
    assert.equal(queueOf(IMAGE), 'image.baseline.1.aaaaaaaaaaaaaaaa');
  });
});

describe('the screen of a worker', () => {
  const now = Date.UTC(2026, 7, 20, 9, 30);
  const state = {
    redis: 'connected',
    coordinator: 'imac',
    places: [{ model: 'isnet-512', device: 'cpu', state: 'at work' }],
    jobs: 12,
    pictures: 48,
    perSecond: 1.6,
    doing: 0,
    waitingSince: now - 60_000,
  };
  it('says what was done, by what, and since when it waits', () => {
    assert.equal(
      inALine(state, now),
      '48 pictures in 12 jobs, 1.6/s; isnet-512 at work on cpu; waiting since 09:29 UTC',
    );
    assert.deepEqual(
      rowsOf(state, now).map(([label]) => label),
      ['Redis', 'coordinator', 'isnet-512', 'done', 'waiting'],
    );
    const lost = {
      ...state,
      redis: 'not reached (ECONNREFUSED), next try in 2 s',
      coordinator: undefined,
      places: [],
    };
    assert.match(inALine(lost, now), /; Redis not reached \(ECONNREFUSED\), next try in 2 s;/);
  });
});
