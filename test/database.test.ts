import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Database, StoreError } from '../lib/store/database.ts';
import { addShops } from '../lib/dataset/shops.ts';
import { STALE, shop, storePerTest } from './store-rig.ts';

describe('the database', () => {
  const store = storePerTest();

  it('keeps nothing of a write that threw, and goes on', async () => {
    await assert.rejects(
      store.database.write(async (tx) => {
        await addShops(tx, [shop(7)], STALE);
        throw new Error('half way');
      }),
      /half way/,
    );
    await assert.rejects(
      store.database.write((tx) => tx.run('INSERT INTO nowhere VALUES (1)')),
      StoreError,
    );
    assert.deepEqual(await store.rows('SELECT shop_id FROM shops'), []);
    await store.database.write((tx) => addShops(tx, [shop(7)], STALE));
    assert.equal((await store.rows('SELECT shop_id FROM shops')).length, 1);
  });

  it('does one write at a time, and reads only what is committed', async () => {
    let inside = 0;
    const write = (id: number): Promise<void> =>
      store.database.write(async (tx) => {
        inside += 1;
        assert.equal(inside, 1);
        const before = (await store.rows('SELECT shop_id FROM shops')).length;
        await addShops(tx, [shop(id)], STALE);
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
      assert.match(error.hint, /pipeline\.yaml/);
      return true;
    });
    assert.deepEqual(await readFile(other), before);
  });
});
