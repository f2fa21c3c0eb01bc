import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { insertRows } from '../lib/store/rows.ts';
import type { Row } from '../lib/store/rows.ts';
import { storePerTest } from './store-rig.ts';

describe('rows of a task of one’s own', () => {
  const store = storePerTest('empty');

  const TABLE = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, price REAL, seen INTEGER, code BLOB)';
  const add = (rows: readonly Row[], known?: 'keep' | 'update'): Promise<number> =>
    store.database.write(async (tx) => {
      await tx.run(TABLE.replace('TABLE', 'TABLE IF NOT EXISTS'));
      return insertRows(tx, 'notes', rows, known);
    });

  it('go in under the names of their columns, of every type, wide numbers and bytes too', async () => {
    const code = Uint8Array.of(0, 255, 7);
    const wide = 2 ** 53 - 1;
    const text = 'é "quoted"; \n😀';
    await add([{ id: wide, text, price: 0.1, seen: true, code: null }]);
    await add([
      { id: 1, code, seen: false, text: undefined },
      { id: 2 ** 40, code: null },
    ]);
    assert.deepEqual(await store.rows('SELECT *, typeof(id) AS of FROM notes ORDER BY id'), [
      { id: 1, text: null, price: null, seen: 0, code: Buffer.from(code), of: 'integer' },
      { id: 2 ** 40, text: null, price: null, seen: null, code: null, of: 'integer' },
      { id: wide, text, price: 0.1, seen: 1, code: null, of: 'integer' },
    ]);
  });

  for (const [how, code] of [
    ['all in one statement', undefined],
    ['one by one, with bytes', Uint8Array.of(1)],
  ] as const) {
    it(`can go in twice: kept, or brought up to date (${how})`, async () => {
      const texts = async (): Promise<unknown> => store.rows('SELECT id, text FROM notes ORDER BY id');
      assert.equal(await add([{ id: 1, text: 'a', code }]), 1);
      const again = [
        { id: 1, text: 'b', code },
        { id: 2, text: 'b', code },
      ];
      assert.equal(await add(again), 1);
      assert.deepEqual(await texts(), [
        { id: 1, text: 'a' },
        { id: 2, text: 'b' },
      ]);
      assert.equal(await add([{ id: 1, text: 'c', code }], 'update'), 1);
      assert.deepEqual(await texts(), [
        { id: 1, text: 'c' },
        { id: 2, text: 'b' },
      ]);
    });
  }

  it('none are none, and a name that is none is refused', async () => {
    assert.equal(await add([]), 0);
    await assert.rejects(
      add([{ 'id) --': 1 }]),
      /insertRows was given "id\) --" as the name of a table or column/,
    );
  });
});

describe('inside write', () => {
  const store = storePerTest('empty');
  const refused = (error: unknown): boolean =>
    error instanceof Error && error.message.includes('was called inside write, where it would wait');

  it('another write is refused at once, where it would wait for ever', async () => {
    const { database } = store;
    const inner = [() => database.write(async () => undefined), () => database.writeRelaxed('SELECT 1', [])];
    for (const write of inner) {
      await assert.rejects(
        database.write(async () => {
          await Promise.resolve();
          await write();
        }),
        refused,
      );
    }
  });

  it('nothing is refused of what merely waits beside it', async () => {
    const { database } = store;
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const first = database.write(async (tx) => {
      begin();
      await tx.run('CREATE TABLE t (x)');
    });
    await begun;
    await Promise.all([first, database.write((tx) => tx.run('INSERT INTO t VALUES (1)'))]);
    await database.write((tx) => tx.run('INSERT INTO t VALUES (2)'));
    assert.equal((await store.rows('SELECT * FROM t')).length, 2);
  });

  it('whoever reads cannot write', () => {
    assert.ok(!('run' in store.database.read));
  });
});
