import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPipeline } from '../lib/pipeline/config.ts';
import type { Stage } from '../lib/pipeline/config.ts';
import type { Task } from '../lib/task/task.ts';
import shelf from './fixtures/tasks/shelf.ts';
import { anyTask, folderWith, oneStage, refusalOf, refuses, repository, shelfPath } from './pipeline-rig.ts';

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
    kill: undefined,
    task: typed,
    options: {},
  };
  const untyped: Stage = { ...stage, task: shelf };
  const stages: readonly Stage<Tx, { readonly clock: number }>[] = [stage, untyped];
  assert.equal(stages.length, 2);
});
