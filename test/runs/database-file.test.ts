import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Database } from '../../lib/store/database.ts';
import { HeldDatabase, checkDatabaseFile, realDatabase } from '../../lib/store/database-file.ts';
import type { Marks } from '../../lib/store/database-file.ts';
import { pathToRead } from '../../lib/store/reading.ts';
import { acquireLock } from '../../lib/store/lock.ts';
import type { Lock } from '../../lib/store/lock.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'database-file-'));
  path = join(folder, 'etsy_data.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function lock(): Promise<Lock> {
  const got = await acquireLock(path, { pid: process.pid, since: 1 });
  assert.ok('release' in got);
  return got;
}

/** A start of the program: what it opens, until `end`. */
async function start(): Promise<{ database: Database; held: HeldDatabase; end: () => Promise<void> }> {
  const own = await lock();
  await checkDatabaseFile(path, own.marks);
  const database = await Database.open(path);
  await database.write((tx) => tx.run('CREATE TABLE IF NOT EXISTS t (x)'));
  const held = await HeldDatabase.hold(database, path, own);
  const end = async (): Promise<void> => {
    await held.close();
    await own.release(true);
  };
  return { database, held, end };
}

const add = (database: Database, x: number): Promise<unknown> =>
  database.write((tx) => tx.run('INSERT INTO t VALUES (?)', [x]));

/** Database and -wal as a kill at this moment leaves them. */
async function snapshot(name: string): Promise<void> {
  for (const end of ['', '-wal']) await copyFile(path + end, join(folder, name + end));
}

async function rows(of: string): Promise<number[]> {
  const database = await Database.open(of);
  try {
    return (await database.read.all<{ x: number }>('SELECT x FROM t ORDER BY x')).map(({ x }) => x);
  } finally {
    await database.close();
  }
}

describe('a -wal beside a database', () => {
  /** Two starts; the second is killed. Returns the marks that the lock file has then. */
  async function killed(): Promise<Marks> {
    const first = await start();
    await add(first.database, 1);
    await first.end();
    await copyFile(path, join(folder, 'backup.db'));
    const second = await start();
    await add(second.database, 2);
    await snapshot('killed.db');
    await second.end();
    await copyFile(join(folder, 'killed.db-wal'), `${path}-wal`);
    const own = await lock();
    await own.release(false);
    return own.marks;
  }

  it('is applied to the file that it was written for', async () => {
    const marks = await killed();
    await copyFile(join(folder, 'killed.db'), path);
    assert.equal(await checkDatabaseFile(path, marks), true);
    assert.deepEqual(await rows(path), [1, 2]);
  });

  it('stops the start where the file is another one, or none, and nothing is written', async () => {
    const marks = await killed();
    const other = join(folder, 'other.db');
    const stranger = await Database.open(other);
    await stranger.write((tx) => tx.run('CREATE TABLE mine (y)'));
    await stranger.close();
    for (const copy of [join(folder, 'backup.db'), other, undefined, '']) {
      await rm(path, { force: true });
      if (copy === '') await writeFile(path, '');
      else if (copy !== undefined) await copyFile(copy, path);
      const before = existsSync(path) ? await readFile(path) : undefined;
      const wal = await readFile(`${path}-wal`);
      await assert.rejects(checkDatabaseFile(path, marks), {
        name: 'UserError',
        exitCode: 1,
        message: copy ? /etsy_data\.db-wal does not belong to / : /^There is no .*etsy_data\.db-wal/,
        hint: /put back .* or move etsy_data\.db-wal and etsy_data\.db-shm to another folder/,
      });
      assert.deepEqual(existsSync(path) ? await readFile(path) : undefined, before);
      assert.deepEqual(await readFile(`${path}-wal`), wal);
    }
    await copyFile(join(folder, 'backup.db'), path);
    await rm(`${path}-wal`);
    assert.equal(await checkDatabaseFile(path, marks), true, 'a copy without a -wal');
    assert.deepEqual(await rows(path), [1]);
    await writeFile(`${path}-wal`, '');
    assert.equal(await checkDatabaseFile(path, marks), true, 'an empty -wal');
  });

  it('is accepted wherever in a start the kill comes, and is uncertain where nobody remembers', async () => {
    const first = await start();
    await add(first.database, 1);
    await first.end();
    const own = await lock();
    const database = await Database.open(path);
    await add(database, 2);
    assert.equal(await checkDatabaseFile(path, own.marks), true, 'before the mark');
    const held = await HeldDatabase.hold(database, path, {
      marks: own.marks,
      remember: () => Promise.resolve(),
    });
    await add(database, 3);
    await snapshot('unremembered.db');
    assert.equal(await checkDatabaseFile(join(folder, 'unremembered.db'), own.marks), true);
    assert.equal(await checkDatabaseFile(join(folder, 'unremembered.db'), { current: null, next: 5 }), false);
    await held.close();
    await own.release(true);
    // A database and a -wal of the version before: no mark, no memory.
    const early = await Database.open(join(folder, 'early.db'));
    await early.write((tx) => tx.run('CREATE TABLE t (x)'));
    assert.equal(await checkDatabaseFile(join(folder, 'early.db'), { current: null, next: 5 }), false);
    await early.close();
  });
});

