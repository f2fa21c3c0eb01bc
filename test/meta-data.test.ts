import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { Database } from '../lib/store/database.ts';
import { jsonEntries } from '../lib/dataset/json-entries.ts';
import type { Entry } from '../lib/dataset/json-entries.ts';
import { MetaDataFile, getEntries, markSeen, putEntries } from '../lib/dataset/meta-data.ts';
import { migrate } from '../lib/dataset/migrations.ts';
import { yearOfEntry } from '../lib/dataset/entries.ts';
import { entryOf, key, objectOf } from './json-texts.ts';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meta-data-'));
});
after(() => rm(folder, { recursive: true }));

describe('image_metadata.json and its table', () => {
  let database: Database;
  let path = '';

  const open = (): MetaDataFile => new MetaDataFile(database, path, yearOfEntry);
  const table = async (): Promise<unknown[]> => [
    await database.read.all('SELECT * FROM meta_data ORDER BY listing_id'),
    await database.read.all('SELECT * FROM meta_data_other ORDER BY key'),
  ];
  const put = (listingId: number, value: string): Promise<void> =>
    database.write((tx) => putEntries(tx, [{ listingId, value, earliestYear: null }]));

  beforeEach(async () => {
    const own = await mkdtemp(join(folder, 'own-'));
    path = join(own, 'image_metadata.json');
    database = await Database.open(join(own, 'data.db'));
    await migrate(database);
  });
  afterEach(async () => {
    await database.close();
  });

  it('give back every value byte for byte', async () => {
    const listing = entryOf(fc.integer({ min: 1 }).map(String));
    const other = entryOf(key.filter((word) => !/^[1-9]\d*$/.test(word)));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(listing, { selector: ({ key }) => key }),
        fc.uniqueArray(other, { selector: ({ key }) => key, maxLength: 5 }),
        async (listings, others) => {
          await database.write(async (tx) => {
            await tx.run('DELETE FROM meta_data');
            await tx.run('DELETE FROM meta_data_other');
          });
          await writeFile(path, objectOf([...others, ...listings]));
          await open().load();
          await open().save();
          const back: Entry[] = [];
          for await (const some of jsonEntries(path)) back.push(...some);
          const byKey = (entries: readonly Entry[]): Map<string, string> =>
            new Map(entries.map(({ key, text }) => [key, text]));
          assert.deepEqual(byKey(back), byKey([...listings, ...others]));
          assert.equal(back.length, listings.length + others.length);
          const sorted = listings.map(({ key }) => Number(key)).toSorted((a, b) => a - b);
          assert.deepEqual(
            back.slice(0, sorted.length).map(({ key }) => Number(key)),
            sorted,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keep the last of several entries of one listing', async () => {
    await writeFile(path, '{"5": {"image_id": 1}, "x": 1, "5": 12345678901234567890, "x": 2}');
    await open().load();
    await open().save();
    assert.equal(await readFile(path, 'utf8'), '{\n"5": 12345678901234567890,\n"x": 2\n}\n');
  });

  it('know the year of every entry, and none of those that do not say', async () => {
    await writeFile(path, '{"1": {"when_made": "2004_2009"}, "2": 5, "3": "404", "9007199254740993": {}}');
    await open().load();
    const rows = await database.read.all<object>('SELECT listing_id, earliest_year FROM meta_data');
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [
        { listing_id: 1, earliest_year: 2004 },
        { listing_id: 2, earliest_year: null },
        { listing_id: 3, earliest_year: null },
      ],
    );
    assert.equal((await database.read.all('SELECT key FROM meta_data_other')).length, 1);
  });

  it('are an empty object where there is nothing', async () => {
    await open().load();
    await open().save();
    assert.equal(await readFile(path, 'utf8'), '{}\n');
  });

  it('hold many entries', async () => {
    const entries = Array.from({ length: 12_000 }, (_, index) => ({
      key: String(index + 1),
      text: `{"image_id": ${index}, "shop_id": 7, "hex": "a1b2c3", "suffix": "é😀", "when_made": "2010_2019"}`,
    }));
    await writeFile(path, objectOf(entries));
    await open().load();
    await open().save();
    assert.equal(await readFile(path, 'utf8'), objectOf(entries));
  });

  it('stay as they were where the file is malformed, and the place is named', async () => {
    await put(5, '{"kept":true}');
    const before = await table();
    const many = Array.from(
      { length: 9000 },
      (_, index) => `"${index + 1}": {"shop_id": 7, "x": "${index}"}`,
    );
    for (const [content, place] of [
      ['{\n  "1": {"image_id": 5},\n  "2": {"image_id": 6}\n  "3": 7\n}', '4:3'],
      ['{"5": "é", }', '1:13'],
      [`{\n${many.join(',\n')},\n  oops\n}`, '9002:3'],
      ['{\r\n"5": 1,\r\n"6": 2', '3:7'],
      ['[]', '1:1'],
    ] as const) {
      await writeFile(path, content);
      await assert.rejects(open().load(), (error) => {
        assert.ok(error instanceof Error && 'exitCode' in error && 'hint' in error);
        assert.equal(error.message.slice(0, error.message.indexOf(': ')), `image_metadata.json:${place}`);
        assert.equal(error.exitCode, 2);
        return true;
      });
      assert.deepEqual(await table(), before);
      assert.equal(await readFile(path, 'utf8'), content);
    }
  });

  it('are not read again while the file has not changed', async () => {
    await writeFile(path, '{"5": 1}');
    await open().load();
    await put(5, '2');
    await open().load();
    assert.deepEqual([...(await getEntries(database.read, [5]))], [[5, '2']]);
    await open().save();
    await put(5, '3');
    await open().load();
    assert.deepEqual([...(await getEntries(database.read, [5]))], [[5, '3']], 'its own file is not news');
  });

  it('are read again after another program wrote the file, even to the same length', async () => {
    await writeFile(path, '{"5": 1, "6": 1}');
    await open().load();
    await database.write((tx) => markSeen(tx, [5], 3));
    await writeFile(path, '{"5": 2, "7": 1}');
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    await open().load();
    assert.deepEqual(
      [...(await getEntries(database.read, [5, 6, 7]))],
      [
        [5, '2'],
        [6, '1'],
        [7, '1'],
      ],
      'what the file no longer names is kept',
    );
    const seen = await database.read.get<{ seen_slice: number }>(
      'SELECT seen_slice FROM meta_data WHERE listing_id = 5',
    );
    assert.equal(seen?.seen_slice, 3);
  });

  it('are written only where an entry has changed since', async () => {
    const metaData = open();
    await put(5, '1');
    await metaData.save();
    const first = await stat(path);
    await database.write((tx) => markSeen(tx, [5], 3));
    await metaData.save();
    await open().load();
    await open().save();
    assert.equal((await stat(path)).ino, first.ino, 'nothing has changed');
    assert.equal((await stat(path)).mtimeMs, first.mtimeMs, 'nothing has changed');
    await put(5, '2');
    await metaData.save();
    assert.equal(await readFile(path, 'utf8'), '{\n"5": 2\n}\n');
    await rm(path);
    await metaData.save();
    assert.ok(existsSync(path), 'a file that was taken away is written again');
  });

  const ours = { image_id: 5, shop_id: 7, hex: 'a1', suffix: 'b2', when_made: '2010_2019' };

  it('take in what another program wrote since, before they are written', async () => {
    const said: string[] = [];
    const metaData = new MetaDataFile(database, path, yearOfEntry, (message) => said.push(message));
    await put(5, JSON.stringify(ours));
    await put(6, '1');
    await metaData.save();
    const theirs = { ...ours, hex: null, label: 'oak' };
    await writeFile(path, JSON.stringify({ 5: theirs, 6: 1, 7: '404', _labels: { version: 3 } }));
    await put(8, '2');
    await metaData.save();
    const whole = { 5: { ...ours, label: 'oak' }, 6: 1, 7: '404', 8: 2, _labels: { version: 3 } };
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), whole);
    assert.deepEqual(said, [
      'image_metadata.json was changed by another program: 2 entries and 1 other key taken in; 1 disagreed with the database, which keeps the image_id, shop_id, hex, suffix and when_made it knows',
    ]);
    await metaData.save();
    await open().load();
    assert.equal(said.length, 1);
  });

  it('lose the keys that another program takes away, where they are not ours', async () => {
    const metaData = open();
    await put(5, JSON.stringify(ours));
    await metaData.save();
    await writeFile(path, JSON.stringify({ 5: { ...ours, label: 'oak' }, _labels: 1, _notes: 2 }));
    await metaData.load();
    await writeFile(path, JSON.stringify({ 5: ours, _notes: 2 }));
    await put(6, '1');
    await metaData.save();
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { 5: ours, 6: 1, _notes: 2 });
    await writeFile(path, '{}');
    await metaData.save();
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { 5: ours, 6: 1 });
  });

  it('are not emptied by an older file that is put back', async () => {
    await put(5, JSON.stringify(ours));
    await open().save();
    await writeFile(path, JSON.stringify({ 5: { ...ours, image_id: null, hex: null, suffix: null } }));
    await open().load();
    await open().save();
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { 5: ours });
  });

  it('take in what another program writes while they are written', async () => {
    for (let id = 1; id <= 6000; id += 1000)
      await database.write((tx) =>
        putEntries(
          tx,
          Array.from({ length: 1000 }, (_, n) => ({ listingId: id + n, value: '1', earliestYear: null })),
        ),
      );
    const metaData = open();
    await metaData.save();
    await put(1, '2');
    const saving = metaData.save();
    while (!existsSync(`${path}.tmp`)) await setImmediate();
    await writeFile(`${path}.mine`, JSON.stringify({ mine: true }));
    await rename(`${path}.mine`, path);
    await saving;
    const after = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    assert.deepEqual([after['mine'], after['1'], after['6000']], [true, 2, 1]);
  });

  it('leave a file alone that another program has damaged, and say where', async () => {
    const metaData = open();
    await put(5, '1');
    await metaData.save();
    await put(5, '2');
    await writeFile(path, '{"5": 1,');
    await assert.rejects(metaData.save(), /image_metadata\.json:1:9: /);
    assert.equal(await readFile(path, 'utf8'), '{"5": 1,');
  });

  it('leave no temporary file behind', async () => {
    const metaData = open();
    await put(5, '1');
    await metaData.save();
    const names = await readdir(join(path, '..'));
    assert.deepEqual(
      names.filter((name) => !name.startsWith('data.db')),
      ['image_metadata.json'],
    );
  });

  it('leave the file whole, and nothing beside it, where writing fails', async () => {
    const metaData = open();
    await put(5, '1');
    await metaData.save();
    await put(5, '2');
    await database.write((tx) => tx.run('DROP TABLE meta_data_other'));
    await assert.rejects(metaData.save(), /meta_data_other/);
    assert.equal(await readFile(path, 'utf8'), '{\n"5": 1\n}\n');
    const names = await readdir(join(path, '..'));
    assert.deepEqual(
      names.filter((name) => !name.startsWith('data.db')),
      ['image_metadata.json'],
    );
  });
});
