import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';

const ROOT = new URL('../', import.meta.url);

interface Rules {
  readonly FLOORS: readonly (readonly string[])[];
  readonly SOURCELESS: readonly string[];
}

describe('the table of the architecture in CONTRIBUTING.md', () => {
  let rules: Rules;
  let text: string;
  before(async () => {
    rules = (await import(new URL('.dependency-cruiser.js', ROOT).href)) as Rules;
    text = await readFile(new URL('CONTRIBUTING.md', ROOT), 'utf8');
  });

  it('is the import rules', () => {
    const [, table = ''] = /^\| floor, the highest first .*\n\|[- |]+\n((?:\|.+\n)+)/m.exec(text) ?? [];
    const floors = table
      .trim()
      .split('\n')
      .map((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, path]) => path));
    assert.deepEqual(floors, rules.FLOORS.toReversed());
  });

  it('names all that know no source', () => {
    const [, listed = ''] = /^each other\. (.+?) also know no\s+source/ms.exec(text) ?? [];
    assert.deepEqual(
      [...listed.matchAll(/`([^`]+)`/g)].map(([, path]) => path).toSorted(),
      [...rules.SOURCELESS].toSorted(),
    );
  });

  it('names nothing that is not there', () => {
    for (const path of rules.FLOORS.flat())
      assert.ok(existsSync(new URL(path.replace('*.ts', ''), ROOT)), path);
  });
});
