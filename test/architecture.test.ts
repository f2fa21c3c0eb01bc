import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
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

/** What a module of the tests imports, types aside. */
async function importsOf(file: URL): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/^(?:import|export) (?!type )(?:[^;]*? from )?'([^']+)';/gm)].map(
    ([, to = '']) => to,
  );
}

describe('the quick tests', () => {
  it('start no process: one that does belongs in test/runs/', async () => {
    const here = new URL('test/', ROOT);
    /** The file that starts one, itself or one below it. */
    const starter = async (file: URL, seen = new Set<string>()): Promise<string | undefined> => {
      if (seen.has(file.href)) return undefined;
      seen.add(file.href);
      const imports = await importsOf(file);
      if (imports.some((one) => /^(?:node:child_process|playwright-core)$/.test(one))) return file.pathname;
      const below = imports.filter((one) => one.startsWith('.')).map((one) => new URL(one, file));
      for (const one of below.filter(({ href }) => href.startsWith(here.href) && href.endsWith('.ts'))) {
        const by = await starter(one, seen);
        if (by !== undefined) return by;
      }
      return undefined;
    };
    const found: string[] = [];
    for (const name of (await readdir(here)).filter((one) => one.endsWith('.test.ts'))) {
      const by = await starter(new URL(name, here));
      if (by !== undefined) found.push(`${name}: ${by}`);
    }
    assert.deepEqual(found, []);
    assert.ok(await starter(new URL('runs/sync.test.ts', here)));
  });
});
