import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe } from '../../lib/errors.ts';
import { Stopped } from '../../lib/pipeline/stop.ts';
import { Database } from '../../lib/store/database.ts';
import { CRAWL, KEY, ending, lines, run, serving } from './provoke.ts';
import type { Answer } from './provoke.ts';
import type { Folder, Row, Said } from './row.ts';

const SAVED = 'Everything up to there is saved. To resume: npx sync-data';
const KEPT = [
  '',
  'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
  'The full error is in sync-data.log.',
];
const PAGE = JSON.stringify({ count: 250, results: [] });

const SAID: Partial<Record<NodeJS.Signals, string>> = {
  SIGINT: 'you pressed Ctrl-C',
  SIGTERM: 'asked to end (SIGTERM)',
  SIGHUP: 'the terminal was closed (SIGHUP)',
};

/** How a run ends that is sent a signal while it waits for an answer. */
function signalled(signal: NodeJS.Signals, exitCode: number): Row {
  return {
    when: signal,
    provoke: (folder) =>
      new Promise<Said>((resolve, reject) => {
        let asked = (): void => undefined;
        const answer = async (): Promise<Answer> => {
          asked();
          await new Promise((later) => setTimeout(later, 100));
          return {};
        };
        serving({ answer }, async (origin) => {
          await folder.write({
            'pipeline.yaml': `api: { baseUrl: ${origin}/v3/application }\nstages:\n${CRAWL}`,
          });
          const path = fileURLToPath(new URL('../fixtures/fast-sync-data.js', import.meta.url));
          const env = {
            PATH: process.env['PATH'],
            HOME: folder.path,
            npm_command: 'exec',
            TEST_QPS: 'Infinity',
            ETSY_API_KEY: KEY,
          };
          const child = spawn(process.execPath, [path], { cwd: folder.path, env });
          asked = () => child.kill(signal);
          const closed = new Promise<number | null>((over) => child.once('close', over));
          const said = await text(child.stdout);
          const blocks = /^Stopped after[^]*/m.exec(said)?.[0].split('\n\n') ?? [];
          resolve({ text: [blocks[0], blocks.at(-1)].join('\n\n'), exitCode: (await closed) ?? undefined });
        }).catch(reject);
      }),
    text: [`Stopped after <duration>: ${SAID[signal]}.`, '  Crawl, Coffee Tables', '', SAVED],
    next: SAVED,
    exitCode,
  };
}

/** How a run ends whose only task is this. */
function ownTask(when: string, steps: string, text: readonly string[]): Row {
  return {
    when,
    provoke: async (folder) => {
      await folder.write({
        'mine.mjs': `import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
export default { title: 'Mine', options: z.object({}), cursor: z.unknown(), units: () => [{ id: 'all', title: 'All' }],
  async *run() { ${steps} } };`,
      });
      return ending(folder, { stages: '  - { id: mine, task: ./mine.mjs }\n' });
    },
    text,
    next: 'Unexpected error. Your last checkpoint is safe; run sync-data again to resume.',
    exitCode: 1,
  };
}

export const endings: readonly Row[] = [
  {
    when: 'the KILL file touched during a run',
    provoke: (folder) =>
      ending(folder, {
        answer: async () => {
          await writeFile(join(folder.path, 'KILL'), '');
          return { body: PAGE };
        },
      }),
    text: [
      'Stopped after <duration>: the KILL file was found.',
      '  Crawl, Coffee Tables',
      '',
      'Odd in this run:',
      '  pages of the search that were empty, short, repeated or counted far less than before: once, for example page 1, with a count of 250: asked for again',
      '',
      'Everything up to there is saved. To resume: npx sync-data',
    ],
    next: SAVED,
    exitCode: 75,
  },
  signalled('SIGINT', 130),
  signalled('SIGTERM', 143),
  signalled('SIGHUP', 129),
  ownTask('a task of one’s own that throws', "throw new TypeError('no shelf left');", [
    'Stage mine failed, at all:',
    '  TypeError: no shelf left',
    '      at <trace>',
    '  Unexpected error. Your last checkpoint is safe; run sync-data again to resume.',
    ...KEPT,
  ]),
  ownTask('a task of one’s own that throws what is no error', "throw 'no shelf left';", [
    'Stage mine failed, at all:',
    '  sync-data: no shelf left',
    '  Unexpected error. Your last checkpoint is safe; run sync-data again to resume.',
    ...KEPT,
  ]),
  {
    when: 'a stop that nobody between has told of',
    provoke: () => Promise.resolve({ text: describe(new Stopped('kill', 'the KILL file was found')) }),
    text: ['Stopped: the KILL file was found.', 'Everything is saved. To resume: npx sync-data'],
    next: 'Everything is saved. To resume: npx sync-data',
  },
  {
    when: 'a checkpoint of another version',
    provoke: async (folder) => {
      await run(folder, {
        answer: async () => {
          await writeFile(join(folder.path, 'KILL'), '');
          return { body: PAGE };
        },
      });
      await changed(folder, `UPDATE units SET cursor = '{"page":2}'`);
      return lines(folder, /warning/);
    },
    text: ['crawl: warning: Coffee Tables: its checkpoint was made by another version; the unit starts over'],
    next: 'it starts over',
  },
];

async function changed(folder: Folder, sql: string): Promise<void> {
  const database = await Database.open(join(folder.path, 'etsy_data.db'));
  await database.write((tx) => tx.run(sql));
  await database.close();
}
