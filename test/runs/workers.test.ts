import assert from 'node:assert/strict';
import { readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Command } from '../rig.ts';
import { PicturesRig } from '../pictures-rig.ts';
import type { PicturesDump } from '../pictures-rig.ts';
import { RedisServer, withoutRedis } from '../redis.ts';
import { WorkersRig } from '../workers-rig.ts';

/** Three batches: the coordinator takes two at once, so there is one for a worker. */
const PICTURES = 36;

/** Ports that a process listens on, where the system shows them. */
async function listening(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  );
  // State 0A is LISTEN; the tenth column is the socket.
  return tables
    .flatMap((table) => table.split('\n'))
    .filter((line) => {
      const columns = line.trim().split(/\s+/);
      return columns[3] === '0A' && own.has(columns[9] ?? '');
    });
}

describe('without bullmq and ioredis', () => {
  const GONE = new URL('../fixtures/without-redis-packages.mjs', import.meta.url);

  it('everything works that asks for no workers, and the rest says what to install', async () => {
    const rig = await PicturesRig.open(2);
    try {
      const alone = await rig.start([], [GONE]).ended;
      assert.equal(alone.code, 0, alone.stdout + alone.stderr);
      const file = rig.path('pipeline.yaml');
      await writeFile(file, `workers: { redis: 'redis://127.0.0.1:1' }\n${await readFile(file, 'utf8')}`);
      for (const args of [[], ['worker', 'redis://127.0.0.1:1']]) {
        const { code, stderr } = await rig.start(args, [GONE]).ended;
        assert.equal(code, 2);
        assert.equal(
          stderr,
          `Workers need the package bullmq, which is not installed.
Install what they need beside sync-data: npm install bullmq@6.7.0 ioredis@6.0.0
Or take workers: out of pipeline.yaml: the threads of this computer then do the work.
`,
        );
      }
      const status = await rig.start(['status'], [GONE]).ended;
      assert.equal(status.code, 0, status.stderr);
    } finally {
      await rig.close();
    }
  });
});

