import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile, readdir } from 'node:fs/promises';
import type { OwnPool, Result } from '../../lib/models/jobs.ts';
import { tooLarge } from '../../lib/models/picture-size.ts';
import { redisAddress, refusalOf } from '../../lib/workers/address.ts';
import { Batches } from '../../lib/workers/batches.ts';
import { Hearing } from '../../lib/workers/hearing.ts';
import { Lane } from '../../lib/workers/lane.ts';
import { jobMessage, packResults, signed, unpackJob } from '../../lib/workers/protocol.ts';
import type { Space } from '../../lib/workers/protocol.ts';
import { Roster } from '../../lib/workers/roster.ts';
import { command, withFolder } from '../messages/provoke.ts';
import type { Attack } from './row.ts';

const SPACE: Space = { work: 'image', model: 'baseline', sha256: 'a'.repeat(64), recipe: 1 };
const PASSWORD = 'correct-horse-battery';

/** A PNG that says it has so many pixels. */
function png(width: number, height: number): Uint8Array {
  const bytes = Buffer.alloc(64);
  bytes.write('89504e470d0a1a0a0000000d49484452', 'hex');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return new Uint8Array(bytes);
}

export const workers: readonly Attack[] = [
  {
    claim: 'A Redis that other computers can reach is used only with a password',
    name: 'a Redis on the network without a password, one on the internet in the clear, and a password in an address',
    fails: async () => {
      for (const text of ['redis://imac.local', 'redis://10.0.0.2', 'rediss://redis.example.com']) {
        const address = redisAddress(text);
        assert.ok(address && refusalOf(address, false), text);
      }
      const open = redisAddress('redis://203.0.113.9');
      assert.ok(open && refusalOf(open, true));
      await withFolder(async (folder) => {
        for (const text of [`redis://:${PASSWORD}@imac.local`, `redis://x:${PASSWORD}/@b@127.0.0.1`]) {
          await folder.write({
            'pipeline.yaml': `workers: { redis: '${text}' }\nstages:\n  - { id: b, task: ./tasks/background.ts }\n`,
          });
          for (const argv of [[], ['status'], ['worker', text]]) {
            const said = await command(folder, argv);
            assert.equal(said.exitCode, 2);
            assert.doesNotMatch(said.text, /correct|horse|battery/);
          }
        }
      });
    },
  },
  {
    claim: 'What a worker says is checked by form and size',
    name: 'jobs and answers that are too large, of another form, for others, or of 900 megapixels',
    fails: async () => {
      const settled: Result[] = [];
      const lane = new Lane(SPACE, 6, 3);
      const batches = new Batches();
      const roster = new Roster(10_000);
      const good: Result = { id: 0, vector: Float32Array.of(1, 2, 3) };
      const hearing = new Hearing({
        own: { run: () => Promise.resolve({ worker: '', ms: 1, items: [good] }) } as unknown as OwnPool,
        roster,
        batches,
        lane: (name) => (name === lane.name ? lane : undefined),
        lanes: () => [lane.name],
        tell: () => undefined,
        settle: (_batch, results) => void settled.push(...results),
        again: () => Promise.resolve(),
        halve: () => Promise.resolve(),
        say: () => Promise.resolve(),
      });
      const item = { id: 5, bytes: png(9, 9) };
      const wanted = { item, signal: undefined, done: () => undefined, failed: () => undefined };
      const batch = batches.make(SPACE, undefined, [wanted]);
      const says = {
        ...signed(),
        worker: 'w-1',
        name: 'anna',
        kind: 'answer',
        batch: batch.id,
        space: SPACE,
        ms: 1,
      };
      const items = packResults([good]);
      // Of one that was never accepted; then of one that was.
      await hearing.hear({ ...says, items });
      roster
        .greet({ id: 'w-1', name: 'anna', device: 'cpu', threads: 1 }, Date.now())
        ?.verdicts.set(lane.name, '');
      for (const bad of [
        { ...says, items: packResults([{ id: 0, vector: Float32Array.of(NaN, 1, 2) }]) },
        { ...says, items: packResults([{ id: 0, vector: Float32Array.of(3, 2, 1) }]) },
        { ...says, items: [...items, ...items] },
        { ...says, items, path: '../../etc/passwd' },
        { ...says, items, batch: '*' },
        { ...says, items: [{ id: 0, vector: 'A'.repeat(10_000_000) }] },
        { ...says, items: [{ id: 0, cutout: { state: 'done', webp: 'AAAA', cover: 1, box: [0, 0, 1, 1] } }] },
        JSON.parse('{"__proto__":{"kind":"answer"}}') as unknown,
      ])
        await hearing.hear(bad);
      assert.deepEqual(settled, []);
      assert.match(tooLarge(png(30_000, 30_000)) ?? '', /30000 × 30000/);
      const bytes = Buffer.from(png(30_000, 30_000)).toString('base64');
      const job = { ...signed(), coordinator: 'c', batch: 'b', space: SPACE, items: [{ id: 0, bytes }] };
      assert.equal(unpackJob(jobMessage.parse(job)).job.items.length, 0);
      assert.ok(!jobMessage.safeParse({ ...job, items: [{ id: 0, bytes: 'A'.repeat(29_000_000) }] }).success);
    },
  },
  {
    claim: 'A worker connects to its Redis and fetches models',
    name: 'a search for what listens in what a worker runs',
    fails: async () => {
      for (const folder of ['lib/workers', 'lib/worker'])
        for (const name of await readdir(folder)) {
          if (!/\.(?:ts|js)$/.test(name)) continue;
          const text = await readFile(`${folder}/${name}`, 'utf8');
          assert.doesNotMatch(text, /createServer|\.listen\(|serve\(|eval\(|ETSY_API_KEY/, name);
        }
      // Its queue is one of connections outwards, too.
      const bull = createRequire(import.meta.url).resolve('bullmq');
      assert.doesNotMatch(await readFile(bull, 'utf8'), /createServer/);
    },
  },
];
