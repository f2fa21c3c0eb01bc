// Who may import whom: a file imports from its own floor and from those below, never from above, and no two files import
// each other. `npm run lint` holds it; CONTRIBUTING shows this table as the picture of the architecture.

/** The floors of the house, the lowest first. A path that ends in / is a folder and all below it. */
export const FLOORS = [
  [
    'lib/errors.ts',
    'lib/time.ts',
    'lib/limits.ts',
    'lib/version.ts',
    'lib/installation.ts',
    'lib/start/',
    'lib/text/',
  ],
  ['lib/task/'], // the contract of a task
  ['lib/store/'], // the database, files, the lock
  ['lib/models/', 'lib/pictures/', 'lib/vectors/'],
  ['lib/workers/'], // the same work on other computers
  ['lib/dataset/'], // the tables
  ['lib/etsy/'], // the API and the image hosts; another source is a folder beside it
  ['lib/services.ts'], // what tasks are handed
  ['lib/define-task.ts', 'lib/index.ts'], // what a task imports
  ['tasks/rules/'],
  ['tasks/*.ts'],
  ['checkpoints/', 'lib/progress/'],
  ['lib/pipeline/', 'lib/settings.ts'], // pipeline.yaml, the runner
  ['lib/screen/'],
  ['lib/log/'],
  ['lib/report/'],
  ['lib/run/'], // one start of the program
  ['lib/status/', 'lib/search/', 'lib/worker/'],
  ['lib/command.ts', 'lib/sync-data.js'],
];

/** These know no source: not Etsy, nor its tables. What they need of it is handed to them. */
export const SOURCELESS = [
  'lib/task/',
  'checkpoints/',
  'lib/progress/',
  'lib/pipeline/',
  'lib/screen/',
  'lib/log/',
];
const SOURCES = ['lib/etsy/', 'lib/dataset/', 'tasks/*.ts', 'tasks/rules/'];

const pattern = (paths) =>
  `^(?:${paths.map((path) => path.replaceAll('.', String.raw`\.`).replace('*', '[^/]+')).join('|')})`;

const upwards = FLOORS.slice(0, -1).map((floor, height) => ({
  name: `${floor.join(' and ')} must import nothing from above`,
  severity: 'error',
  from: { path: pattern(floor) },
  to: { path: pattern(FLOORS.slice(height + 1).flat()) },
}));

export default {
  forbidden: [
    ...upwards,
    { name: 'no circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'the runner knows no source',
      severity: 'error',
      from: { path: pattern(SOURCELESS) },
      to: { path: pattern(SOURCES) },
    },
    {
      name: 'every file stands on a floor',
      severity: 'error',
      from: { path: '^(?:lib|tasks|checkpoints)/', pathNot: pattern(FLOORS.flat()) },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
