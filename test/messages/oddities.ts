import { Database } from '../../lib/store/database.ts';
import { join } from 'node:path';
import { CRAWL, run } from './provoke.ts';
import type { Answer, Run } from './provoke.ts';
import type { Row } from './row.ts';

// What the summary says of odd answers that were put right: what it was, how often, and what became of it.

const LISTING = {
  listing_id: 1,
  shop_id: 9,
  state: 'active',
  views: 1,
  when_made: 'made_to_order',
  taxonomy_id: 12371,
  price: { amount: 100, divisor: 100, currency_code: 'USD' },
};
const PAGE = JSON.stringify({ count: 1, results: [LISTING] });
const CATEGORIES = [
  { id: 12371, name: 'Coffee Tables', children: [] },
  { id: 12372, name: 'End Tables', children: [] },
];
const TREE = JSON.stringify({ count: 1, results: [{ id: 967, name: 'Furniture', children: CATEGORIES }] });
const TWO = CRAWL.replace('[12371]', '[12371, 12372]');
const said = (error: string): string => JSON.stringify({ error });

/** The lines below "Odd in this run:", and the exit code. */
function odd(when: string, options: Run, text: readonly string[]): Row {
  return {
    when,
    provoke: async (folder) => {
      const { stdout, exitCode } = await run(folder, { tree: TREE, ...options });
      const [, lines = ''] = /^Odd in this run:\n([^]*?)\n\n/m.exec(stdout) ?? [];
      return { text: lines.replaceAll(/^ +/gm, ''), exitCode };
    },
    text,
    next: text[0]?.split(': ').at(-1) ?? '',
  };
}

/** Answers the first request so, and all others well. */
function first(answer: Answer): Run {
  let asked = 0;
  return { answer: () => ((asked += 1) === 1 ? answer : { body: PAGE }) };
}

/** One category is answered so for good, the other well. */
function forGood(answer: Answer): Run {
  return { stages: TWO, answer: (url) => (url.includes('=12372') ? answer : { body: PAGE }) };
}

const AGAIN = 'asked again, and answered';

export const oddities: readonly Row[] = [
  odd(
    'headers of the quota that are no numbers',
    {
      answer: () => ({
        body: PAGE,
        headers: { 'x-remaining-today': 'many', 'x-limit-per-day': '', 'x-limit-per-second': '0' },
      }),
    },
    [
      'the header x-limit-per-day was not a number: once, for example "": ignored',
      'the header x-limit-per-second was 0: once: ignored',
      'the header x-remaining-today was not a number: once, for example "many": ignored',
    ],
  ),
  odd(
    'a day that is over, as only a header says',
    { answer: () => ({ body: PAGE, headers: { 'x-remaining-today': '0', 'x-limit-per-day': '5000' } }) },
    [
      'the header x-remaining-today was 0 beside answers that were not refused: once: ignored, for the recorded requests are far from the limit of the day',
    ],
  ),
  odd(
    'a Retry-After of a day',
    {
      ...first({ status: 503, headers: { 'retry-after': '86400' }, body: said('Maintenance') }),
      api: { giveUpAfter: '1s' },
    },
    [
      'answers asked for a pause (Retry-After) longer than api: giveUpAfter leaves: once, for example 1 d (HTTP 503: Maintenance): paused for less, then asked again',
    ],
  ),
  ...[204, 304, 400, 401, 404, 410].map((status) =>
    odd(`a single HTTP ${status}`, first({ status, body: status < 400 ? '' : said('odd') }), [
      status === 401
        ? `listings/active: HTTP 401, once: once, for example Etsy refused the API key (HTTP 401: odd): ${AGAIN}`
        : `listings/active: HTTP ${status}, once: once, for example HTTP ${status}: ${status < 400 ? 'no message' : 'odd'}: ${AGAIN}`,
    ]),
  ),
  odd(
    'a category whose first page is refused for good',
    forGood({ status: 400, body: said('Bad request') }),
    [
      'a page of the search could not be had (refused: HTTP 400: Bad request): once, for example taxonomy 12372 (End Tables), from 0.00 up: page 1: set aside after a second try; the next run asks again',
    ],
  ),
  odd('a category whose first page can never be read', forGood({ body: '<html>' }), [
    'a page of the search could not be had (given up: the answer is not JSON; it starts with: <html>): once, for example taxonomy 12372 (End Tables), from 0.00 up: page 1: set aside after a second try; the next run asks again',
  ]),
  odd('names of categories that cannot be had', { answer: () => ({ body: PAGE }), tree: said('none') }, [
    'the names of categories could not be had: once, for example not a taxonomy: count: Invalid input: expected number, received undefined; results: Invalid input: expected array, received undefined: those known before are used; the next run asks again',
  ]),
  {
    when: 'a database that another program holds for a while',
    provoke: async (folder) => {
      await run(folder, { tree: TREE, answer: () => ({ body: PAGE }) });
      const other = await Database.openRollback(join(folder.path, 'etsy_data.db'));
      await other.run('BEGIN IMMEDIATE');
      let released: Promise<unknown> | undefined;
      const { stdout, stderr } = await run(folder, {
        tree: TREE,
        answer: () => ({ body: PAGE }),
        onText: (text) => {
          if (text.includes('another program holds')) released ??= other.run('ROLLBACK');
        },
      });
      await other.close();
      const lines = stdout.split('\n').filter((line) => line.includes('had locked'));
      return { text: `${stderr}${lines.join('\n').trim()}`.replace(/for \d+ s/, 'for <duration>') };
    },
    text: [
      'Waiting until <time> at the latest: another program holds <folder>/etsy_data.db (a backup or a database browser, perhaps).',
      'another program had locked the database: once, for example for <duration>: waited for it',
    ],
    next: 'waited for it',
  },
  {
    when: 'KILL, while it waits for another program to let go of the database',
    provoke: async (folder) => {
      await run(folder, { tree: TREE, answer: () => ({ body: PAGE }) });
      const other = await Database.openRollback(join(folder.path, 'etsy_data.db'));
      await other.run('BEGIN IMMEDIATE');
      // The lock is there until the run has ended.
      const { stderr, exitCode } = await run(folder, {
        tree: TREE,
        onText: (text) => {
          if (text.includes('another program holds')) void folder.write({ KILL: '' });
        },
      });
      await other.close();
      return { text: stderr, exitCode };
    },
    text: [
      'Waiting until <time> at the latest: another program holds <folder>/etsy_data.db (a backup or a database browser, perhaps).',
      'Stopped: the KILL file was found.',
      'Everything is saved. To resume: npx sync-data',
    ],
    next: 'Everything is saved. To resume: npx sync-data',
    exitCode: 75,
  },
];
