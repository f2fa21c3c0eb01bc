import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { ReportPage, plain } from '../report-page.ts';
import { change, report, SmallWorld } from '../report-rig.ts';
import { Rig, START } from '../rig.ts';

const small = new SmallWorld();

describe('the report of what a run noted', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.open({ beside: small.market });
    await change(rig, async (tx) => {
      for (const [id, began, ended, stage] of [
        [1, 0, 7_200_000, null],
        [2, 86_400_000, 90_000_000, 'reviews'],
        [3, 172_800_000, null, null],
      ] as const) {
        await tx.run('INSERT INTO runs (id, only_stage, started_at, finished_at) VALUES (?, ?, ?, ?)', [
          id,
          stage,
          START + began,
          ended === null ? null : START + ended,
        ]);
      }
      const counts = {
        listings: { new: 1200, refreshed: 5, gone: 7 },
        reviews: { new: 31 },
        images: { done: 1190 },
      };
      for (const [run, began, ended, outcome, requests, faults, noted] of [
        [1, 0, 600_000, 'stopped', 2000, 3, '{"listings":{"new":900}}'],
        // Killed: what the ledger knew of it was filled in later, its end was not.
        [1, 700_000, null, null, 400, 1, null],
        [1, 3_600_000, 7_200_000, 'finished', 10_000, 9, JSON.stringify(counts)],
        [2, 86_400_000, 90_000_000, 'finished', 17_000, 0, 'no JSON'],
        [3, 172_800_000, null, null, null, null, null],
      ] as const) {
        await tx.run(
          `INSERT INTO starts (run_id, started_at, ended_at, outcome, requests, faults, counts) VALUES (?, ?, ?, ?, ?, ?, ?)`,
          [run, START + began, ended === null ? null : START + ended, outcome, requests, faults, noted],
        );
      }
      for (const [run, kind, subject, repaired] of [
        [1, 'missing-image', '12', 0],
        [1, 'missing-image', '13', 1],
        [1, 'missing-shop', '9', 1],
        [0, 'missing-shop', 'of an earlier run', 0],
      ] as const) {
        await tx.run(
          'INSERT INTO findings (run_id, kind, subject, detail, repaired) VALUES (?, ?, ?, ?, ?)',
          [run, kind, subject, 'what was found', repaired],
        );
      }
      for (const [reason, settled] of [
        ['no listing_id', null],
        ['no price', START / 1000],
      ] as const) {
        await tx.run(
          'INSERT INTO set_aside (run_id, at, endpoint, reason, raw, tries, settled_at) VALUES (1, ?, ?, ?, ?, 2, ?)',
          [START / 1000, 'listings/active', reason, '{"secret":"raw"}', settled],
        );
      }
    });
  });
  after(() => rig.close());

  it('adds up the starts of each run', async () => {
    const page = await report(rig);
    page.assertSound();
    const [third, second, first] = page.table('Runs, newest first');
    assert.deepEqual(first, {
      Run: '1',
      Began: '20 Aug 2026, 09:00',
      Ended: '20 Aug 2026, 11:00',
      'At work': '1 h 10 min',
      Requests: '12,400',
      Rate: '2.9/s',
      Faults: '13',
      New: '1,200',
      Gone: '7',
      Reviews: '31',
      'Images on disk': '1,190',
    });
    assert.equal(second?.['Run'], '2 reviews alone');
    assert.equal(second['New'], '–');
    assert.equal(third?.['Ended'], 'not yet');
    assert.equal(third['Requests'], '–');
    assert.match(plain(page.part('runs')), /Of 3 runs 1 went through all stages/);
  });

  it('has the findings of the last complete run, and what is set aside', async () => {
    const page = await report(rig);
    assert.deepEqual(page.table('Findings by kind'), [
      { Kind: 'missing-image', Open: '1', Repaired: '1' },
      { Kind: 'missing-shop', Open: '0', Repaired: '1' },
    ]);
    assert.deepEqual(page.table('Open findings'), [
      { Kind: 'missing-image', About: '12', 'What was found': 'what was found' },
    ]);
    assert.deepEqual(page.table('Open records'), [
      {
        'Asked for at': 'listings/active',
        'Why it was set aside': 'no listing_id',
        When: '20 Aug 2026, 09:00',
        Times: '2',
      },
    ]);
    assert.match(
      plain(page.part('set-aside')),
      /1 record that could not be used is open.+1 from before has since/,
    );
    assert.ok(!page.text.includes('secret'));
  });
});

describe('a run of all stages', () => {
  it('ends with a report; a stage alone does not', () =>
    small.beside(async (rig) => {
      const alone = await rig.run({ stage: 'crawl' });
      assert.equal(alone.code, 0, alone.stderr);
      assert.ok(!(await readdir(rig.folder)).includes('report.html'));
      assert.doesNotMatch(alone.stdout, /report/);

      const whole = await rig.run({ report: true });
      assert.equal(whole.code, 0, whole.stderr);
      assert.match(
        whole.stdout,
        /\nThe data: {3}etsy_data\.db\nThe log: {4}sync-data\.log\nThe report: report\.html\n$/,
      );
      const page = new ReportPage(await readFile(rig.path('report.html'), 'utf8'));
      page.assertSound();
      assert.match(page.words, /Last complete run 20 Aug/);
      assert.doesNotMatch(page.text, /is not finished/);
    }));

  it('is complete all the same where the report cannot be written', () =>
    small.beside(async (rig) => {
      await mkdir(rig.path('report.html'));
      const { code, stdout, stderr } = await rig.run({ report: true });
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /\nFinished in /);
      assert.match(
        stdout,
        /\nThe report could not be written\. The run itself is complete\.\n.+report\.html: .+\n.+\nTo try again: npx sync-data report\n$/,
      );
      assert.ok((await stat(rig.path('report.html'))).isDirectory());
      assert.equal(await rig.number('SELECT count(*) AS n FROM runs WHERE finished_at IS NOT NULL'), 1);
    }));
});

it('a word that is none is refused, and the one that was meant is told', () =>
  small.beside(async (rig) => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await rig.run({ qps: 'exact', args });
      assert.equal(code, 2);
      assert.equal(stdout, '');
      return stderr;
    };
    assert.match(
      await refused('reprot'),
      /^sync-data: unknown command "reprot" \(did you mean report\?\); the commands are: .*\breport\b.*\n.+--help\n$/,
    );
    assert.doesNotMatch(await refused('constructor'), /did you mean/);
    assert.match(await refused('report', 'now'), /report, now/);
    assert.match(await refused('report', '--stage', 'crawl'), /--stage/);
  }));
