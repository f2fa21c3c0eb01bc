import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { COUNTED, REFUSED as CROWDED } from '../../lib/etsy/elsewhere.ts';
import { readBody } from '../../lib/etsy/body.ts';
import { CRAWL, ending, lines, run } from './provoke.ts';
import type { Answer, Run } from './provoke.ts';
import type { Row } from './row.ts';

const GAVE_UP =
  'Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.';
const REFUSED =
  'Check api: baseUrl in pipeline.yaml. If it is right, Etsy has changed, and sync-data must be updated.';
const said = (error: string): string => JSON.stringify({ error });

/** How a run ends that is answered so for longer than it has patience. */
function answered(
  when: string,
  answer: Answer,
  text: readonly string[],
  next = GAVE_UP,
  more: Run = {},
): Row {
  return {
    when,
    provoke: (folder) => ending(folder, { answer: () => answer, api: { giveUpAfter: '1s' }, ...more }),
    text,
    next,
    exitCode: 1,
  };
}

/** Given up for its request after three, and not waited for as an outage would be. */
function tooLarge(when: string, answer: Answer, reason: string): Row {
  const next = 'Etsy may have changed its answers: look for a newer sync-data, then start again.';
  const place = 'taxonomy 12371 (Coffee Tables), from 0.00 up: page 1';
  return answered(
    when,
    answer,
    [
      'Finished in <duration>, but most of what an endpoint sent could not be used.',
      `  listings/active: 1 request was refused (given up: ${reason} (${place}))`,
      `  ${next}`,
      '',
      'Odd in this run:',
      `  a page of the search could not be had (given up: ${reason}): once, for example ${place}: set aside after a second try; the next run asks again`,
      '',
      'What failed and why: npx sync-data status',
      '',
      'The data:   etsy_data.db',
      'The log:    sync-data.log',
      'The report: report.html',
    ],
    next,
  );
}

/** One listing, which the batch does not tell the shop of. */
const LISTING = {
  listing_id: 1,
  shop_id: 9,
  state: 'active',
  title: 'A table',
  when_made: 'made_to_order',
  taxonomy_id: 12371,
  price: { amount: 100, divisor: 100, currency_code: 'USD' },
};
const ONE = JSON.stringify({ count: 1, results: [LISTING] });
const TWO_CATEGORIES = CRAWL.replace('[12371]', '[12371, 12372]');
const AND_RECONCILE = `${CRAWL}  - { id: reconcile, task: ./tasks/reconcile.ts, needs: [crawl] }\n`;

const touchKill = (path: string): Promise<void> => writeFile(join(path, 'KILL'), '');

