import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exampleStage } from '../contributing.ts';
import { OWN_TASKS, ownPipeline } from '../own-tasks.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(ROOT, 'node_modules');

interface Ended {
  readonly code: number;
  readonly output: string;
}

const KEY = { ETSY_API_KEY: 'a:b' };

function run(cwd: string, file: string, args: readonly string[], more: object = KEY): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: cwd, npm_config_update_notifier: 'false', ...more };
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ code, output: stdout + stderr });
    });
  });
}

const CHOOSY = `import { OptionMistakes, defineTask, z } from 'sync-data';
export default defineTask({
  title: 'Shop',
  options: z.object({ shops: z.array(z.string()) }),
  cursor: z.object({}),
  prepare: async () => (tx) => tx.run('CREATE TABLE known_shops AS SELECT 1 AS id'),
  units: async ({ services }) => {
    const known = await services.sql.all('SELECT id FROM known_shops');
    throw new OptionMistakes([{ path: ['shops', known.length], message: 'no shop is called Elm, expected one' }]);
  },
  async *run() {},
});
`;

describe('a folder that sync-data is installed in', () => {
  let temporary: string;
  let folder: string;
  let command: string;

  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'sync-data-installed-'));
    folder = join(temporary, 'folder');
    const source = join(temporary, 'source');
    await mkdir(source);
    const parts = [
      'lib',
      'tasks',
      'checkpoints',
      'pipeline.yaml',
      'package.json',
      'tsconfig.json',
      'tsconfig.types.json',
    ];
    for (const part of parts) await cp(join(ROOT, part), join(source, part), { recursive: true });
    await symlink(modules, join(source, 'node_modules'));
    const packed = await run(source, 'npm', ['pack', '--pack-destination', temporary]);
    assert.equal(packed.code, 0, packed.output);
    assert.ok(!(await readdir(source)).includes('types'), 'what packing made is left behind');

    const installed = join(folder, 'node_modules', 'sync-data');
    await mkdir(installed, { recursive: true });
    const [tarball = ''] = (await readdir(temporary)).filter((name) => name.endsWith('.tgz'));
    const unpacked = await run(temporary, 'tar', [
      '-xzf',
      tarball,
      '-C',
      installed,
      '--strip-components',
      '1',
    ]);
    assert.equal(unpacked.code, 0, unpacked.output);
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of Object.keys(dependencies)) {
      await mkdir(join(folder, 'node_modules', name, '..'), { recursive: true });
      await symlink(join(modules, name), join(folder, 'node_modules', name));
    }

    command = join(installed, 'lib', 'sync-data.js');

    const { module, yaml } = await exampleStage();
    await writeFile(join(folder, 'prices.ts'), module);
    await cp(join(ROOT, 'test', 'task-types.ts'), join(folder, 'task-types.ts'));
    await writeFile(join(folder, 'pipeline.yaml'), `stages:\n${yaml.replace(/ +needs: .+\n/, '')}`);
    // What a folder begun with any of the usual tools says; nothing of it is made for sync-data.
    const compilerOptions = {
      strict: true,
      target: 'es2022',
      module: 'nodenext',
      noEmit: true,
      skipLibCheck: true,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  });

  after(() => rm(temporary, { recursive: true, force: true }));

  it("runs a stage of one's own that imports from sync-data", async () => {
    const { code, output } = await run(folder, process.execPath, [command]);
    assert.equal(code, 0, output);
    assert.match(output, /^\S+ prices: finished in /m);
  });

  it('runs three of one’s own and none of ours without a key, and its status has their rows', async () => {
    const own = join(folder, 'own');
    await mkdir(own);
    for (const [name, text] of Object.entries(OWN_TASKS)) await writeFile(join(own, name), text);
    await writeFile(join(own, 'pipeline.yaml'), ownPipeline('to: 7'));
    for (const [args, shows] of [
      [[], /^\S+ squares: finished in [^]+^Finished in .+\n\n {2}numbers {2}7 counted$/m],
      [['status'], /^ {2}count {4}finished, 7$[^]+^ {2}numbers {2}7 counted$/m],
    ] as const) {
      const { code, output } = await run(own, process.execPath, [command, ...args], {});
      assert.equal(code, 0, output);
      assert.match(output, shows);
    }
  });

  it('tells in its place what such a stage finds wrong with its options when it looks further', async () => {
    const choosy = join(folder, 'choosy');
    await mkdir(choosy);
    const yaml = 'stages:\n  - id: shop\n    task: ./shop.ts\n    with: { shops: [Oak, Elm] }\n';
    await writeFile(join(choosy, 'pipeline.yaml'), yaml);
    await writeFile(join(choosy, 'shop.ts'), CHOOSY);
    const { code, output } = await run(choosy, process.execPath, [command]);
    assert.equal(code, 2, output);
    assert.match(
      output,
      /^pipeline\.yaml:4:26 stages\[0\]\.with\.shops\[1\]: no shop is called Elm, expected one\n/m,
    );
    assert.match(output, /^No stage has been started\. Correct pipeline\.yaml and start again\.$/m);
  });

  it('compiles what is right and no mistake, with no more than the usual settings', async () => {
    await writeFile(
      join(folder, 'wrong.ts'),
      (await exampleStage()).module.replace('{ after, done },', '{ after },'),
    );
    const tsc = join(modules, 'typescript', 'bin', 'tsc');
    const { code, output } = await run(folder, process.execPath, [tsc, '--pretty', 'false']);
    assert.notEqual(code, 0);
    const faults = output.split('\n').filter((line) => /^\S/.test(line));
    // In none of the other files.
    assert.deepEqual(
      faults.filter((line) => !line.startsWith('wrong.ts(')),
      [],
    );
    assert.match(output, /Property 'done' is missing in type '\{ after: number; \}'/);
  });

  it('has the schema that editors check pipeline.yaml with', async () => {
    const schema = join(folder, 'node_modules', 'sync-data', 'lib', 'pipeline', 'pipeline.schema.json');
    assert.match(await readFile(schema, 'utf8'), /json-schema\.org/);
  });
});
