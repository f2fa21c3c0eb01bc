import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Database } from '../lib/store/database.ts';
import { StoreError } from '../lib/store/store-error.ts';
import { addShops } from '../lib/dataset/shops.ts';
import { FRESH, shop, storePerTest } from './store-rig.ts';

describe('the database', () => {
  const store = storePerTest();

  it('keeps nothing of a write that threw, and goes on', async () => {
    await assert.rejects(
      store.database.write(async (tx) => {
        await addShops(tx, [shop(7)], FRESH);
        throw new Error('half way');
      }),
      /half way/,
    );
    await assert.rejects(
      store.database.write((tx) => tx.run('INSERT INTO nowhere VALUES (1)')),
      StoreError,
    );
    assert.deepEqual(await store.rows('SELECT shop_id FROM shops'), []);
    await store.database.write((tx) => addShops(tx, [shop(7)], FRESH));
    assert.equal((await store.rows('SELECT shop_id FROM shops')).length, 1);
  });

  it('does one write at a time, and reads only what is committed', async () => {
    let inside = 0;
    const write = (id: number): Promise<void> =>
      store.database.write(async (tx) => {
        inside += 1;
        assert.equal(inside, 1);
        const before = (await store.rows('SELECT shop_id FROM shops')).length;
        await addShops(tx, [shop(id)], FRESH);
        assert.equal((await store.rows('SELECT shop_id FROM shops')).length, before);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 10 }, (_, index) => write(index + 1)));
    assert.equal((await store.rows('SELECT shop_id FROM shops')).length, 10);
  });

  it('says what is wrong with a file that is none, and what to do', async () => {
    const other = join(store.folder, 'other.db');
    await assert.rejects(Database.open(other, { readOnly: true }), { code: 'SQLITE_CANTOPEN' });
    await writeFile(other, 'no database, but a text of more than one hundred bytes. '.repeat(3));
    const before = await readFile(other);
    await assert.rejects(Database.open(other), (error) => {
      assert.ok(error instanceof StoreError);
      assert.deepEqual([error.code, error.message.startsWith(other)], ['SQLITE_NOTADB', true]);
      assert.match(error.hint ?? '', /pipeline\.yaml/);
      return true;
    });
    assert.deepEqual(await readFile(other), before);
  });
});

describe('the lock of another program', () => {
  const store = storePerTest('empty');

  it('is waited for, and that is told; a stop ends the wait, and so does the end of patience', async () => {
    const other = await Database.openRollback(store.path);
    const mine = await Database.open(store.path, { busyTimeoutMs: 1 });
    const said: string[] = [];
    const stop = new AbortController();
    const hold = (reason: string): (() => void) => {
      said.push(reason);
      return () => said.push('released');
    };
    const locked = async (giveUpAfterMs: number, meanwhile: () => unknown): Promise<string> => {
      mine.lockPatience = { giveUpAfterMs, hold, signal: stop.signal };
      await other.run('BEGIN IMMEDIATE');
      const written = mine
        .write((tx) => tx.run('CREATE TABLE IF NOT EXISTS a (b)'))
        .then(
          () => 'written',
          (error: unknown) => String(error),
        );
      void meanwhile();
      const outcome = await Promise.race([
        written,
        new Promise<string>((done) => setTimeout(done, 400, 'waits')),
      ]);
      await other.run('ROLLBACK');
      await written;
      return outcome;
    };
    try {
      assert.equal(await locked(60_000, () => undefined), 'waits');
      assert.match(said[0] ?? '', /^another program holds .+ \(a backup or a database browser, perhaps\)$/);
      assert.ok(said.includes('released'));
      assert.match(await locked(0, () => undefined), /SQLITE_BUSY/);
      assert.match(await locked(60_000, () => stop.abort(new Error('KILL'))), /KILL/);
    } finally {
      await mine.close();
      await other.close();
    }
  });
});