describe('workers', { skip: withoutRedis() }, () => {
  let redis: RedisServer;
  const rigs: PicturesRig[] = [];
  let base: PicturesRig;
  /** What a run without workers makes of it. */
  let right: PicturesDump;

  before(async () => {
    redis = await RedisServer.open();
    base = await PicturesRig.open(PICTURES);
    const alone = await base.copy();
    rigs.push(base, alone);
    const { code, stdout, stderr } = await alone.run();
    assert.equal(code, 0, stdout + stderr);
    right = await alone.dump();
  });
  after(async () => {
    for (const rig of rigs) await rig.close();
    await redis.kill();
  });

  /** Runs what a test does with a folder and workers of its own; the dataset must be that of a run without them. */
  const shared = async (test: (rig: PicturesRig, all: WorkersRig) => Promise<void>): Promise<PicturesRig> => {
    const rig = await base.copy();
    rigs.push(rig);
    const all = await WorkersRig.open(redis.url);
    try {
      await all.shares(rig);
      await test(rig, all);
      const dump = await rig.dump();
      assert.deepEqual(dump.cutouts, right.cutouts);
      assert.deepEqual(dump.vectors, right.vectors);
      assert.deepEqual(dump, right);
      return rig;
    } catch (error) {
      console.log(all.transcript);
      throw error;
    } finally {
      await all.close();
    }
  };
  const finish = async (command: Command): Promise<string> => {
    const { code, stdout, stderr } = await command.ended;
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };

  it('may be killed, or sleep and wake: others do what they had', async () => {
    const rig = await shared(async (rig, all) => {
      const killed = await all.workers(['anna=honest'], true);
      const coordinator = all.coordinator(rig);
      await killed.shows(/has a job/);
      killed.signal('SIGKILL');
      await coordinator.shows(/Nothing was heard of the worker anna since/);
      // It is given what anna had.
      const asleep = await all.workers(['berta=honest'], true);
      await asleep.shows(/has a job/);
      asleep.signal('SIGSTOP');
      await coordinator.shows(/Nothing was heard of the worker berta since/);
      asleep.signal('SIGCONT');
      await coordinator.shows(/The worker berta is back/);
      await all.lets('cutout', 'image');
      await finish(coordinator);
    });
    const workers = await rig.rows('SELECT name, state, pictures FROM workers ORDER BY name');
    assert.deepEqual(
      workers.map(({ name }) => name),
      ['anna', 'berta', 'this computer'],
    );
    const odd = await rig.rows("SELECT what, became FROM oddities WHERE what LIKE '%silent%'");
    assert.deepEqual(odd, [{ what: 'a worker became silent', became: 'what it had is given to others' }]);
  });

  it('lose nothing when Redis is emptied, or ends and comes back, or the coordinator is killed', async () => {
    await shared(async (rig, all) => {
      const worker = await all.workers(['carl=honest'], true);
      const first = all.coordinator(rig);
      await worker.shows(/has a job/);
      await redis.say('FLUSHALL');
      await first.shows(/batch(?:es)? (?:was|were) no longer in Redis/);
      await redis.kill();
      await first.shows(/Redis at .* cannot be reached/);
      await worker.shows(/cannot be reached \(.*\); next try in \d+ s/);
      await redis.start();
      await first.shows(/Redis at .* is back again\./);
      await first.kill();
      await worker.shows(/is not there any more; waiting for one\./);
      await all.lets('cutout', 'image');
      await finish(all.coordinator(rig));
    });
  });

  it('are refused by name where they are of another version or answer wrongly', async () => {
    const rig = await shared(async (rig, all) => {
      const odd = await all.workers(['old=old', 'wrong=wrong', 'turning=turning']);
      await all.lets('cutout');
      const coordinator = all.coordinator(rig);
      await odd.shows(/old: This worker is not used: the coordinator on .* is version/);
      await odd.shows(/wrong: Refused by the coordinator on .*, for baseline: its vectors differ/);
      await odd.shows(/turning: did it to: image/);
      await all.lets('image');
      // It may be the last answer of all: then the run is over before the worker looks again.
      await odd.shows(/turning: (?:Refused by|The coordinator on .* is not there any more)/);
      await finish(coordinator);
      // More than the screen has room for.
      const said = await readFile(rig.path('sync-data.log'), 'utf8');
      assert.match(said, /The worker old is refused \(it is version 0\.0\.9, the coordinator is version/);
      assert.match(
        said,
        /The worker wrong is refused \(its vectors differ: cosine 0\.\d+, expected at least 0\.999\)/,
      );
      assert.match(said, /The worker turning is refused \(its vectors differ/);
    });
    const refused = await rig.rows("SELECT name, reason FROM workers WHERE state = 'refused'");
    assert.ok(refused.some(({ name }) => name === 'wrong'));
  });

  const odd: Record<string, RegExp> = {
    twice: /An answer of twice came a second time: not used/,
    late: /An answer of late came (?:too late|a second time): not used/,
    rubbish: /The worker rubbish is refused \(/,
  };
  for (const [kind, told] of Object.entries(odd)) {
    it(`that answer oddly are told of, and what they say is not used: ${kind}`, async () => {
      await shared(async (rig, all) => {
        const worker = await all.workers([`${kind}=${kind}`]);
        const coordinator = all.coordinator(rig);
        for (const work of ['cutout', 'image'] as const) {
          await worker.shows(new RegExp(`did it to: ${work}`));
          await all.lets(work);
        }
        await finish(coordinator);
        assert.match(await readFile(rig.path('sync-data.log'), 'utf8'), told);
      });
    });
  }

  it('are the command itself: it waits, helps, finishes what it has on KILL, and opens no port', async () => {
    await shared(async (rig, all) => {
      const folder = await all.folder();
      const worker = all.command(folder, ['worker', redis.url]);
      await worker.shows(/Connected to redis/);
      const coordinator = all.coordinator(rig);
      await worker.shows(/The coordinator is on /);
      await worker.shows(/Preparing the model baseline/);
      await worker.shows(/Taking jobs: baseline on cpu/);
      assert.deepEqual(await listening(worker.pid), []);
      await writeFile(join(folder, 'KILL'), '');
      const { code, stdout } = await worker.ended;
      assert.equal(code, 75);
      assert.match(stdout, /Stopping: the KILL file was found; finishing what is in hand\./);
      await coordinator.shows(/The worker .* has left: the KILL file was found/);
      await all.lets('cutout', 'image');
      const said = await finish(coordinator);
      assert.match(said, /made by/);
    });
  });
});
