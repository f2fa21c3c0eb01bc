import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { acquireLock, holderOf } from '../../lib/store/lock.ts';
import { storePerTest } from '../store-rig.ts';

type Holding = ChildProcessByStdio<null, Readable, null>;

/** Another process that takes the lock, tells what it got, and keeps it until it is killed. */
function holdElsewhere(databasePath: string): Holding {
  const lock = new URL('../../lib/store/lock.ts', import.meta.url).href;
  const code = `
    const { acquireLock } = await import(${JSON.stringify(lock)});
    const got = await acquireLock(${JSON.stringify(databasePath)}, { pid: process.pid, since: 5 });
    console.log('pid' in got ? 'refused' : 'held');
    setInterval(() => got, 1000);`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
}

async function firstLine(child: Holding): Promise<string> {
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error('the other process said nothing');
}

async function killHard(child: Holding): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('the lock', () => {
  const store = storePerTest();

  it('is refused with the pid of its holder, and free at once after that was killed', async () => {
    const child = holdElsewhere(store.path);
    try {
      assert.equal(await firstLine(child), 'held');
      assert.deepEqual(
        { ...(await acquireLock(store.path, { pid: 1, since: 6 })) },
        { pid: child.pid, since: 5 },
      );
      assert.deepEqual(
        { ...(await acquireLock(store.path, { pid: 1, since: 7 })) },
        { pid: child.pid, since: 5 },
      );
    } finally {
      await killHard(child);
    }
    const mine = await acquireLock(store.path, { pid: process.pid, since: 8 });
    assert.ok('release' in mine);
    const other = await acquireLock(store.path, { pid: 2, since: 9 });
    assert.ok('pid' in other);
    assert.equal(other.pid, process.pid);
    await mine.release(true);
    const again = await acquireLock(store.path, { pid: process.pid, since: 10 });
    assert.ok('release' in again);
    await again.release(true);
  });

  it('says with which pipeline.yaml its holder was started, where that is known', async () => {
    for (const pipeline of ['/data/pipeline.yaml', undefined, '/other/pipeline.yaml']) {
      const mine = await acquireLock(store.path, { pid: 1, since: 2, ...(pipeline && { pipeline }) });
      assert.ok('release' in mine);
      const other = await acquireLock(store.path, { pid: 3, since: 4 });
      assert.ok('pid' in other);
      assert.equal(other.pipeline, pipeline);
      await mine.release(true);
    }
  });

  it('tells whether the last holder ended well', async () => {
    const endedCleanly = async (release: boolean): Promise<boolean> => {
      const lock = await acquireLock(store.path, { pid: process.pid, since: 1 });
      assert.ok('release' in lock);
      await lock.release(release);
      return lock.endedCleanly;
    };
    assert.equal(await endedCleanly(true), true);
    assert.equal(await endedCleanly(false), true);
    assert.equal(await endedCleanly(true), false);
    assert.equal(await endedCleanly(true), true);
    const child = holdElsewhere(store.path);
    assert.equal(await firstLine(child), 'held');
    await killHard(child);
    assert.equal(await endedCleanly(true), false);
  });

  it('is kept while its holder writes to it, however often others try and look', async () => {
    const mine = await acquireLock(store.path, { pid: 1, since: 2 });
    assert.ok('release' in mine);
    let isOver = false;
    let tries = 0;
    const others = [acquireLock, acquireLock, holderOf].map(async (look) => {
      for (; !isOver; tries += 1)
        assert.ok(!('release' in ((await look(store.path, { pid: 3, since: 4 })) ?? {})));
    });
    try {
      for (let times = 0; times < 40; times += 1) await mine.remember();
    } finally {
      isOver = true;
    }
    await Promise.all(others);
    assert.ok(tries > 0);
    await mine.release(true);
  });

  it('goes to one of several that start at the same moment', async () => {
    const children = [store.path, store.path, store.path].map(holdElsewhere);
    try {
      const said = await Promise.all(children.map(firstLine));
      assert.deepEqual(said.toSorted(), ['held', 'refused', 'refused']);
    } finally {
      await Promise.all(children.map(killHard));
    }
  });
});
