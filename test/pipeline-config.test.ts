import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadPipeline } from '../lib/pipeline/config.ts';
import type { Stage } from '../lib/pipeline/config.ts';
import { UserError } from '../lib/pipeline/errors.ts';
import { buildGraph, findGraphMistakes } from '../lib/pipeline/graph.ts';
import type { GraphStage } from '../lib/pipeline/graph.ts';
import type { Task } from '../lib/pipeline/task.ts';
import shelf from './fixtures/tasks/shelf.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const shelfPath = './test/fixtures/tasks/shelf.ts';

async function folderWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'pipeline-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function refusalOf(cwd: string): Promise<UserError> {
  const error: unknown = await loadPipeline(cwd).then(
    () => assert.fail('expected to be refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw error;
  assert.equal(error.exitCode, 2);
  return error;
}

/** What is printed for a wrong pipeline.yaml, `shelf` standing for a task that is there. */
function refuses(title: string, yaml: readonly string[], printed: readonly string[], files = {}): void {
  void test(title, async (t) => {
    const text = yaml.join('\n').replaceAll('task: shelf', `task: ${shelfPath}`);
    const error = await refusalOf(await folderWith(t, { 'pipeline.yaml': text, ...files }));
    const expected = printed.join('\n').replaceAll('task: shelf', `task: ${shelfPath}`);
    assert.equal(error.message, expected);
    assert.equal(error.hint, 'Nothing has been started. Correct pipeline.yaml and start again.');
  });
}

const oneStage = ['stages:', '  - id: crawl', '    task: shelf'];

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
    'pipeline.yaml:1:1 pipeline: found a list, expected the keys name, kill, api, data, rules, stages',
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

// Keys and values

refuses(
  'keys nobody knows',
  ['api:', '  base_url: https://example.com', '  burst: 3', 'retries: 2', ...oneStage],
  [
    'pipeline.yaml:2:3 api.base_url: unknown key (did you mean baseUrl?), expected one of: baseUrl, qps, onQuota, timeout, giveUpAfter',
    '      base_url: https://example.com',
    '      ~~~~~~~~',
    '',
    'pipeline.yaml:3:3 api.burst: unknown key, expected one of: baseUrl, qps, onQuota, timeout, giveUpAfter',
    '      burst: 3',
    '      ~~~~~',
    '',
    'pipeline.yaml:4:1 retries: unknown key, expected one of: name, kill, api, data, rules, stages',
    '    retries: 2',
    '    ~~~~~~~',
  ],
);

refuses(
  'a misspelt key is not reported as missing as well',
  ['stage:', '  - id: crawl'],
  [
    'pipeline.yaml:1:1 stage: unknown key (did you mean stages?), expected one of: name, kill, api, data, rules, stages',
    '    stage:',
    '    ~~~~~',
  ],
);

refuses(
  'a secret in the wrong place is not repeated',
  ['api: { apiKey: abc123def, qps: 9 }', ...oneStage],
  [
    'pipeline.yaml:1:8 api.apiKey: unknown key, expected one of: baseUrl, qps, onQuota, timeout, giveUpAfter',
    '    api: { apiKey: *********, qps: 9 }',
    '           ~~~~~~',
    '',
    'pipeline.yaml:1:32 api.qps: found 9, expected a number above 0 and at most 5, which is as much as Etsy allows',
    '    api: { apiKey: *********, qps: 9 }',
    '                                   ~',
  ],
);

refuses(
  'nor where the YAML is broken',
  ['ETSY_SHARED_SECRET: abc123\tdef: 5', ...oneStage],
  [
    'pipeline.yaml:1:21 YAML: found a key where a value is being written, expected it on a line of its own and indented like its neighbours, or quotes around a text that contains ": "',
    '    ETSY_SHARED_SECRET: *************',
    '                        ~',
  ],
);

refuses(
  'a wrong value under every key, in the order of the file',
  [
    'stages: crawl',
    'rules:',
    '  refreshAfter: 7',
    '  madeSince: 1999.5',
    'data:',
    '  images: [images]',
    '  metadata: ""',
    'api:',
    '  giveUpAfter: 1w',
    '  timeout: 2h',
    '  onQuota: Stop',
    '  qps: 5.1',
    '  baseUrl: http://etsy.example',
    'kill: true',
    'name:',
  ],
  [
    'pipeline.yaml:1:9 stages: found "crawl", expected a list of at least one stage',
    '    stages: crawl',
    '            ~~~~~',
    '',
    'pipeline.yaml:3:17 rules.refreshAfter: found 7, expected a duration from 1s to 3650d, such as 7d, 36h, 90m or 30s',
    '      refreshAfter: 7',
    '                    ~',
    '',
    'pipeline.yaml:4:14 rules.madeSince: found 1999.5, expected a year from 1700 to 2100',
    '      madeSince: 1999.5',
    '                 ~~~~~~',
    '',
    'pipeline.yaml:6:11 data.images: found a list, expected a path, relative to this file',
    '      images: [images]',
    '              ~~~~~~~~',
    '',
    'pipeline.yaml:7:13 data.metadata: found "", expected a path, relative to this file',
    '      metadata: ""',
    '                ~~',
    '',
    'pipeline.yaml:9:16 api.giveUpAfter: found "1w", expected a duration from 1s to 3650d, such as 7d, 36h, 90m or 30s',
    '      giveUpAfter: 1w',
    '                   ~~',
    '',
    'pipeline.yaml:10:12 api.timeout: found "2h", expected a duration from 1s to 1h, such as 30s or 5m',
    '      timeout: 2h',
    '               ~~',
    '',
    'pipeline.yaml:11:12 api.onQuota: found "Stop", expected wait or stop',
    '      onQuota: Stop',
    '               ~~~~',
    '',
    'pipeline.yaml:12:8 api.qps: found 5.1, expected a number above 0 and at most 5, which is as much as Etsy allows',
    '      qps: 5.1',
    '           ~~~',
    '',
    'pipeline.yaml:13:12 api.baseUrl: found "http://etsy.example", expected an https address without query (http only for localhost, 127.0.0.1 or [::1])',
    '      baseUrl: http://etsy.example',
    '               ~~~~~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:14:7 kill: found true, expected a path, relative to this file',
    '    kill: true',
    '          ~~~~',
    '',
    'pipeline.yaml:15:1 name: found nothing, expected a name',
    '    name:',
    '    ~~~~',
  ],
);

for (const qps of ['0', '-1', '.inf', '.nan', 'fast']) {
  void test(`api.qps: ${qps} is refused`, async (t) => {
    const yaml = `api:\n  qps: ${qps}\nstages:\n  - id: crawl\n    task: ${shelfPath}\n`;
    const { message } = await refusalOf(await folderWith(t, { 'pipeline.yaml': yaml }));
    assert.match(message, /^pipeline\.yaml:2:8 api\.qps: found \S+, expected a number above 0 and at most 5/);
  });
}

refuses(
  'paths that would overwrite each other, beside an unrelated mistake',
  ['kill: ./etsy_data.db', 'data:', '  images: pipeline.yaml', 'name: 7', ...oneStage],
  [
    'pipeline.yaml:1:7 kill: ./etsy_data.db is data.database already, expected a path of its own',
    '    kill: ./etsy_data.db',
    '          ~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:3:11 data.images: pipeline.yaml is this file already, expected a path of its own',
    '      images: pipeline.yaml',
    '              ~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:4:7 name: found 7, expected a name',
    '    name: 7',
    '          ~',
  ],
);

refuses(
  'a kill file that is the database',
  ['data:', '  database: KILL', ...oneStage],
  [
    'pipeline.yaml:2:13 data.database: KILL is kill already, expected a path of its own',
    '      database: KILL',
    '                ~~~~',
  ],
);

// Stages

refuses(
  'stages of the wrong shape; what names an unusable id is not reported on top',
  [
    'stages:',
    '  - crawl',
    '  - id: Crawl it',
    '    task: shelf',
    '    needs: images',
    '  - task: shelf',
    '    needs: [crawl, 7]',
  ],
  [
    'pipeline.yaml:2:5 stages[0]: found "crawl", expected a stage: id, task and, where wanted, needs, alongside, with',
    '      - crawl',
    '        ~~~~~',
    '',
    'pipeline.yaml:3:9 stages[1].id: found "Crawl it", expected a word of lower-case letters, digits and dashes, such as price-check',
    '      - id: Crawl it',
    '            ~~~~~~~~',
    '',
    'pipeline.yaml:5:12 stages[1].needs: found "images", expected a list of stage ids, such as [crawl]',
    '        needs: images',
    '               ~~~~~~',
    '',
    'pipeline.yaml:6:5 stages[2].id: missing, expected a word of lower-case letters, digits and dashes, such as price-check',
    '      - task: shelf',
    `        ${'~'.repeat('task: '.length + shelfPath.length)}`,
    '',
    'pipeline.yaml:7:20 stages[2].needs[1]: found 7, expected the id of a stage',
    '        needs: [crawl, 7]',
    '                       ~',
  ],
);

refuses(
  'options under a misspelt key are not missing as well',
  ['stages:', '  - id: crawl', '    task: ./demanding.ts', '    wiht: { pages: 3 }'],
  [
    'pipeline.yaml:4:5 stages[0].wiht: unknown key, expected one of: id, task, needs, alongside, with',
    '        wiht: { pages: 3 }',
    '        ~~~~',
  ],
  { 'demanding.ts': `export { demanding as default } from ${JSON.stringify(join(repository, shelfPath))};` },
);

refuses(
  'links to nowhere, to itself, and twice',
  [
    ...oneStage,
    '  - id: images',
    '    task: shelf',
    '    needs: [crwal, images, crawl, crawl]',
    '    alongside: [crawl, nobody]',
  ],
  [
    'pipeline.yaml:6:13 stages[1].needs[0]: no stage is called crwal, expected one of: crawl, images',
    '        needs: [crwal, images, crawl, crawl]',
    '                ~~~~~',
    '',
    'pipeline.yaml:6:20 stages[1].needs[1]: images names itself, expected another stage',
    '        needs: [crwal, images, crawl, crawl]',
    '                       ~~~~~~',
    '',
    'pipeline.yaml:6:35 stages[1].needs[3]: crawl is named twice, expected once',
    '        needs: [crwal, images, crawl, crawl]',
    '                                      ~~~~~',
    '',
    'pipeline.yaml:7:17 stages[1].alongside[0]: crawl is in needs as well, expected one of them: needs starts after it has ended, alongside together with it',
    '        alongside: [crawl, nobody]',
    '                    ~~~~~',
    '',
    'pipeline.yaml:7:24 stages[1].alongside[1]: no stage is called nobody, expected one of: crawl, images',
    '        alongside: [crawl, nobody]',
    '                           ~~~~~~',
  ],
);

refuses(
  'an id given twice, shown in both places',
  [...oneStage, '  - id: crawl', '    task: shelf'],
  [
    'pipeline.yaml:4:9 stages[1].id: another stage is called crawl too, expected a different id',
    '      - id: crawl',
    '            ~~~~~',
    '  the other is at pipeline.yaml:2:9',
    '      - id: crawl',
    '            ~~~~~',
  ],
);

refuses(
  'a stage that needs one which ends only after it',
  [
    'stages:',
    '  - id: crawl',
    '    task: shelf',
    '    needs: [images]',
    '  - id: images',
    '    task: shelf',
    '    alongside: [crawl]',
  ],
  [
    'pipeline.yaml:4:13 stages[0].needs[0]: crawl → images → crawl is a circle (crawl needs images, images ends after crawl), expected no stage to wait for itself',
    '        needs: [images]',
    '                ~~~~~~',
  ],
);

// Tasks

refuses(
  'task modules that are not there, do not load, or are no tasks; other mistakes with them',
  [
    'stages:',
    '  - { id: a, task: ./tasks/crwl.ts }',
    '  - { id: b, task: ./tasks/crawl }',
    '  - { id: c, task: tasks/mine.ts }',
    '  - { id: d, task: sync-data-prices }',
    '  - { id: e, task: closed/inside }',
    '  - { id: f, task: ./tasks/throws.ts }',
    '  - { id: g, task: ./tasks/typo.ts }',
    '  - { id: h, task: ./tasks/lonely.ts }',
    '  - { id: i, task: ./tasks/plain.ts }',
    '  - { id: j, task: ./tasks/half.ts, needs: [z] }',
  ],
  [
    'pipeline.yaml:2:20 stages[0].task: no such file, neither beside pipeline.yaml nor in sync-data (did you mean ./tasks/crawl.ts?), expected a task module',
    '      - { id: a, task: ./tasks/crwl.ts }',
    '                       ~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:3:20 stages[1].task: no such file, neither beside pipeline.yaml nor in sync-data (did you mean ./tasks/crawl.ts?), expected a task module',
    '      - { id: b, task: ./tasks/crawl }',
    '                       ~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:4:20 stages[2].task: no such package is installed here (did you mean ./tasks/mine.ts?), expected one, or a path that starts with ./',
    '      - { id: c, task: tasks/mine.ts }',
    '                       ~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:5:20 stages[3].task: no such package is installed here, expected one, or a path that starts with ./',
    '      - { id: d, task: sync-data-prices }',
    '                       ~~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:6:20 stages[4].task: the package does not offer this module, expected one that it does, or the path of a file',
    '      - { id: e, task: closed/inside }',
    '                       ~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:7:20 stages[5].task: cannot be loaded: no shelf left, expected a module that loads',
    '      - { id: f, task: ./tasks/throws.ts }',
    '                       ~~~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:8:20 stages[6].task: cannot be loaded: Transform failed with 1 error: tasks/typo.ts:1:9: ERROR: Unexpected "=", expected a module that loads',
    '      - { id: g, task: ./tasks/typo.ts }',
    '                       ~~~~~~~~~~~~~~~',
    '',
    "pipeline.yaml:9:20 stages[7].task: cannot be loaded: Cannot find module './nowhere.ts', expected a module that loads",
    '      - { id: h, task: ./tasks/lonely.ts }',
    '                       ~~~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:10:20 stages[8].task: has no default export, expected a task: title (a text), options and cursor (zod schemas), units and run (functions)',
    '      - { id: i, task: ./tasks/plain.ts }',
    '                       ~~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:11:20 stages[9].task: its default export has no usable options, cursor, run, expected a task: title (a text), options and cursor (zod schemas), units and run (functions)',
    '      - { id: j, task: ./tasks/half.ts, needs: [z] }',
    '                       ~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:11:45 stages[9].needs[0]: no stage is called z, expected one of: a, b, c, d, e, f, g, h, i, j',
    '      - { id: j, task: ./tasks/half.ts, needs: [z] }',
    '                                                ~',
  ],
  {
    'tasks/crawl.ts': 'export default 1;',
    'tasks/mine.ts': 'export default 1;',
    'tasks/throws.ts': "throw new Error('no shelf left');",
    'tasks/typo.ts': 'const x: = 1;',
    'tasks/lonely.ts': "import './nowhere.ts';",
    'tasks/plain.ts': 'export const title = 1;',
    'tasks/half.ts': "export default { title: 'Half', options: {}, units: () => [] };",
    'node_modules/closed/package.json': '{ "name": "closed", "exports": "./index.js" }',
    'node_modules/closed/index.js': '',
  },
);

refuses(
  'options a task does not accept, told where they are written',
  [
    ...oneStage,
    '    with:',
    '      taxonomies: []',
    '      limit: 200',
    '      order: best',
    '      hosts: i.etsystatic.com',
    '      from: [1]',
    '      taxonomy: 967',
    '      nested: {}',
    '  - id: second',
    '    task: shelf',
    '    with: { taxonomies: [12470, Dining Sets] }',
    '  - id: third',
    '    task: shelf',
    '    with: 967',
  ],
  [
    'pipeline.yaml:5:19 stages[0].with.taxonomies: found an empty list, expected a list of at least 1 item',
    '          taxonomies: []',
    '                      ~~',
    '',
    'pipeline.yaml:6:14 stages[0].with.limit: found 200, expected a number of at most 100',
    '          limit: 200',
    '                 ~~~',
    '',
    'pipeline.yaml:7:14 stages[0].with.order: found "best", expected one of: newest, oldest',
    '          order: best',
    '                 ~~~~',
    '',
    'pipeline.yaml:8:14 stages[0].with.hosts: found "i.etsystatic.com", expected a list',
    '          hosts: i.etsystatic.com',
    '                 ~~~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:9:13 stages[0].with.from: found a list, expected a text, or a number',
    '          from: [1]',
    '                ~~~',
    '',
    'pipeline.yaml:10:7 stages[0].with.taxonomy: unknown key (did you mean taxonomies?), expected one of: taxonomies, hosts, limit, order, from, nested',
    '          taxonomy: 967',
    '          ~~~~~~~~',
    '',
    'pipeline.yaml:11:7 stages[0].with.nested.depth: missing, expected a number',
    '          nested: {}',
    '          ~~~~~~',
    '',
    'pipeline.yaml:14:33 stages[1].with.taxonomies[1]: found "Dining Sets", expected a number',
    '        with: { taxonomies: [12470, Dining Sets] }',
    '                                    ~~~~~~~~~~~',
    '',
    'pipeline.yaml:17:11 stages[2].with: found 967, expected a block of keys',
    '        with: 967',
    '              ~~~',
  ],
);

// What is right

void test('a stage is enough; everything else has a default', async (t) => {
  const folder = await folderWith(t, {
    'pipeline.yaml': `api:\n  # qps: 3\nstages:\n  - id: crawl\n    task: ${shelfPath}\n    with:\n`,
  });
  assert.deepEqual(await loadPipeline(folder), {
    file: join(folder, 'pipeline.yaml'),
    folder,
    name: 'sync-data',
    kill: join(folder, 'KILL'),
    api: {
      baseUrl: 'https://openapi.etsy.com/v3/application',
      qps: 5,
      onQuota: 'wait',
      timeout: 30,
      giveUpAfter: 1800,
    },
    data: {
      database: join(folder, 'etsy_data.db'),
      metadata: join(folder, 'image_metadata.json'),
      images: join(folder, 'images'),
    },
    rules: { madeSince: 2000, refreshAfter: 7 * 86_400 },
    stages: [{ id: 'crawl', needs: [], alongside: [], task: shelf, options: { taxonomies: [967] } }],
  });
});

void test('what is written is taken: durations, paths, addresses, CRLF, aliases', async (t) => {
  const lines = [
    'name: two categories',
    'kill: control/STOP',
    'api: { baseUrl: "http://[::1]:8080/base/", qps: 0.5, onQuota: stop, timeout: 90s, giveUpAfter: &long 36h }',
    'data: { database: ../shop.db, metadata: /var/meta.json }',
    'rules: { refreshAfter: *long, madeSince: 2010 }',
    `stages: [{ id: price-check2, task: ${shelfPath}, with: { taxonomies: [12470, 976], limit: 5 } }]`,
  ];
  const folder = await folderWith(t, { 'in/pipeline.yaml': lines.join('\r\n') });
  const pipeline = await loadPipeline(join(folder, 'in'));
  assert.equal(pipeline.name, 'two categories');
  assert.equal(pipeline.kill, join(folder, 'in/control/STOP'));
  assert.deepEqual(pipeline.api, {
    baseUrl: 'http://[::1]:8080/base',
    qps: 0.5,
    onQuota: 'stop',
    timeout: 90,
    giveUpAfter: 36 * 3600,
  });
  assert.deepEqual(pipeline.data, {
    database: join(folder, 'shop.db'),
    metadata: '/var/meta.json',
    images: join(folder, 'in/images'),
  });
  assert.deepEqual(pipeline.rules, { madeSince: 2010, refreshAfter: 36 * 3600 });
  assert.deepEqual(pipeline.stages[0]?.options, { taxonomies: [12470, 976], limit: 5 });
});

const anyTask = `import { z } from 'zod';
export default {
  title: 'Mine',
  options: z.object({ limit: z.number().default(1) }).loose(),
  cursor: z.unknown(),
  units: () => [],
  async *run() {},
};
`;

void test('the pipeline.yaml that ships is right', async (t) => {
  const text = await readFile(join(repository, 'pipeline.yaml'), 'utf8');
  const ids = ['crawl', 'images', 'reconcile', 'verify', 'reviews'];
  const folder = await folderWith(t, {
    'pipeline.yaml': text,
    ...Object.fromEntries(ids.map((id) => [`tasks/${id}.ts`, anyTask])),
  });
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const { stages, ...settings } = await loadPipeline(folder);
  await writeFile(join(folder, 'pipeline.yaml'), text.replace(/^[^]*(?=^stages:)/m, ''));
  const { stages: sameStages, ...defaults } = await loadPipeline(folder);
  assert.deepEqual(settings, defaults, 'what it spells out are the defaults');
  assert.deepEqual(
    stages.map(({ id, needs, alongside, options }) => ({ id, needs, alongside, options })),
    [
      { id: 'crawl', needs: [], alongside: [], options: { limit: 1, taxonomies: [967] } },
      {
        id: 'images',
        needs: [],
        alongside: ['crawl', 'reconcile'],
        options: { limit: 1, hosts: ['i.etsystatic.com'] },
      },
      { id: 'reconcile', needs: ['crawl'], alongside: [], options: { limit: 1 } },
      { id: 'verify', needs: ['reconcile', 'images'], alongside: [], options: { limit: 1 } },
      { id: 'reviews', needs: ['verify'], alongside: [], options: { limit: 1 } },
    ],
  );
  assert.deepEqual(buildGraph(sameStages).order, ids);
});

void test("a task of one's own goes before the one of the same path in sync-data; a package is found too", async (t) => {
  const own = anyTask.replace('Mine', 'Own').replace('.loose()', '');
  const folder = await folderWith(t, {
    'pipeline.yaml': `stages:\n  - id: own\n    task: ${shelfPath}\n    with: { limt: 3 }\n`,
    [shelfPath]: own,
    'node_modules/prices/package.json': '{ "name": "prices", "type": "module", "exports": "./task.ts" }',
    'node_modules/prices/task.ts': own.replace('Own', 'Prices'),
  });
  await symlink(join(repository, 'node_modules/zod'), join(folder, 'node_modules/zod'));
  const { message } = await refusalOf(folder);
  assert.match(message, /^pipeline\.yaml:4:13 stages\[0\]\.with\.limt: unknown key \(did you mean limit\?\)/);

  await writeFile(
    join(folder, 'pipeline.yaml'),
    `stages:\n  - { id: own, task: ${shelfPath} }\n  - { id: prices, task: prices, with: { limit: 3 } }\n`,
  );
  const { stages } = await loadPipeline(folder);
  assert.deepEqual(
    stages.map(({ task, options }) => [task.title, options]),
    [
      ['Own', { limit: 1 }],
      ['Prices', { limit: 3 }],
    ],
  );
});

void test("messages a task's schema brings along are kept", async (t) => {
  const picky = anyTask.replace('z.number()', "z.number('how many, please')");
  const folder = await folderWith(t, {
    'pipeline.yaml': 'stages:\n  - id: own\n    task: ./picky.ts\n    with: { limit: all }\n',
    'picky.ts': picky,
  });
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  const { message } = await refusalOf(folder);
  assert.equal(
    message,
    [
      'pipeline.yaml:4:20 stages[0].with.limit: how many, please',
      '        with: { limit: all }',
      '                       ~~~',
    ].join('\n'),
  );
});

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
      '../../pipeline.yaml:1:1 nam: unknown key (did you mean name?), expected one of: name, kill, api, data, rules, stages',
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
  assert.equal(message, `No pipeline.yaml in ${folder}, nor in any folder above it.`);
  assert.equal(
    hint,
    `Copy the one that ships with sync-data into a folder of your own and start there: ${join(repository, 'pipeline.yaml')}`,
  );
});

