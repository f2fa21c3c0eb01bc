import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cutShort, installationFault } from '../lib/installation.ts';

describe('a broken installation', () => {
  it('is none where all is there', () => {
    assert.equal(cutShort(), undefined);
    assert.equal(installationFault(new Error('something else')), undefined);
    assert.equal(installationFault(new Error("Cannot find module './prices.ts'")), undefined);
  });

  it('is told with what to do where the compiled part is missing, or of another system', async () => {
    const missing = installationFault(
      new Error('outer', { cause: new Error('Could not locate the bindings file. Tried:\n → /a') }),
    );
    assert.match(missing?.message ?? '', /^The compiled part of the package sqlite3 is missing\.$/);
    assert.match(missing?.hint ?? '', /npm rebuild sqlite3/);
    const folder = await mkdtemp(join(tmpdir(), 'installation-'));
    try {
      const file = join(folder, 'other.node');
      await writeFile(file, Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1]));
      const load = (): unknown => createRequire(import.meta.url)(file);
      assert.throws(load, (error) => {
        const fault = installationFault(error);
        assert.match(fault?.message ?? '', /cannot be loaded: /);
        return !fault?.message.includes('\n');
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is told where a package is not installed, or the current folder is gone', () => {
    assert.match(
      installationFault(new Error("Cannot find package 'p-limit' imported from /a/b.ts"))?.message ?? '',
      /^The package p-limit is not installed\.$/,
    );
    const gone = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
      code: 'ENOENT',
      syscall: 'uv_cwd',
    });
    assert.match(installationFault(gone)?.message ?? '', /^The current folder no longer exists\.$/);
    const full = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE', syscall: 'open' });
    assert.match(installationFault(full)?.message ?? '', /^Too many files are open \(EMFILE\): /);
    assert.match(installationFault(full)?.hint ?? '', /ulimit -n 256$/);
  });
});
