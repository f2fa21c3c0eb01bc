import { ending } from './provoke.ts';
import type { Etsy } from './provoke.ts';
import type { Row } from './row.ts';

const AGAIN = 'To resume: npx sync-data';

/** How a run ends whose only task is this one; `parts` are members, `steps` what its run does. */
function own(
  when: string,
  { parts = '', steps, kill = '', answer }: { parts?: string; steps: string; kill?: string } & Etsy,
  text: readonly string[],
  next: string,
  exitCode = 1,
): Row {
  return {
    when,
    provoke: async (folder) => {
      const rows = new URL('../../lib/store/rows.ts', import.meta.url).href;
      await folder.write({
        'mine.mjs': `import { z } from ${JSON.stringify(import.meta.resolve('zod'))};
import { insertRows } from ${JSON.stringify(rows)};
import { writeFileSync } from 'node:fs';
export default { title: 'Mine', options: z.object({}), cursor: z.unknown(), units: () => [{ id: 'all', title: 'All' }],
  ${parts} async *run(unit, cursor, { services, folder, stop }) { ${steps} } };`,
      });
      return ending(folder, {
        stages: `  - { id: mine, task: ./mine.mjs${kill} }\n`,
        ...(answer && { answer }),
      });
    },
    text,
    next,
    exitCode,
  };
}

const failed = (lines: readonly string[]): readonly string[] => [
  'Stage mine failed, at all:',
  ...lines.map((line) => `  ${line}`),
  '',
  'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
  'The full error is in sync-data.log.',
];

const ASK_FIRST = 'A write only writes: in run, ask first, then yield { write } with the answer.';

const askedInWrite = (what: string, call: string): Row =>
  own(
    `${what} called inside write`,
    { parts: "uses: ['api', 'cdn'],", steps: `yield { write: () => ${call} };` },
    failed([
      `${what} was called inside write, where it would wait for the end of that same write.`,
      ASK_FIRST,
    ]),
    ASK_FIRST,
  );

export const tasks: readonly Row[] = [
  askedInWrite('services.api', 'services.api.batch([1])'),
  askedInWrite('services.cdn', "services.cdn.download('https://127.0.0.1/1.jpg', ['127.0.0.1'])"),
  own(
    'a request that is answered no more, though others are',
    {
      parts: "uses: ['api'],",
      steps: 'yield {}; for (;;) await Promise.all([1, 2].map((id) => services.api.shop(id)));',
      answer: (url) => (url.endsWith('/2') ? { status: 500, body: '' } : { body: '{"shop_id":1}' }),
    },
    failed([
      'shops/2: HTTP 500: no message',
      'Etsy answers other requests but not this one. Start sync-data again later.',
    ]),
    'Etsy answers other requests but not this one. Start sync-data again later.',
  ),
  own(
    'a service that is not named under uses',
    { parts: "uses: ['cdn'],", steps: 'yield {}; await services.api.batch([1]);' },
    failed([
      'The task of stage mine calls services.api, but does not say that it uses it.',
      "Add to the task: uses: ['cdn', 'api']",
    ]),
    "Add to the task: uses: ['cdn', 'api']",
  ),
  own(
    'a service that there is not',
    { parts: "uses: ['apii'],", steps: '' },
    [
      'The task of stage mine uses "apii", which sync-data does not have.',
      'What a task may name under uses: api, cdn, entries',
    ],
    'What a task may name under uses: api, cdn, entries',
    2,
  ),
  own(
    'rows for a table that cannot be one',
    { steps: "yield { write: (tx) => insertRows(tx, 'a; b', [{ id: 1 }]) };" },
    failed([
      'insertRows was given "a; b" as the name of a table or column.',
      'Use names of letters, digits and underscores; values belong into the rows.',
    ]),
    'Use names of letters, digits and underscores; values belong into the rows.',
  ),
  own(
    'the KILL file of a stage, touched while it runs',
    {
      kill: ', kill: KILL_MINE',
      steps: "yield { progress: { done: 7 } }; writeFileSync(folder + '/KILL_MINE', ''); yield {}; throw 1;",
    },
    [
      'Stopped after <duration>: stage mine: the KILL_MINE file was found.',
      '  Mine, all: 7',
      '',
      `Everything up to there is saved. ${AGAIN}`,
    ],
    `Everything up to there is saved. ${AGAIN}`,
    75,
  ),
];
