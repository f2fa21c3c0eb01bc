import { STAGES, written } from './pipeline.ts';
import type { Row } from './row.ts';

// The text of pipeline.yaml, before anything is made of it.

export const yaml: readonly Row[] = [
  written(
    'a tab',
    ['stages:', '\t- id: crawl'],
    [
      'pipeline.yaml:2:1 YAML: found a tab as indentation, expected spaces',
      '     - id: crawl',
      '    ~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'two documents',
    ['name: mine', '---', ...STAGES],
    [
      'pipeline.yaml:2:1 YAML: found a second document, expected one',
      '    ---',
      '    ~~~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'a key where a value is',
    ['name: mine', ' kill: STOP', ...STAGES],
    [
      'pipeline.yaml:1:7 YAML: found a key where a value is being written, expected it on a line of its own and indented like its neighbours, or quotes around a text that contains ": "',
      '    name: mine',
      '          ~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'a bracket that is not closed',
    ['stages: [', '  { id: crawl, task: ./task.ts }', 'name: mine'],
    [
      'pipeline.yaml:3:1 YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      '    name: mine',
      '    ~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'levels without end',
    ['stages:', `  - ${'['.repeat(100_000)}`],
    [
      'pipeline.yaml:2:67 YAML: nested deeper than 64 levels, expected a few',
      `    ${'['.repeat(160)}`,
      `${' '.repeat(64)}~`,
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'aliases without end',
    ['kill: &a KILL', ...Array<string>(101).fill('name: *a'), ...STAGES],
    [
      'pipeline.yaml:102:7 YAML: found more than 100 aliases, expected a few',
      '    name: *a',
      '          ~~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'aliases of aliases of aliases',
    ['a: &a [x, x]', 'b: &b [*a, *a, *a, *a]', 'c: &c [*b, *b, *b, *b]', 'd: [*c, *c, *c, *c, *c, *c, *c]'],
    [
      'pipeline.yaml:1:1 YAML: found aliases of aliases beyond reason, expected a few',
      '    a: &a [x, x]',
      '    ~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written('a text without end', Array<string>(20_000).fill('name: x'), [
    'pipeline.yaml:2858:1 YAML: found more than 20000 words and marks, expected a shorter file',
    '    name: x',
    '    ~',
    'Nothing has been started. Correct pipeline.yaml and start again.',
  ]),
  written(
    'more mistakes than anyone reads',
    [...STAGES, ...Array.from({ length: 52 }, (_, index) => `x${index}: 1`)],
    [
      ...Array.from({ length: 50 }, (_, index) => [
        `pipeline.yaml:${index + 3}:1 x${index}: unknown key, expected one of: name, kill, every, api, data, models, rules, workers, stages`,
        `    x${index}: 1`,
        `    ${'~'.repeat(`x${index}`.length)}`,
        '',
      ]).flat(),
      'and 2 more',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'an alias of nothing',
    ['name: *mine', ...STAGES],
    [
      'pipeline.yaml:1:7 name: found *mine, expected an anchor &mine before it',
      '    name: *mine',
      '          ~~~~~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'a key that is a list',
    ['? [name, kill]', ': mine', ...STAGES],
    [
      'pipeline.yaml:1:3 pipeline: found a key that is not a word, expected a word',
      '    ? [name, kill]',
      '      ~~~~~~~~~~~~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
  written(
    'a key written twice',
    ['name: a', 'name: b', ...STAGES, 'kill: 7'],
    [
      'pipeline.yaml:2:1 name: written twice, expected once',
      '    name: b',
      '    ~~~~',
      '  the first is at pipeline.yaml:1:1',
      '    name: a',
      '    ~~~~',
      '',
      'pipeline.yaml:5:7 kill: found 7, expected a path, relative to this file',
      '    kill: 7',
      '          ~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
  ),
];
