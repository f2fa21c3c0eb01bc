import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pipeline } from '../lib/pipeline/config.ts';
import { Stopped } from '../lib/pipeline/stop.ts';
import { summary } from '../lib/run/summary.ts';
import type { SummaryOptions } from '../lib/run/summary.ts';
import { table } from '../lib/text/table.ts';
import type { Unusable } from '../lib/dataset/answers.ts';
import type { OddityCount } from '../lib/dataset/oddities.ts';
import type { Finding } from '../lib/dataset/findings.ts';
import { tellFindings, tellImages, tellListings, tellReviews } from '../lib/dataset/tells.ts';
import { merged } from '../lib/task/telling.ts';
import type { Tally } from '../lib/dataset/tally.ts';

const COUNTS: Tally = {
  listings: { new: 1_228, refreshed: 96_012, gone: 28 },
  entries: 1_400,
  before: 125,
  uncertain: 43,
  unrecognised: 4,
  shops: { new: 166, refreshed: 0 },
  reviews: { new: 1_915 },
  images: { done: 1_208, failed: 5, missing: 1, waiting: 0, none: 14 },
  findings: { open: 7, repaired: 1 },
  setAside: { met: 2, open: 1 },
};

/** What the stages say that ship. */
async function toldOf(
  counts: Tally,
  findings: readonly Finding[],
  isComplete = true,
  {
    oddities = [],
    unusable = [],
  }: { oddities?: readonly OddityCount[]; unusable?: readonly Unusable[] } = {},
): Promise<SummaryOptions['told']> {
  const all = async (text: string): Promise<never[]> =>
    (text.startsWith('SELECT kind, subject, detail')
      ? findings
      : text.includes('FROM oddities')
        ? oddities
        : text.includes('FROM answers')
          ? unusable
          : []) as never[];
  const context = {
    options: {},
    folder: '/data',
    services: { sql: { all, get: () => Promise.resolve(undefined) }, rules: { madeSince: 2000 } },
    run: { id: 7, startedAt: 0, isFinished: isComplete, isComplete },
    place: 'summary' as const,
    once: () => Promise.resolve(counts as never),
  };
  const tells = [tellListings, tellImages, tellListings, tellFindings, tellReviews];
  return merged(await Promise.all(tells.map((tell) => tell(context))));
}

const FINISHED: SummaryOptions = {
  pipeline: {
    rules: { madeSince: 2000, refreshAfter: 604_800 },
    stages: [{ id: 'crawl', task: { title: 'Crawl' } }],
    data: { database: '/data/etsy_data.db' },
  } as unknown as Pipeline,
  run: { id: 7, resumed: false, onlyStage: undefined, startedAt: 0 },
  outcome: { state: 'finished', failures: [], places: [], killed: [], left: [] },
  stopped: undefined,
  took: 47_000,
  told: await toldOf(COUNTS, [{ kind: 'missing-image', subject: '1203', detail: 'no image is\non record' }]),
  pace: { requests: 12_345, faults: 3, worstSecond: 5, perSecond: 4.8712, lastMs: 0 },
  describe: (error) => (error as Error).message,
  logFile: '/data/sync-data.log',
  cwd: '/data',
  width: 80,
};

const FIGURES = [
  '  listings    1,228 new          96,012 refreshed  28 gone',
  '  left out      125 before 2000      43 uncertain   4 unrecognised',
  '  shops         166 new               0 refreshed',
  '  reviews     1,915 new',
  '  images      1,208 on disk           6 failed     14 without one',
  '  findings        7 open              1 repaired',
  '  set aside       2 records           1 open',
  '  requests   12,345 sent           4.87 a second    5 at peak       3 failed',
];

function linesOf(changes: Partial<SummaryOptions>): string[] {
  const text = summary({ ...FINISHED, ...changes });
  assert.ok(text.startsWith('\n') && text.endsWith('\n'));
  return text.slice(1, -1).split('\n');
}