describe('whoever only reads', () => {
  it('does so under the real path, and not through a -wal of another copy, which stays as it is', async () => {
    const { database, end } = await start();
    await add(database, 1);
    await symlink(path, join(folder, 'link.db'));
    // While the run is under way, and after it.
    assert.equal(await inOtherProcess(join(folder, 'link.db')), path);
    await copyFile(`${path}-wal`, join(folder, 'wal'));
    await end();
    assert.equal(await inOtherProcess(join(folder, 'link.db')), path);
    assert.equal(await pathToRead(join(folder, 'none.db')), join(folder, 'none.db'));
    const other = await Database.open(join(folder, 'other.db'));
    await add(other, 1).catch(() => undefined);
    await other.write((tx) => tx.run('CREATE TABLE mine (y)'));
    await other.close();
    await copyFile(join(folder, 'other.db'), path);
    await copyFile(join(folder, 'wal'), `${path}-wal`);
    for (const name of [path, join(folder, 'link.db')])
      await assert.rejects(pathToRead(name), { exitCode: 2, message: /-wal does not belong to/ });
    assert.deepEqual(await readFile(`${path}-wal`), await readFile(join(folder, 'wal')));
    // Beside a copy elsewhere there is no lock file: nobody remembers anything of it.
    await rm(`${path}.lock`);
    assert.equal(await pathToRead(path), path);
  });
});

/** In this one the locks of the run would be dropped. */
async function inOtherProcess(name: string): Promise<string> {
  const code = `import { pathToRead } from ${JSON.stringify(new URL('../../lib/store/reading.ts', import.meta.url).href)};
    console.log(await pathToRead(${JSON.stringify(name)}));`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  return stdout.trim();
}

describe('a database with several names', () => {
  it('is one where they are symbolic links, also to a file that is not there yet', async () => {
    await mkdir(join(folder, 'a'));
    await symlink(join(folder, 'a'), join(folder, 'b'));
    await symlink('a/real.db', join(folder, 'link.db'));
    const real = join(folder, 'a', 'real.db');
    for (const there of [false, true]) {
      if (there) await writeFile(real, '');
      for (const name of [real, join(folder, 'b', 'real.db'), join(folder, 'link.db')])
        assert.equal(await realDatabase(name, folder), await realDatabase(real, folder));
    }
  });

  it('is refused where they are hard links', async () => {
    const first = await start();
    await first.end();
    await link(path, join(folder, 'other name'));
    const own = await lock();
    await assert.rejects(checkDatabaseFile(path, own.marks), /has 2 names \(hard links\)/);
    await rm(join(folder, 'other name'));
    assert.equal(await checkDatabaseFile(path, own.marks), true);
    await own.release(true);
  });

  it('has a folder made for it beside pipeline.yaml, and nowhere else', async () => {
    await realDatabase(join(folder, 'data', 'new', 'etsy_data.db'), folder);
    assert.ok(existsSync(join(folder, 'data', 'new')));
    const away = join(folder, 'disk', 'etsy_data.db');
    await assert.rejects(realDatabase(away, join(folder, 'data')), {
      exitCode: 2,
      message: /does not exist/,
    });
    assert.ok(!existsSync(join(folder, 'disk')));
  });
});

