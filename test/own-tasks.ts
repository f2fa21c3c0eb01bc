/** Asks nothing of anybody, and can be killed: leaves a note of each number up to its limit. */
const COUNT = `import { defineTask, insertRows, z } from 'sync-data';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default defineTask({
  title: 'Count',
  options: z.object({ to: z.int(), touch: z.string().optional() }),
  cursor: z.object({ at: z.int() }),
  units: ({ options }) => [{ id: 'all', title: 'All numbers', noun: 'numbers' }],
  tells: async ({ services }) => {
    const { n } = await services.sql.get('SELECT count(*) AS n FROM numbers');
    return {
      rows: [{ label: 'numbers', stands: [[n, 'counted']] }],
      problems: [{ title: 'Numbers that nobody likes', count: 1, reasons: [{ text: 'unlucky', n: 1 }] }],
      counts: { numbers: n },
    };
  },
  async *run(_unit, cursor, { options, folder }) {
    yield { write: (tx) => tx.run('CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)') };
    for (let at = cursor?.at ?? 0; at < options.to;) {
      at += 1;
      if (at === 3 && options.touch && !cursor) writeFileSync(join(folder, options.touch), '');
      yield {
        write: (tx) => insertRows(tx, 'numbers', [{ n: at }]),
        cursor: { at },
        progress: { done: at, total: options.to },
      };
    }
  },
});
`;

/** Looks up in prepare what its units are made of, and reads what the first has written. */
const SQUARES = `import { defineTask, z } from 'sync-data';
export default defineTask({
  title: 'Squares',
  options: z.object({}),
  cursor: z.object({}),
  prepare: async () => (tx) => tx.run('CREATE TABLE IF NOT EXISTS squares (n INTEGER PRIMARY KEY, square INTEGER)'),
  units: async ({ services }) => {
    await services.sql.all('SELECT n FROM squares');
    return [{ id: 'all', title: 'All' }];
  },
  async *run() {
    yield { write: (tx) => tx.run('INSERT OR IGNORE INTO squares SELECT n, n * n FROM numbers') };
  },
});
`;

const LAST = `import { defineTask, z } from 'sync-data';
export default defineTask({
  title: 'Last',
  options: z.object({}),
  cursor: z.object({}),
  units: () => [{ id: 'all', title: 'All' }],
  async *run() { yield { progress: { done: 1, total: 1 } }; },
});
`;

export const ownPipeline = (count: string, more = ''): string => `stages:
  - { id: count, task: ./count.ts, ${more}with: { ${count} } }
  - { id: squares, task: ./squares.ts, needs: [count] }
  - { id: last, task: ./last.ts }
`;

/** The modules of three stages of one’s own, by the name of their file. */
export const OWN_TASKS: Readonly<Record<string, string>> = {
  'count.ts': COUNT,
  'squares.ts': SQUARES,
  'last.ts': LAST,
};
