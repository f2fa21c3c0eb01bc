import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildGraph, findGraphMistakes } from '../lib/pipeline/graph.ts';
import type { GraphStage } from '../lib/pipeline/graph.ts';
import { oneStage, refuses, repository, shelfPath } from './pipeline-rig.ts';

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
    'pipeline.yaml:2:5 stages[0]: found "crawl", expected a stage: id, task and, optionally, needs, alongside, kill, with',
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
    'pipeline.yaml:4:5 stages[0].wiht: unknown key, expected one of: id, task, needs, alongside, kill, with',
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
    'pipeline.yaml:6:20 stages[1].needs[1]: images names the stage itself, expected another stage',
    '        needs: [crwal, images, crawl, crawl]',
    '                       ~~~~~~',
    '',
    'pipeline.yaml:6:35 stages[1].needs[3]: crawl is named twice, expected once',
    '        needs: [crwal, images, crawl, crawl]',
    '                                      ~~~~~',
    '',
    'pipeline.yaml:7:17 stages[1].alongside[0]: crawl is also in needs, expected only one: needs starts after it, alongside together with it',
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
    'pipeline.yaml:4:9 stages[1].id: another stage is also called crawl too, expected a different id',
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
