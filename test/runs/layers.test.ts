import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

/** Files that import something; each breaks a rule, or none. */
const FILES: Readonly<Record<string, string>> = {
  'lib/run/index.ts': "import '../store/files.ts';",
  'lib/store/files.ts': 'export const right = 1;',
  'lib/store/up.ts': "import '../run/index.ts';",
  'lib/text/up.ts': "import type { right } from '../store/files.ts'; export type T = typeof right;",
  'tasks/rules/up.ts': "import '../mine.ts';",
  'tasks/mine.ts': "import './rules/fine.ts';",
  'tasks/rules/fine.ts': 'export {};',
  'lib/etsy/api.ts': 'export const api = 1;',
  'lib/screen/knows.ts': "import '../etsy/api.ts';",
  'lib/screen/round.ts': "import './circle.ts';",
  'lib/screen/circle.ts': "import './round.ts';",
  'lib/attic/file.ts': "import '../store/files.ts';",
};

describe('the import rules', () => {
  let folder = '';
  let said = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'layers-'));
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    await writeFile(join(folder, 'tsconfig.json'), await readFile(join(ROOT, 'tsconfig.json')));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const args = [CRUISER, '--config', join(ROOT, '.dependency-cruiser.js'), 'lib', 'tasks'];
    said = await new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: folder }, (_, stdout) => resolve(stdout));
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [what, from, to] of [
    ['an import from a floor above', 'lib/store/up.ts', 'lib/run/index.ts'],
    ['a type from a floor above', 'lib/text/up.ts', 'lib/store/files.ts'],
    ['a task that rules import', 'tasks/rules/up.ts', 'tasks/mine.ts'],
    ['a source that the screen knows', 'lib/screen/knows.ts', 'lib/etsy/api.ts'],
    ['a file on no floor', 'lib/attic/file.ts', 'lib/store/files.ts'],
  ] as const)
    it(`refuse ${what}`, () => assert.ok(said.includes(`${from} → ${to}`), said));

  it('refuse a circle', () => assert.match(said, /no circle: .+\n?.*lib\/screen\/(?:round|circle)\.ts/));

  it('let all else be', () => {
    assert.ok(!said.includes('lib/run/index.ts → lib/store/files.ts'));
    assert.ok(!said.includes('tasks/mine.ts →'));
  });
});

/** The one file that opens services, and what is written by machine out of the tasks. */
const MAY_NAME = ['lib/run/services.ts', 'lib/pipeline/pipeline.schema.json'];
/** Names of the product itself. */
const PRODUCT = /etsy_data\.db|ETSY_API_KEY/g;

describe('the runner’s side', () => {
  it('knows no source by name', async () => {
    const found: string[] = [];
    for (const folder of ['pipeline', 'screen', 'progress', 'task', 'run', '../checkpoints']) {
      const path = new URL(`../../lib/${folder}/`, import.meta.url);
      for (const name of await readdir(path)) {
        const file = `${folder.startsWith('..') ? folder.slice(3) : `lib/${folder}`}/${name}`;
        const lines = (await readFile(new URL(name, path), 'utf8')).split('\n');
        for (const [index, line] of lines.entries())
          if (/etsy|taxonom|listing|shop/i.test(line.replaceAll(PRODUCT, '')) && !MAY_NAME.includes(file))
            found.push(`${file}:${index + 1}: ${line.trim()}`);
      }
    }
    assert.deepEqual(found, []);
  });
});
