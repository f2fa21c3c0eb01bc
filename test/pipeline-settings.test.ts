import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPipeline } from '../lib/pipeline/config.ts';
import { buildGraph } from '../lib/pipeline/graph.ts';
import shelf from './fixtures/tasks/shelf.ts';
import { anyTask, folderWith, oneStage, refusalOf, refuses, repository, shelfPath } from './pipeline-rig.ts';

// What is wrong

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
    'pipeline.yaml:4:1 retries: unknown key, expected one of: name, kill, every, api, data, models, rules, workers, stages',
    '    retries: 2',
    '    ~~~~~~~',
  ],
);

refuses(
  'a misspelt key is not reported as missing as well',
  ['stage:', '  - id: crawl'],
  [
    'pipeline.yaml:1:1 stage: unknown key (did you mean stages?), expected one of: name, kill, every, api, data, models, rules, workers, stages',
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
    'pipeline.yaml:1:32 api.qps: found 9, expected a number above 0 and at most 5, the most Etsy allows',
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
    'pipeline.yaml:12:8 api.qps: found 5.1, expected a number above 0 and at most 5, the most Etsy allows',
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
    'pipeline.yaml:1:7 kill: ./etsy_data.db is data.database already, expected a different path',
    '    kill: ./etsy_data.db',
    '          ~~~~~~~~~~~~~~',
    '',
    'pipeline.yaml:3:11 data.images: pipeline.yaml is this file already, expected a different path',
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
    'pipeline.yaml:2:13 data.database: KILL is kill already, expected a different path',
    '      database: KILL',
    '                ~~~~',
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
      cutouts: join(folder, 'cutouts'),
      models: join(folder, 'models'),
    },
    models: {},
    workers: {},
    rules: { madeSince: 2000, refreshAfter: 7 * 86_400 },
    stages: [
      { id: 'crawl', needs: [], alongside: [], kill: undefined, task: shelf, options: { taxonomies: [967] } },
    ],
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
    cutouts: join(folder, 'in/cutouts'),
    models: join(folder, 'in/models'),
  });
  assert.deepEqual(pipeline.rules, { madeSince: 2010, refreshAfter: 36 * 3600 });
  assert.deepEqual(pipeline.stages[0]?.options, { taxonomies: [12470, 976], limit: 5 });
});

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
