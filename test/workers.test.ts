import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OwnPool, Result } from '../lib/models/jobs.ts';
import { Batches, Gathering, batchSize } from '../lib/workers/batches.ts';
import type { Wanted } from '../lib/workers/batches.ts';
import { Hearing } from '../lib/workers/hearing.ts';
import { Lane } from '../lib/workers/lane.ts';
import { packResults, queueOf, signed } from '../lib/workers/protocol.ts';
import type { Link } from '../lib/workers/link.ts';
import { NOTICE } from '../lib/workers/protocol.ts';
import { Presence } from '../lib/workers/presence.ts';
import { Roster } from '../lib/workers/roster.ts';
import { inALine, rowsOf } from '../lib/worker/screen.ts';
import { IMAGE, CUTOUT, png, alike } from './workers-parts.ts';

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