describe('a database that is exchanged while it is open', () => {
  const EXCHANGES: Readonly<Record<string, (copy: string) => Promise<void>>> = {
    'was moved or deleted': () => rename(path, join(folder, 'moved.db')),
    'was replaced by another file': async (copy) => {
      await rename(path, join(folder, 'moved.db'));
      await rename(copy, path);
    },
    'was overwritten': (copy) => copyFile(copy, path),
  };

  for (const [said, exchange] of Object.entries(EXCHANGES)) {
    it(`that ${said}: nothing more is written, and what was put there is left alone`, async () => {
      const first = await start();
      await add(first.database, 1);
      await first.end();
      const copy = join(folder, 'copy.db');
      await copyFile(path, copy);
      const { database, held, end } = await start();
      await add(database, 2);
      held.check();
      const before = await readFile(copy);
      await exchange(copy);
      assert.throws(() => held.check(), { exitCode: 1, message: new RegExp(`${said} while`) });
      await assert.rejects(add(database, 3), new RegExp(said));
      await assert.rejects(database.writeRelaxed('INSERT INTO t VALUES (4)', []), new RegExp(said));
      await end();
      assert.ok(!existsSync(`${path}-wal`), 'no -wal is left beside another file');
      if (existsSync(path)) assert.deepEqual(await readFile(path), before);
      if (existsSync(join(folder, 'moved.db')))
        assert.deepEqual(await rows(join(folder, 'moved.db')), [1, 2]);
    });
  }

  it('whose -wal is deleted: what was written by then is kept, and nothing more is', async () => {
    const { database, held, end } = await start();
    await add(database, 1);
    await rm(`${path}-wal`);
    assert.throws(() => held.check(), /etsy_data\.db-wal was moved or deleted while/);
    await assert.rejects(add(database, 2), /-wal was moved or deleted while/);
    await end();
    assert.deepEqual(await rows(path), [1]);
  });

  it('that is overwritten with a copy of this very start: it has fewer pages', async () => {
    const { database, held, end } = await start();
    await add(database, 1);
    await database.checkpoint();
    const copy = join(folder, 'copy.db');
    await copyFile(path, copy);
    for (let x = 0; x < 300; x += 1)
      await database.write((tx) => tx.run('INSERT INTO t VALUES (zeroblob(1000))'));
    await database.checkpoint();
    await add(database, 2);
    await copyFile(copy, path);
    await assert.rejects(add(database, 3), /was overwritten while/);
    assert.throws(() => held.check(), /was overwritten while/);
    await end();
    assert.deepEqual(await readFile(path), await readFile(copy));
    assert.deepEqual(await rows(path), [1]);
  });

  it('whose content is exchanged by way of SQLite: nothing more is written, and that content is kept whole', async () => {
    for (const isInFile of [false, true]) {
      const { database, held, end } = await start();
      await add(database, 1);
      // What sqlite3's .restore does: another header, other rows, in one transaction.
      const other = await Database.open(path);
      await other.write(async (tx) => {
        await tx.run('PRAGMA application_id = 4711');
        await tx.run('DELETE FROM t');
        await tx.run('INSERT INTO t VALUES (7)');
      });
      if (isInFile) await other.checkpoint();
      await assert.rejects(add(database, 2), /was overwritten while/);
      assert.throws(() => held.check(), { exitCode: 1, message: /was overwritten while/ });
      await other.close();
      await end();
      assert.deepEqual(await rows(path), [7]);
      await rm(path);
      await rm(`${path}.lock`);
    }
  });

  it('in which others write, or which they make smaller, is still the same', async () => {
    const { database, held, end } = await start();
    for (let x = 0; x < 300; x += 1)
      await database.write((tx) => tx.run('INSERT INTO t VALUES (zeroblob(1000))'));
    await database.checkpoint();
    await add(database, 1);
    const other = await Database.open(path);
    await other.write((tx) => tx.run("DELETE FROM t WHERE typeof(x) = 'blob'"));
    await other.read.all('SELECT count(*) FROM t');
    await other.close();
    const connection = await Database.openRollback(path);
    await connection.run('VACUUM');
    await connection.close();
    await database.checkpoint();
    await add(database, 2);
    held.check();
    await end();
    assert.deepEqual(await rows(path), [1, 2]);
  });

  it('that is only grown, truncated to nothing elsewhere, or read by others, is still the same', async () => {
    const { database, held, end } = await start();
    for (let x = 0; x < 300; x += 1) await add(database, x);
    await database.checkpoint();
    await copyFile(path, join(folder, 'copy.db'));
    await truncate(join(folder, 'copy.db'), 10);
    assert.equal((await rows(path)).length, 300);
    held.check();
    await end();
    assert.ok((await stat(path)).size > 0 && !existsSync(`${path}-wal`));
  });
});