export const etsy: readonly Row[] = [
  answered('Etsy answers with an error of its own', { status: 500, body: said('Internal error') }, [
    'Stage crawl failed, at Coffee Tables:',
    '  listings/active: HTTP 500: Internal error',
    '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
    '',
    'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
    'The full error is in sync-data.log.',
  ]),
  answered('Etsy answers with an error and no word', { status: 503, body: '' }, [
    'Stage crawl failed, at Coffee Tables:',
    '  listings/active: HTTP 503: no message',
    '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
    '',
    'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
    'The full error is in sync-data.log.',
  ]),
  answered('Etsy resets every connection', 'reset', [
    'Stage crawl failed, at Coffee Tables:',
    '  listings/active: read ECONNRESET',
    '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
    '',
    'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
    'The full error is in sync-data.log.',
  ]),
  answered(
    'nobody listens at the address',
    'reset',
    [
      'Stage crawl failed, at Coffee Tables:',
      '  listings/active: connect ECONNREFUSED 127.0.0.1:<port>',
      '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
      '',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    GAVE_UP,
    {
      api: { giveUpAfter: '1s', baseUrl: 'http://127.0.0.1:47/v3/application' },
    },
  ),
  answered(
    'Etsy does not answer in time',
    'silence',
    [
      'Stage crawl failed, at Coffee Tables:',
      '  listings/active: no complete answer within 1 s',
      '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
      '',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    GAVE_UP,
    {
      api: { giveUpAfter: '1s', timeout: '1s' },
    },
  ),
  answered('Etsy answers with a page for people', { body: '<!DOCTYPE html><title>Etsy</title>' }, [
    'Stage crawl failed, at Coffee Tables:',
    '  listings/active: the answer is not JSON; it starts with: <!DOCTYPE html><title>Etsy</title>',
    '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
    '',
    'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
    'The full error is in sync-data.log.',
  ]),
  tooLarge(
    'Etsy answers with more values than any page has',
    { body: `[${'1,'.repeat(150_001)}1]` },
    'the answer is too large: it has more than 150000 values',
  ),
  answered(
    'Etsy answers with more rows than were asked for',
    { body: JSON.stringify({ count: 1, results: Array(101).fill(1) }) },
    [
      'Finished in <duration>, but most of what an endpoint sent could not be used.',
      '  listings/active: 1 request was refused (given up: 101 rows where at most 100 were asked for (taxonomy 12371 (Coffee Tables), from 0.00 up: page 1))',
      '  Etsy may have changed its answers: look for a newer sync-data, then start again.',
      '',
      'Odd in this run:',
      '  a page of the search could not be had (given up: 101 rows where at most 100 were asked for): once, for example taxonomy 12371 (Coffee Tables), from 0.00 up: page 1: set aside after a second try; the next run asks again',
      '',
      'What failed and why: npx sync-data status',
      '',
      'The data:   etsy_data.db',
      'The log:    sync-data.log',
      'The report: report.html',
    ],
    '  Etsy may have changed its answers: look for a newer sync-data, then start again.'.trim(),
  ),
  answered(
    'Etsy answers with JSON of another shape',
    { body: '{"results":{}}' },
    [
      'Finished in <duration>, but most of what an endpoint sent could not be used.',
      '  listings/active: 1 request was refused (given up: not a list of records: count: Invalid input: expected number, received undefined; results: Invalid input: expected array, received object (taxonomy 12371 (Coffee Tables), from 0.00 up: page 1))',
      '  Etsy may have changed its answers: look for a newer sync-data, then start again.',
      '',
      'Odd in this run:',
      '  a page of the search could not be had (given up: not a list of records: count: Invalid input: expected number, received undefined; results: Invalid input: expected array, received object): once, for example taxonomy 12371 (Coffee Tables), from 0.00 up: page 1: set aside after a second try; the next run asks again',
      '',
      'What failed and why: npx sync-data status',
      '',
      'The data:   etsy_data.db',
      'The log:    sync-data.log',
      'The report: report.html',
    ],
    '  Etsy may have changed its answers: look for a newer sync-data, then start again.'.trim(),
  ),
  tooLarge(
    'Etsy answers with more than 8 MB, and says so',
    { headers: { 'content-length': '60000000' } },
    'the body has 60000000 bytes, more than the 8 MB allowed',
  ),
  tooLarge(
    'Etsy answers with more than 8 MB',
    { body: Buffer.alloc(9 * 2 ** 20, ' '), headers: { 'transfer-encoding': 'chunked' } },
    'the body is larger than the 8 MB allowed',
  ),
  {
    when: 'an answer is cut off on the way',
    provoke: async () => {
      const response = new Response('{"cou', { headers: { 'content-length': '28' } });
      const error: unknown = await readBody(response, 100).catch((reason: unknown) => reason);
      return { text: String(error) };
    },
    text: ['Error: the body ended after 5 of 28 bytes'],
    next: 'Error: the body ended after 5 of 28 bytes',
  },
  {
    when: 'Etsy says that it is asked too often, whatever the pace',
    provoke: async (folder) => {
      const refusal = { status: 429, body: said('Exceeded per second rate limit') };
      const { text, exitCode } = await ending(folder, {
        answer: () => refusal,
        api: { giveUpAfter: '1s' },
      });
      // How often it asks in that second is chance, and with that whether it suspects others.
      return { text: text.replace(/\n\nOdd in this run:\n {2}HTTP 429, [^\n]*/, ''), exitCode };
    },
    text: [
      'Stage crawl failed, at Coffee Tables:',
      '  listings/active: HTTP 429: Exceeded per second rate limit',
      `  ${GAVE_UP}`,
      '',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    next: GAVE_UP,
    exitCode: 1,
  },
  {
    when: 'Etsy says that it is asked too often, and it is not by this run',
    provoke: () => Promise.resolve({ text: CROWDED }),
    text: [
      'Etsy refused requests as too many (HTTP 429), though this run made no more than it may: the API key seems to be in use elsewhere. From now on, each time this happens, half as many requests are made for 5 min.',
    ],
    next: 'half as many requests are made for 5 min',
  },
  {
    when: 'Etsy counts requests that this run has not made',
    provoke: () => Promise.resolve({ text: COUNTED }),
    text: [
      'Etsy counts more requests than this run makes: the API key seems to be in use elsewhere. While that lasts, half as many requests are made.',
    ],
    next: 'half as many requests are made',
  },
  answered(
    'Etsy refuses the key',
    { status: 403, body: said('API key not found or not active, or incorrect shared secret for API key.') },
    [
      'Stage crawl failed, at Coffee Tables:',
      '  listings/active: Etsy refused the API key (HTTP 403: API key not found or not active, or incorrect shared secret for API key.)',
      '  Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret into a file named .env beside pipeline.yaml, or into the environment.',
    ],
    'Get a key at https://www.etsy.com/developers/your-apps and put ETSY_API_KEY=keystring:shared_secret into a file named .env beside pipeline.yaml, or into the environment.',
  ),
  answered(
    'Etsy knows no such address',
    { status: 404, body: said('Resource not found') },
    [
      'Stage crawl failed, at Coffee Tables:',
      '  listings/active: HTTP 404: Resource not found',
      '  Check api: baseUrl in pipeline.yaml. If it is right, Etsy has changed, and sync-data must be updated.',
      '',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    REFUSED,
  ),
  answered(
    'the categories have another shape',
    { body: '{"count":0,"results":[]}' },
    [
      'Stage crawl failed:',
      '  seller-taxonomy/nodes: not a taxonomy: results: Too small: expected array to have >=1 items',
      '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
      '',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    GAVE_UP,
    {
      stages: CRAWL.replace('12371', 'Coffee Tables'),
    },
  ),
  answered(
    'a shop has another shape',
    'reset',
    [
      'Stage reconcile failed, at What the crawl did not show:',
      '  shops/9: not a shop record: record: Invalid input: expected object, received array',
      '  Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.',
      '',
      'Odd in this run:',
      '  the names of categories could not be had: once, for example not a taxonomy: results: Too small: expected array to have >=1 items: those known before are used; the next run asks again',
      '',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    GAVE_UP,
    {
      stages: AND_RECONCILE,
      answer: (url) => (url.includes('/shops/9') ? { body: '[]' } : { body: ONE }),
    },
  ),
  {
    when: 'Etsy answers all but one request',
    provoke: (folder) =>
      ending(folder, {
        stages: TWO_CATEGORIES,
        answer: (url) =>
          url.includes('=12372') ? { status: 500, body: said('Internal error') } : { body: ONE },
      }),
    text: [
      'Finished in <duration>.',
      '',
      'Odd in this run:',
      '  a page of the search could not be had (given up: HTTP 500: Internal error): once, for example taxonomy 12372 (End Tables), from 0.00 up: page 1: set aside after a second try; the next run asks again',
      '  the names of categories could not be had: once, for example not a taxonomy: results: Too small: expected array to have >=1 items: those known before are used; the next run asks again',
      '',
      'What failed and why: npx sync-data status',
      '',
      'The data:   etsy_data.db',
      'The log:    sync-data.log',
      'The report: report.html',
    ],
    next: 'What failed and why: npx sync-data status',
    exitCode: 0,
  },
  {
    when: 'Etsy cannot be reached for some seconds',
    provoke: (folder) =>
      lines(folder, /waiting until/, {
        answer: () => 'reset',
        firstBackoffMs: 2500,
        onText: (text) => {
          if (text.includes('waiting until')) void touchKill(folder.path);
        },
      }),
    text: [
      'sync-data: waiting until <time> (<duration>): no usable answer from the API since <time> UTC (listings/active: read ECONNRESET)',
    ],
    next: 'waiting until <time>',
  },
  {
    when: 'Etsy asks for a pause',
    provoke: (folder) =>
      lines(folder, /waiting until/, {
        answer: () => ({ status: 503, body: said('Maintenance'), headers: { 'retry-after': '86400' } }),
        onText: (text) => {
          if (text.includes('waiting until')) void touchKill(folder.path);
        },
      }),
    text: [
      'sync-data: waiting until <time> (<duration>): listings/active: HTTP 503: Maintenance (it asks for a pause of 1 d)',
    ],
    next: 'waiting until <time>',
  },
  {
    when: 'the daily quota is used up, and is to be waited for',
    provoke: (folder) =>
      lines(folder, /waiting until|stopping/, {
        answer: async () => {
          setTimeout(() => void touchKill(folder.path), 300);
          return {
            status: 429,
            body: said('Exceeded daily rate limit'),
            headers: { 'x-remaining-today': '0' },
          };
        },
      }),
    text: [
      'sync-data: waiting until <time> (<duration>): the daily quota is used up',
      'sync-data: stopping: the KILL file was found; finishing requests in flight',
    ],
    next: 'waiting until <time>',
  },
  {
    when: 'the daily quota is used up, and the run is to stop then',
    provoke: (folder) =>
      ending(folder, {
        api: { onQuota: 'stop' },
        answer: () => ({
          status: 429,
          body: said('Exceeded daily rate limit'),
          headers: { 'x-remaining-today': '0' },
        }),
      }),
    text: [
      'Stopped after <duration>: the daily quota is used up; calls return from <time>.',
      '  Crawl, Coffee Tables',
      '',
      'Everything up to there is saved. To resume: npx sync-data',
    ],
    next: 'Everything up to there is saved. To resume: npx sync-data',
    exitCode: 75,
  },
  {
    when: 'a stage fails that others need',
    provoke: async (folder) => {
      const { text } = await run(folder, {
        stages: AND_RECONCILE,
        answer: () => ({ status: 404, body: said('Resource not found') }),
      });
      const skipped = /^\S+ (reconcile: .+)$/m.exec(text)?.[1] ?? '';
      return { text: `${skipped}\n${/^The checkpoint[^]*/m.exec(text)?.[0] ?? ''}` };
    },
    text: [
      'reconcile: skipped: a stage it needs did not finish',
      'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ],
    next: 'The checkpoint is in <folder>/etsy_data.db. To resume: npx sync-data',
  },
];
