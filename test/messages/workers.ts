import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './provoke.ts';
import type { Row } from './row.ts';

const FORM = 'an address such as redis://imac.local:6379 (its password belongs into SYNC_DATA_REDIS)';
const HOME =
  'Set a password in redis.conf (requirepass), and put SYNC_DATA_REDIS=password into .env or the environment, on every computer.';
const PIPELINE = 'stages:\n  - id: background\n    task: ./tasks/background.ts\n';

/** What is said to who starts a worker, or has a pipeline.yaml that asks for some. */
function row(
  when: string,
  argv: readonly string[],
  text: readonly string[],
  more: { files?: Readonly<Record<string, string>>; env?: NodeJS.ProcessEnv } = {},
): Row {
  return {
    when,
    provoke: async (folder) => {
      await folder.write(more.files ?? {});
      const said = await command(folder, argv, more.env ?? {});
      await rm(join(folder.path, 'etsy_data.db'), { force: true });
      return said;
    },
    text,
    next: text.at(-1) ?? '',
    exitCode: 2,
  };
}

export const workers: readonly Row[] = [
  row(
    'a worker without an address',
    ['worker'],
    [
      'sync-data: worker needs the address of a Redis, such as redis://imac.local:6379',
      'For usage: npx sync-data --help',
    ],
  ),
  row(
    'a worker with two addresses',
    ['worker', 'redis://a', 'redis://:secret@b'],
    ['sync-data: expected one address after worker', 'For usage: npx sync-data --help'],
  ),
  row(
    'a worker with a password in its address, which is not shown',
    ['worker', 'redis://:hunter2hunter2@imac.local'],
    [
      `The address of Redis cannot be used: expected ${FORM}.`,
      'Such as: npx sync-data worker redis://imac.local:6379',
    ],
  ),
  row(
    'a Redis on the network without a password',
    ['worker', 'redis://imac.local'],
    ['redis://imac.local:6379 can be reached from other computers, and there is no password for it.', HOME],
  ),
  row(
    'a Redis on the internet without encryption',
    ['worker', 'redis://redis.example.com/2'],
    [
      'redis://redis.example.com:6379/2 is not in a home network, and redis:// is not encrypted.',
      'Use rediss://, with a certificate that this computer trusts.',
    ],
    { files: { '.env': 'SYNC_DATA_REDIS=hunter2hunter2\n' } },
  ),
  row(
    'a KILL file where a worker starts',
    ['worker', 'redis://127.0.0.1'],
    ['A KILL file is in this folder.', 'Remove it, then start again: rm KILL'],
    { files: { KILL: '' } },
  ),
  row(
    'a mirror of models that is no https address',
    ['worker', 'redis://127.0.0.1'],
    [
      'SYNC_DATA_MODELS is not an https address.',
      'Name a mirror with the paths of the hosts that publish the models, or leave it out.',
    ],
    { env: { SYNC_DATA_MODELS: 'ftp://models.example.com' } },
  ),
  row(
    'a password in pipeline.yaml, which is not shown',
    [],
    [
      `pipeline.yaml:1:19 workers.redis: expected ${FORM}`,
      '    workers: { redis: "redis://*****************@imac.local" }',
      '                      ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~',
      'Nothing has been started. Correct pipeline.yaml and start again.',
    ],
    { files: { 'pipeline.yaml': `workers: { redis: "redis://:hunter2/@hunter2@imac.local" }\n${PIPELINE}` } },
  ),
  row(
    'workers: with a Redis on the network and no password',
    [],
    ['redis://imac.local:6379 can be reached from other computers, and there is no password for it.', HOME],
    { files: { 'pipeline.yaml': `workers: { redis: redis://imac.local:6379 }\n${PIPELINE}` } },
  ),
];
