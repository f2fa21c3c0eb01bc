import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DOCUMENTS, ROOT, text } from './documents.ts';
import { storePerTest } from './store-rig.ts';

describe('the documents', () => {
  const store = storePerTest();

  it('lead to what is there', async () => {
    for (const name of DOCUMENTS) {
      const source = await text(name);
      const anchors = (from: string): string[] =>
        [...from.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
          title
            .toLowerCase()
            .replaceAll(/[^\w\- ]/g, '')
            .replaceAll(' ', '-'),
        );
      for (const [, target = ''] of source.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? join(ROOT, name) : join(ROOT, name, '..', path);
        assert.ok(existsSync(file), `${name}: ${target}`);
        if (anchor !== undefined)
          assert.ok(anchors(await readFile(file, 'utf8')).includes(anchor), `${name}: ${target}`);
      }
    }
  });

  it('know every table, view and column of the database', async () => {
    const part = await text('lib/dataset/README.md');
    const columns = await store.database.read.all<{ table: string; column: string }>(
      `SELECT t.name AS "table", c.name AS "column" FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
         WHERE t.schema = 'main' AND t.type IN ('table', 'virtual', 'view') AND t.name NOT LIKE 'sqlite_%'`,
    );
    assert.ok(columns.length > 100);
    const missing = columns.filter(
      ({ table, column }) => !new RegExp(`\\b${table}\\b`).test(part) || !part.includes(`\`${column}\``),
    );
    assert.deepEqual(missing, []);
    const names = new Set(columns.map(({ column }) => column));
    const cells = [...part.matchAll(/^\| .+$/gm)].flatMap(([row]) => [
      ...row.matchAll(/`([a-z]+_[a-z_]+)`/g),
    ]);
    const tables = new Set(columns.map(({ table }) => table));
    const unknown = cells.map(([, one = '']) => one).filter((one) => !names.has(one) && !tables.has(one));
    assert.deepEqual(
      unknown.filter((one) => !['i_did', 'sold_out'].includes(one)),
      [],
    );
  });

  it('have the version of the package in the changes', async () => {
    const { version } = JSON.parse(await text('package.json')) as { version: string };
    assert.match(await text('CHANGELOG.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')}$`, 'm'));
    const folders = (await readdir(ROOT)).filter((name) => name.endsWith('.md'));
    assert.deepEqual(
      folders.filter((name) => !(DOCUMENTS as readonly string[]).includes(name)),
      [],
    );
  });
});
