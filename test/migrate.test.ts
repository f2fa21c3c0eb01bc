import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isCurrent, migrate } from '../lib/store/migrate.ts';
import type { Migrations } from '../lib/store/migrate.ts';
import { TABLES_FILE, tablesText } from './schema-text.ts';
import { storePerTest } from './store-rig.ts';

describe('migrations', () => {
  const store = storePerTest('empty');
  let migrations: Migrations;

  beforeEach(async () => {
    await mkdir(join(store.folder, 'steps'));
    migrations = {
      folder: pathToFileURL(`${join(store.folder, 'steps')}/`),
      views: pathToFileURL(join(store.folder, 'views.sql')),
    };
    await put('views.sql', '-- none\n');
  });

  const put = (name: string, text: string): Promise<void> => writeFile(join(store.folder, name), text);
  const noted = async (): Promise<unknown[]> =>
    (await store.rows('SELECT what FROM notes ORDER BY rowid')).map(({ what }) => what);
  const version = async (): Promise<unknown> =>
    (await store.rows('PRAGMA user_version'))[0]?.['user_version'];

  const note = (what: string): string => `INSERT INTO notes VALUES ('${what}');\n`;
  const first = `CREATE TABLE notes (what TEXT);\n${note('1')}`;

  it('run by their numbers, gaps or not, each once; what is no migration is left alone', async () => {
    await put('steps/01-first.sql', first);
    await put('steps/10-tenth.sql', note('10'));
    await put('steps/9-ninth.sql', note('9'));
    await put('steps/._12-resource-fork.sql', 'no SQL');
    await put('steps/13-editor.sql~', 'no SQL');
    await put('steps/README.md', 'no SQL');
    assert.equal(await isCurrent(store.database, migrations), false);
    await migrate(store.database, migrations);
    await migrate(store.database, migrations);
    assert.deepEqual(await noted(), ['1', '9', '10']);
    assert.equal(await version(), 10);
    assert.equal(await isCurrent(store.database, migrations), true);

    await put('steps/14-later.sql', note('14'));
    await migrate(store.database, migrations);
    assert.deepEqual(await noted(), ['1', '9', '10', '14']);
  });

  it('are cut where SQLite cuts them: not at a semicolon in a text, a comment or a trigger', async () => {
    await put(
      'steps/01-first.sql',
      `${first}-- first;\nCREATE TRIGGER t AFTER INSERT ON notes BEGIN\n  DELETE FROM notes WHERE what = '1';\nEND;\n` +
        "INSERT INTO notes VALUES ('a;\nb'); INSERT INTO notes VALUES ('c')",
    );
    await migrate(store.database, migrations);
    assert.deepEqual(await noted(), ['a;\nb', 'c']);
  });

  it('leave the file as it was when one of them fails', async () => {
    await put('steps/01-first.sql', first);
    await migrate(store.database, migrations);
    await put('steps/02-second.sql', note('2'));
    await put('steps/03-third.sql', `${note('3')}INSERT INTO nowhere VALUES (1);`);
    await assert.rejects(migrate(store.database, migrations), /no such table: nowhere/);
    assert.deepEqual(await noted(), ['1']);
    assert.equal(await version(), 1);
  });

  it('of one number are a mistake', async () => {
    await put('steps/01-first.sql', first);
    await put('steps/1-too.sql', note('1'));
    await assert.rejects(migrate(store.database, migrations), /two migrations have the number 1/);
  });

  it('say before a step what SQL cannot', async () => {
    await put('steps/02-second.sql', note('2'));
    const before = { 2: (tx: { script(sql: string): Promise<void> }) => tx.script(first) };
    await migrate(store.database, { ...migrations, before });
    assert.deepEqual(await noted(), ['1', '2']);
  });

  it('make the views again when their file or the tables change, and only then', async () => {
    await put('steps/01-first.sql', first);
    await put('views.sql', 'CREATE VIEW shouted AS\nSELECT upper(what) AS what FROM notes;\n');
    const shouted = (): Promise<unknown> => store.rows('SELECT * FROM shouted LIMIT 1');
    const changes = async (): Promise<unknown> =>
      (await store.rows('PRAGMA schema_version'))[0]?.['schema_version'];
    await migrate(store.database, migrations);
    assert.deepEqual(await shouted(), [{ what: '1' }]);

    const made = await changes();
    await migrate(store.database, migrations);
    assert.equal(await changes(), made);

    await put('steps/02-renamed.sql', 'ALTER TABLE notes RENAME COLUMN what TO said;');
    await put('views.sql', "CREATE VIEW shouted AS\nSELECT said || '!' AS loud FROM notes;\n");
    await migrate(store.database, migrations);
    assert.deepEqual(await shouted(), [{ loud: '1!' }]);

    await put('views.sql', "CREATE VIEW shouted AS\nSELECT said || '?' AS loud FROM notes;\n");
    await migrate(store.database, migrations);
    assert.deepEqual(await shouted(), [{ loud: '1?' }]);
  });
});

describe('lib/dataset/schema.sql', () => {
  it('shows the tables as the migrations leave them', async () => {
    assert.equal(await readFile(TABLES_FILE, 'utf8'), await tablesText(), 'Write it anew: npm run schema');
  });
});