void test("a broken package.json in the way is named, and the user's configuration folder is no place for code", async (t) => {
  const yaml = `stages:\n  - id: crawl\n    task: ${shelfPath}\n`;
  const folder = await folderWith(t, {
    'broken/package.json': '{ bad',
    'broken/pipeline.yaml': yaml,
    'home/.config/sync-data/config.js': "throw new Error('executed')",
    'none/note.txt': '',
  });
  const script = `import { loadPipeline } from ${JSON.stringify(join(repository, 'lib/pipeline/config.ts'))};
    await loadPipeline(process.cwd()).then(() => console.log('loaded'), (error) => console.log(error.name, error.message))`;
  const messageIn = async (cwd: string): Promise<string> => {
    const loader = import.meta.resolve('tsx');
    const home = join(folder, 'home');
    const env = { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: join(home, '.config') };
    const args = ['--import', loader, '--input-type=module', '--eval', script];
    return (await promisify(execFile)(process.execPath, args, { cwd, env })).stdout;
  };
  assert.match(
    await messageIn(join(folder, 'broken')),
    /^UserError pipeline\.yaml cannot be looked for: JSON Error in \S+broken\/package\.json/,
  );
  assert.match(await messageIn(join(folder, 'none')), /^UserError No pipeline\.yaml in /);
});

