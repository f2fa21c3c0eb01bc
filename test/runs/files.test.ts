import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Database } from '../../lib/store/database.ts';
import { asFileError } from '../../lib/errors.ts';
import { NotAFile, openRegular, openToAppend, readRegular, replaceFile } from '../../lib/store/files.ts';
import { Inspection } from '../../lib/store/inspection.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sync-data-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a file that is replaced', () => {
  const put = (text: string, durable = true): Promise<void> => {
    const path = join(folder, 'a.json');
    return replaceFile(path, `${path}.tmp`, durable, (file) => file.writeFile(text));
  };

  it('is the new one, whole, and for others to read but not to write', async () => {
    for (const text of ['one', 'two']) {
      await put(text, text === 'one');
      assert.equal(await readFile(join(folder, 'a.json'), 'utf8'), text);
    }
    assert.equal((await stat(join(folder, 'a.json'))).mode & 0o133, 0);
    assert.deepEqual(await readdir(folder), ['a.json']);
  });

  it('keeps the mode and owner it had; a new one has what the umask leaves', async () => {
    const path = join(folder, 'a.json');
    for (const mode of [0o664, 0o600, 0o640]) {
      await writeFile(path, 'old');
      await chmod(path, mode);
      if (process.getuid?.() === 0) await chown(path, 1234, 4321);
      await put('new');
      const info = await stat(path);
      assert.equal(info.mode & 0o777, mode);
      if (process.getuid?.() === 0) assert.deepEqual([info.uid, info.gid], [1234, 4321]);
      await rm(path);
    }
    const before = process.umask(0o027);
    await put('new').finally(() => process.umask(before));
    assert.equal((await stat(path)).mode & 0o777, 0o640);
  });

  it('stays the old one where writing fails, with nothing left beside it', async () => {
    await put('one');
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    const path = join(folder, 'a.json');
    await assert.rejects(
      replaceFile(path, `${path}.tmp`, true, async (file) => {
        await file.writeFile('half');
        throw full;
      }),
      {
        name: 'FileError',
        message: `${path}: no space left on device`,
        hint: /^The disk is full\. Free some space/,
      },
    );
    assert.equal(await readFile(path, 'utf8'), 'one');
    assert.deepEqual(await readdir(folder), ['a.json']);
  });

  it('is not written through a link that lies there under the temporary name', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'not ours');
    await symlink(elsewhere, join(folder, 'a.json.tmp'));
    await put('one');
    assert.equal(await readFile(elsewhere, 'utf8'), 'not ours');
    assert.equal(await readFile(join(folder, 'a.json'), 'utf8'), 'one');
  });

  it('is refused, by name, where a folder lies in its place', async () => {
    await mkdir(join(folder, 'a.json'));
    await assert.rejects(put('one'), { name: 'FileError', message: /a\.json: / });
  });
});

it('an error that is none of the file system stays what it is', () => {
  const error = new Error('something else');
  assert.equal(asFileError('x', error), error);
});

describe('the inspection of a database', () => {
  const make = async (): Promise<string> => {
    const path = join(folder, 'data.db');
    const database = await Database.open(path);
    await database.write(async (tx) => {
      await tx.run('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)');
      await tx.run(`INSERT INTO t (text) SELECT hex(randomblob(900)) FROM jsonb_each(?)`, [
        JSON.stringify(Array.from({ length: 400 }, () => 0)),
      ]);
    });
    await database.close();
    return path;
  };
  const spoil = async (path: string, page: number): Promise<void> => {
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    await file.close();
  };

  it('finds nothing in a good one, and none where there is no file', async () => {
    for (const path of [await make(), join(folder, 'none.db')]) {
      const inspection = new Inspection(path);
      await inspection.wait(10_000);
      await inspection.end();
      inspection.throwIfDamaged();
    }
    assert.equal(existsSync(join(folder, 'none.db')), false);
  });

  for (const [page, code] of [
    [60, 'SQLITE_CORRUPT'],
    [0, 'SQLITE_NOTADB'],
  ] as const) {
    it(`finds page ${page} damaged, says so, and changes nothing`, async () => {
      const path = await make();
      await spoil(path, page);
      const before = await readFile(path);
      const inspection = new Inspection(path);
      await assert.rejects(inspection.wait(10_000), { name: 'StoreError', code, message: /data\.db: / });
      const told: string[] = [];
      inspection.onDamage((damage) => told.push(damage.code));
      assert.deepEqual(told, [code]);
      await inspection.end();
      assert.ok(before.equals(await readFile(path)));
    });
  }

  it('ends at once when it is no longer wanted', async () => {
    const inspection = new Inspection(await make());
    await inspection.end();
    inspection.throwIfDamaged();
  });
});

describe('a file that is opened to be read', () => {
  const strange: Readonly<Record<string, (path: string) => unknown>> = {
    'a pipe': (path) => execFileSync('mkfifo', [path]),
    'a folder': (path) => mkdir(path),
    'a symbolic link': (path) => symlink('victim', path),
    'a socket or a device': async (path) => {
      const server = createServer().listen(path);
      await once(server, 'listening');
      server.unref();
    },
  };
  for (const [what, make] of Object.entries(strange)) {
    it(`is refused at once where it is ${what}, also to append to`, async () => {
      await writeFile(join(folder, 'victim'), 'VICTIM');
      const path = join(folder, 'strange');
      await make(path);
      const refused = (error: unknown): boolean =>
        error instanceof NotAFile && error.message.startsWith(path) && what.includes(error.what.slice(-6));
      await assert.rejects(openRegular(path, 'refuse'), refused);
      assert.throws(() => openToAppend(path, 0o644), NotAFile);
      assert.equal(await readFile(join(folder, 'victim'), 'utf8'), 'VICTIM');
    });
  }

  it('is read whole, up to so many bytes, and through a link of its owner', async () => {
    const path = join(folder, 'plain');
    await writeFile(path, 'x'.repeat(10_000));
    await symlink('plain', join(folder, 'link'));
    for (const name of ['plain', 'link'])
      assert.equal((await readRegular(join(folder, name), 'follow', 10_000)).bytes.length, 10_000);
    await assert.rejects(readRegular(path, 'refuse', 9_999), /plain has more than 9999 bytes/);
    await assert.rejects(readRegular(join(folder, 'none'), 'follow', 1), { code: 'ENOENT' });
    if (existsSync('/proc/self/status'))
      assert.match((await readRegular('/proc/self/status', 'follow', 100_000)).bytes.toString(), /^Name:/);
  });
});