describe('the summary', () => {
  it('of a finished run has its figures one below the other, and where everything lies', () => {
    assert.deepEqual(linesOf({}), [
      'Finished in 47 s.',
      '',
      ...FIGURES,
      '',
      '  missing-image: 1203: no image is on record',
      '  and 6 more findings',
      '',
      'What failed and why: npx sync-data status',
      '',
      'The data:   etsy_data.db',
      'The log:    sync-data.log',
    ]);
  });

  it('has a figure a line where they do not fit beside each other', () => {
    const lines = linesOf({ width: 60 });
    assert.ok(lines.every((line) => line.length <= 60));
    assert.deepEqual(lines.slice(2, 8), [
      '  listings    1,228 new',
      '             96,012 refreshed',
      '                 28 gone',
      '  left out      125 before 2000',
      '                 43 uncertain',
      '                  4 unrecognised',
    ]);
  });

  it('of a stopped run says where it stands, what it has so far, and how to go on', async () => {
    const places = [
      {
        stage: 'crawl',
        unit: '967 (Furniture)',
        noun: 'listings',
        progress: { done: 12_345, total: 40_000 },
      },
    ];
    const lines = linesOf({
      outcome: { state: 'stopped', failures: [], places, killed: [], left: [] },
      stopped: new Stopped('kill', 'the KILL file was found'),
      run: { ...FINISHED.run, onlyStage: 'crawl' },
      told: await toldOf(
        {
          ...COUNTS,
          findings: { open: 0, repaired: 0 },
          setAside: { met: 0, open: 0 },
          images: { ...COUNTS.images, waiting: 8 },
        },
        [],
        false,
      ),
    });
    assert.deepEqual(lines.slice(0, 3), [
      'Stopped after 47 s: the KILL file was found.',
      '  Crawl, Furniture: 12,345 of 40,000 listings',
      '',
    ]);
    assert.deepEqual(lines.slice(-2), [
      '',
      'Everything up to there is saved. To resume: npx sync-data --stage crawl',
    ]);
    assert.ok(lines.some((line) => /images .+8 waiting$/.test(line)));
    assert.equal(
      lines.some((line) => /findings|set aside/.test(line)),
      false,
    );
  });

  it('of a failed run says why, also when nothing can be counted any more', () => {
    const error = new Error('etsy_data.db: the disk is full\nFree some space.');
    const lines = linesOf({
      outcome: {
        state: 'failed',
        failures: [{ stage: 'crawl', unit: '967', error }],
        places: [],
        killed: [],
        left: [],
      },
      told: undefined,
      pace: undefined,
    });
    assert.deepEqual(lines, [
      'Stage crawl failed, at 967:',
      '  etsy_data.db: the disk is full',
      '  Free some space.',
      '',
      'The checkpoint is in /data/etsy_data.db. To resume: npx sync-data',
      'The full error is in sync-data.log.',
    ]);
  });
});

describe('a table of figures', () => {
  it('has nothing where there is nothing', () => {
    assert.deepEqual(table([], 80), []);
  });

  it('says in a line each what was odd, how often, and what became of it', async () => {
    const odd = { what: 'listings/active: item_weight was of another type', became: 'read all the same' };
    const oddities = Array.from({ length: 10 }, (_, index) => ({
      ...odd,
      what: index < 2 ? odd.what : `${odd.what} (${index})`,
      n: index === 0 ? 60 : 1,
      endpoint: null,
      field: null,
      example: index === 0 ? '"0.5"' : null,
    }));
    const lines = linesOf({ told: await toldOf(COUNTS, [], true, { oddities }) });
    const at = lines.indexOf('Odd in this run:');
    assert.deepEqual(lines.slice(at + 1, at + 3), [
      `  ${odd.what}: 60 times, for example "0.5": ${odd.became}`,
      `  ${odd.what}: once: ${odd.became}`,
    ]);
    assert.equal(lines[at + 9], '  and 2 more: npx sync-data status');
  });

  it('of a run most of whose records could not be used names the endpoint and what was wrong', async () => {
    const some = {
      endpoint: 'listings/active',
      usable: 2,
      unusable: 58,
      refused: 0,
      reason: 'price: is missing',
    };
    const lines = linesOf({ told: await toldOf(COUNTS, [], true, { unusable: [some] }) });
    assert.deepEqual(lines.slice(0, 2), [
      'Finished in 47 s, but most of what an endpoint sent could not be used.',
      '  listings/active: 58 of 60 records were set aside (price: is missing)',
    ]);
  });
});