// The graph

/** "images | crawl reconcile" runs alongside the two; "verify < reconcile" needs it. */
function stagesFrom(...lines: readonly string[]): GraphStage[] {
  return lines.map((line) => {
    const [, id = '', needs = '', alongside = ''] =
      /^(\S+)(?: < ([^|]+))?(?: \| (.+))?$/.exec(line.trim()) ?? [];
    const words = (list: string): string[] => list.split(' ').filter((word) => word !== '');
    return { id, needs: words(needs), alongside: words(alongside) };
  });
}

void test('graph: order, needs, companions, dependents', () => {
  const graph = buildGraph(
    stagesFrom(
      'reviews < verify',
      'verify < reconcile images',
      'images | crawl reconcile',
      'reconcile < crawl',
      'crawl',
      'apart',
    ),
  );
  assert.deepEqual(graph.order, ['crawl', 'images', 'reconcile', 'verify', 'reviews', 'apart']);
  assert.deepEqual(graph.needs('verify'), ['reconcile', 'images']);
  assert.deepEqual(graph.companions('images'), ['crawl', 'reconcile']);
  assert.deepEqual(graph.dependents('crawl'), ['reviews', 'verify', 'reconcile']);
  assert.deepEqual(graph.dependents('images'), ['reviews', 'verify']);
  assert.deepEqual(graph.dependents('reviews'), []);
  assert.throws(() => graph.needs('nobody'), /internal: no stage is called nobody/);
});

