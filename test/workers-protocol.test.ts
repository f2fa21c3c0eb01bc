import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MOST_BATCH } from '../lib/limits.ts';
import type { Result } from '../lib/models/jobs.ts';
import { tooLarge } from '../lib/models/picture-size.ts';
import { redisAddress, refusalOf } from '../lib/workers/address.ts';
import {
  answerMessage,
  jobMessage,
  packItems,
  packResults,
  signed,
  speaker,
  unpackJob,
  unpackResults,
} from '../lib/workers/protocol.ts';
import { IMAGE, png } from './workers-parts.ts';

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
