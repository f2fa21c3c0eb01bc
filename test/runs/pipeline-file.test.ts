import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { whoseElse } from '../../lib/pipeline/find.ts';
import { loadPipeline } from '../../lib/pipeline/config.ts';
import { folderWith, oneStage, refusalOf, refuses, repository, shelfPath } from '../pipeline-rig.ts';

// Where it lies

void test('it is found from a folder below, and messages show the way to it', async (t) => {
  const yaml = `stages:\n  - id: crawl\n    task: ${shelfPath}\n`;
  const folder = await folderWith(t, { 'pipeline.yaml': yaml, 'images/old/note.txt': '' });
  const pipeline = await loadPipeline(join(folder, 'images/old'));
  assert.equal(pipeline.folder, folder);
  assert.equal(pipeline.kill, join(folder, 'KILL'));

  await writeFile(join(folder, 'pipeline.yaml'), `nam: x\n${yaml}`);
  const { message } = await refusalOf(join(folder, 'images/old'));
  assert.equal(
    message,
    [
      '../../pipeline.yaml:1:1 nam: unknown key (did you mean name?), expected one of: name, kill, every, api, data, models, rules, workers, stages',
      '    nam: x',
      '    ~~~',
    ].join('\n'),
  );
});

void test('an empty pipeline.yaml is that, and not a reason to take the one above', async (t) => {
  const yaml = `stages:\n  - id: crawl\n    task: ${shelfPath}\n`;
  const folder = await folderWith(t, { 'pipeline.yaml': yaml, 'below/pipeline.yaml': '' });
  const { message } = await refusalOf(join(folder, 'below'));
  assert.equal(message, 'pipeline.yaml:1:1 stages: missing, expected a list of at least one stage');
});

void test('none anywhere: where was looked, and what to do', async (t) => {
  const folder = await folderWith(t, { 'note.txt': '' });
  const { message, hint } = await refusalOf(folder);
  assert.equal(message, `No pipeline.yaml in ${folder} or any folder above it.`);
  assert.equal(
    hint,
    `Copy the one that ships with sync-data into a folder of your own and start there: ${join(repository, 'pipeline.yaml')}`,
  );
});

void test('nothing but pipeline.yaml is looked for or run, in no folder that cosmiconfig looks into', async (t) => {
  const yaml = `stages:\n  - id: crawl\n    task: ${shelfPath}\n`;
  const trap = "import('node:fs').then(({ writeFileSync }) => writeFileSync('executed', ''));";
  const names = ['.config/config.js', '.config/config.cjs', '.config/config.mjs', '.config/config.ts'];
  const traps = Object.fromEntries(names.map((name) => [`broken/${name}`, trap]));
  const folder = await folderWith(t, {
    ...traps,
    'broken/package.json': '{ bad',
    'broken/pipeline.yaml': yaml,
    'home/.config/sync-data/config.js': trap,
    'none/note.txt': '',
  });
  const script = `import { loadPipeline } from ${JSON.stringify(join(repository, 'lib/pipeline/config.ts'))};
    await loadPipeline(process.cwd()).then(() => console.log('loaded'), (error) => console.log(error.name, error.message))`;
  const messageIn = async (cwd: string): Promise<string> => {
    const loader = import.meta.resolve('tsx');
    const home = join(folder, 'home');
    const env = { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: join(home, '.config') };
    const args = ['--import', loader, '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env });
    assert.ok(!existsSync(join(cwd, 'executed')));
    return stdout;
  };
  assert.equal(await messageIn(join(folder, 'broken')), 'loaded\n');
  assert.match(await messageIn(join(folder, 'none')), /^UserError No pipeline\.yaml in /);
});

void test('a pipeline.yaml above the folder is refused where another user may have put it there', () => {
  const [me, other, root] = [1000, 1001, 0];
  const owned = (uid: number, mode = 0o755) => ({ uid, mode });
  assert.equal(whoseElse(me, owned(me), owned(me, 0o644)), undefined);
  assert.equal(whoseElse(me, owned(root), owned(root, 0o644)), undefined);
  for (const [folder, file, link] of [
    [owned(me), owned(other)],
    [owned(root), owned(other)],
    [owned(root, 0o1777), owned(me)],
    [owned(me), owned(me, 0o666)],
    [owned(me), owned(root), owned(other, 0o777)],
  ] as const)
    assert.notEqual(whoseElse(me, folder, file, link), undefined);
  assert.notEqual(whoseElse(root, owned(root), owned(me)), undefined);
});

// The file as a whole

refuses('an empty file', [''], ['pipeline.yaml:1:1 stages: missing, expected a list of at least one stage']);

refuses(
  'nothing but a comment',
  ['# to be written'],
  [
    'pipeline.yaml:1:1 stages: missing, expected a list of at least one stage',
    '    # to be written',
    '    ~',
  ],
);

refuses(
  'a list instead of keys',
  ['- crawl', '- images'],
  [
    'pipeline.yaml:1:1 pipeline: found a list, expected the keys name, kill, every, api, data, models, rules, workers, stages',
    '    - crawl',
    '    ~~~~~~~',
  ],
);

refuses(
  'stages without a stage',
  ['stages:'],
  [
    'pipeline.yaml:1:1 stages: found nothing, expected a list of at least one stage',
    '    stages:',
    '    ~~~~~~',
  ],
);

// YAML

refuses(
  'a tab as indentation',
  ['stages:', '\t- id: crawl'],
  ['pipeline.yaml:2:1 YAML: found a tab as indentation, expected spaces', '    \t- id: crawl', '    ~'],
);

refuses(
  'indentation that goes nowhere, told once although the parser stumbles twice',
  ['name: mine', ' kill: STOP', ...oneStage],
  [
    'pipeline.yaml:1:7 YAML: found a key where a value is being written, expected it on a line of its own and indented like its neighbours, or quotes around a text that contains ": "',
    '    name: mine',
    '          ~',
  ],
);

refuses(
  'a bracket that is never closed',
  ['stages: [', '  { id: crawl, task: shelf }', 'name: mine'],
  [
    'pipeline.yaml:3:1 YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    '    name: mine',
    '    ~',
  ],
);

refuses(
  'two documents',
  ['name: mine', '---', ...oneStage],
  ['pipeline.yaml:2:1 YAML: found a second document, expected one', '    ---', '    ~~~'],
);

refuses(
  'an alias of nothing',
  ['name: *mine', ...oneStage],
  [
    'pipeline.yaml:1:7 name: found *mine, expected an anchor &mine before it',
    '    name: *mine',
    '          ~~~~~',
  ],
);

refuses(
  'a key written twice, shown in both places, beside other mistakes',
  ['api:', '  qps: 4', '  onQuota: never', '  qps: 3', ...oneStage],
  [
    'pipeline.yaml:3:12 api.onQuota: found "never", expected wait or stop',
    '      onQuota: never',
    '               ~~~~~',
    '',
    'pipeline.yaml:4:3 api.qps: written twice, expected once',
    '      qps: 3',
    '      ~~~',
    '  the first is at pipeline.yaml:2:3',
    '      qps: 4',
    '      ~~~',
  ],
);