void test('graph: what ends only after itself is refused, with one trail', () => {
  const trails = (...lines: readonly string[]): string[] =>
    findGraphMistakes(stagesFrom(...lines)).map(
      ({ path, message }) => `${path.join('.')} ${message.split(' is a ')[0]}`,
    );
  assert.deepEqual(trails('a < b', 'b < a'), ['0.needs.0 a → b → a']);
  assert.deepEqual(trails('a | b', 'b | a'), ['0.alongside.0 a → b → a']);
  assert.deepEqual(trails('a | b', 'b < a'), ['0.alongside.0 a → b → a']);
  assert.deepEqual(
    trails('x < c', 'a < b', 'b | c', 'c < a'),
    ['1.needs.0 a → b → c → a'],
    'told from its first stage',
  );
  assert.deepEqual(trails('a < b', 'b < a', 'c < d', 'd < c'), [
    '0.needs.0 a → b → a',
    '2.needs.0 c → d → c',
  ]);
  assert.deepEqual(
    trails('a < b', 'b < a c', 'c < a'),
    ['0.needs.0 a → b → a'],
    'overlapping ones are told once',
  );
  assert.deepEqual(trails('a', 'b < a', 'c < b | a', 'd | c b', 'e < d c'), []);
  assert.throws(() => buildGraph(stagesFrom('a < b', 'b < a')), /internal: the stages were not checked/);
});

void test('a typed task is one that the runner can call', () => {
  interface Tx {
    run(sql: string): Promise<void>;
  }
  const typed: Task<Tx, { readonly clock: number }, { taxonomies: number[] }, undefined> = {
    ...shelf,
    units: ({ services }) => [{ id: String(services.clock), title: '' }],
    async *run() {
      yield { write: (tx) => tx.run('') };
    },
  };
  const stage: Stage<Tx, { readonly clock: number }> = {
    id: 'a',
    needs: [],
    alongside: [],
    task: typed,
    options: {},
  };
  const untyped: Stage = { ...stage, task: shelf };
  const stages: readonly Stage<Tx, { readonly clock: number }>[] = [stage, untyped];
  assert.equal(stages.length, 2);
});
