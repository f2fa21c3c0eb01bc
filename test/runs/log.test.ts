import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Log, fullText } from '../../lib/log/file.ts';
import { logEvents } from '../../lib/log/events.ts';
import type { RunEvent } from '../../lib/progress/events.ts';
import { WoundClock } from '../fixtures/screen-rig.ts';
import { withRig } from '../rig.ts';

type Line = Record<string, unknown> & { readonly event: string };

async function linesOf(path: string): Promise<Line[]> {
  const text = await readFile(path, 'utf8');
  assert.ok(text.endsWith('\n'));
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

let folder: string;
let path: string;
const logs: Log[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sync-data-log-'));
  path = join(folder, 'sync-data.log');
});
after(() => rm(folder, { recursive: true }));

async function withLog(
  options: { maxBytes?: number },
  test: (log: Log) => Promise<void> | void,
): Promise<void> {
  await rm(path, { recursive: true, force: true });
  const log = new Log({ path, redact: (text) => text.replaceAll('keystring', '[key]'), ...options });
  logs.push(log);
  try {
    await test(log);
  } finally {
    log.end(0);
  }
}

describe('the run log', () => {
  it('is a JSON object a line, without the key and without what moves a cursor', () =>
    withLog({}, async (log) => {
      log.write('start', { pid: 7 });
      log.runId = 3;
      log.write('warning', { message: 'a "keystring"\u001B[2J\u009Bx\nb', deep: { of: ['keystring'] } });
      const lines = await linesOf(path);
      assert.deepEqual(
        lines.map(({ time, ...rest }) => rest),
        [
          { run: null, event: 'start', pid: 7 },
          { run: 3, event: 'warning', message: 'a "[key]" x\nb', deep: { of: ['[key]'] } },
        ],
      );
      assert.ok(lines.every(({ time }) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(time))));
    }));

  it('is put aside when it has grown large, and the oldest is given up', () =>
    withLog({ maxBytes: 1000 }, async (log) => {
      for (let index = 0; index < 100; index += 1) log.write('warning', { index });
      const names = (await readdir(folder)).toSorted();
      assert.deepEqual(names, [
        'sync-data.1.log',
        'sync-data.2.log',
        'sync-data.3.log',
        'sync-data.4.log',
        'sync-data.log',
      ]);
      const kept = await Promise.all(
        [...names.slice(0, 4).toReversed(), 'sync-data.log'].map((name) => linesOf(join(folder, name))),
      );
      const indexes = kept.flat().map(({ index }) => index);
      assert.deepEqual(
        indexes,
        Array.from({ length: indexes.length }, (_, at) => 100 - indexes.length + at),
      );
    }));

  it('stops nothing when it cannot be written, says so once, and what is missing once it can be again', () =>
    withLog({}, async (log) => {
      await mkdir(path);
      const told: string[] = [];
      log.write('start');
      log.onProblem((problem) => told.push(problem));
      log.write('warning');
      assert.equal(told.length, 1);
      assert.match(told[0] ?? '', /^cannot write the log: .+ is a folder, not a file/);
      await rmdir(path);
      log.write('warning');
      assert.deepEqual(
        (await linesOf(path)).map(({ event, linesLost }) => [event, linesLost]),
        [
          ['log', 2],
          ['warning', undefined],
        ],
      );
    }));

  it('is not begun anew where its folder was moved away and another is there', async () => {
    const home = join(await mkdtemp(join(tmpdir(), 'log-')), 'data');
    await mkdir(home);
    const log = new Log({ path: join(home, 'sync-data.log'), redact: (text) => text });
    let problem = '';
    log.onProblem((said) => (problem = said));
    log.write('one');
    await rename(home, `${home} moved`);
    await mkdir(home);
    log.write('two');
    log.end(1);
    assert.match(problem, /data was replaced by another folder; the run continues without it$/);
    assert.deepEqual(await readdir(home), []);
    await rm(dirname(home), { recursive: true });
  });

  it('has errors with their causes', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const text = fullText(new Error('no answer', { cause }));
    assert.match(
      text,
      /^Error: no answer\n {4}at .+\[cause\]: Error: connect ECONNREFUSED\n.+code: 'ECONNREFUSED'/s,
    );
  });

  it('tells changes at once, progress once a minute, and no request of its own', () =>
    withLog({}, async (log) => {
      const clock = new WoundClock();
      const stages = [{ id: 'crawl', title: 'Crawl' }];
      let asked = 0;
      const news = async (isLast: boolean) => [['requests', { asked: (asked += 1), isLast }]] as const;
      const { listen, close } = logEvents({ log, stages, news, clock });
      const units = ['12', '34'].map(
        (id) => ({ id, title: `Chairs ${id}`, state: 'waiting', progress: {} }) as const,
      );
      const events: RunEvent[] = [
        { type: 'stage', stage: 'crawl', state: 'running' },
        { type: 'units', stage: 'crawl', units },
        { type: 'unit', stage: 'crawl', unit: '12', state: 'running' },
      ];
      for (const event of events) listen(event);
      for (let second = 1; second <= 150; second += 1) {
        await clock.advance(1000);
        listen({ type: 'progress', stage: 'crawl', unit: '12', progress: { done: second, total: 900 } });
      }
      listen({ type: 'hold', reason: 'quota', until: clock.now() + 5000 });
      await clock.advance(5000);
      listen({ type: 'released' });
      listen({ type: 'stage', stage: 'crawl', state: 'failed', reason: 'HTTP 500' });
      await close();
      const lines = (await linesOf(path)).map(({ time, run, ...rest }) => rest);
      assert.deepEqual(lines, [
        { event: 'stage', stage: 'crawl', state: 'running' },
        { event: 'units', stage: 'crawl', units: 2, finishedBefore: 0 },
        { event: 'unit', stage: 'crawl', unit: '12', state: 'running', title: 'Chairs 12' },
        { event: 'progress', stage: 'crawl', done: 59, units: [{ unit: '12', done: 59, total: 900 }] },
        { event: 'requests', asked: 1, isLast: false },
        { event: 'progress', stage: 'crawl', done: 119, units: [{ unit: '12', done: 119, total: 900 }] },
        { event: 'requests', asked: 2, isLast: false },
        { event: 'hold', reason: 'quota', until: '2026-11-22T15:04:46.000Z' },
        { event: 'released', waitedMs: 5000 },
        { event: 'stage', stage: 'crawl', state: 'failed', reason: 'HTTP 500', done: 150, tookMs: 155_000 },
        { event: 'requests', asked: 3, isLast: true },
      ]);
    }));
});

describe('the log of a run', () => {
  it('tells afterwards what happened in it', () =>
    withRig({ withoutImages: true }, async (rig) => {
      await rig.market.setFaults({
        script: [
          { path: '/listings/active', fault: 'error503', times: 2 },
          { path: '/reviews', fault: 'badRecord', times: 4 },
        ],
      });
      assert.equal((await rig.run()).code, 0);
      const lines = await linesOf(rig.path('sync-data.log'));
      assert.deepEqual(
        [lines[0]?.event, lines.at(-1)?.event, lines.at(-1)?.['exitCode']],
        ['start', 'end', 0],
      );
      const of = (event: string) => lines.filter((line) => line.event === event);
      assert.deepEqual(
        of('stage')
          .filter(({ state }) => state === 'finished')
          .map(({ stage }) => stage)
          .toSorted(),
        ['crawl', 'reconcile', 'reviews', 'verify'],
      );
      const requests = of('requests').map((line) => line['requests'] as number);
      assert.equal(
        requests.reduce((sum, n) => sum + n, 0),
        (await rig.requests()).length,
      );
      assert.deepEqual(of('requests').at(-1)?.['faults'], { 503: 2 });
      assert.match(JSON.stringify(of('set-aside')), /shops\/\d+\/reviews/);
      const counts = of('summary')[0]?.['counts'] as { listings: { new: number } };
      assert.equal(counts.listings.new, await rig.number('SELECT count(*) AS n FROM listings'));
    }));

  it('has the whole text of a failure, and not the key', () =>
    withRig({ withoutImages: true }, async (rig) => {
      await writeFile(rig.path('.env'), 'ETSY_API_KEY=wrongkeystring:wrongsecret\n');
      assert.equal((await rig.run()).code, 1);
      const text = await readFile(rig.path('sync-data.log'), 'utf8');
      const failure = (await linesOf(rig.path('sync-data.log'))).find(({ event }) => event === 'failure');
      assert.match(String(failure?.['error']), /HTTP 403: API key not found.+\n {4}at /s);
      assert.equal(text.includes('wrongkeystring'), false);
      assert.match(text, /"event":"end","exitCode":1\}\n$/);
    }));

  it('that cannot be written stops nothing', () =>
    withRig({ withoutImages: true }, async (rig) => {
      await mkdir(rig.path('sync-data.log'));
      const { code, stdout } = await rig.run();
      assert.equal(code, 0);
      assert.equal(stdout.match(/warning: cannot write the log: .+ is a folder, not a file/g)?.length, 1);
      assert.ok(existsSync(rig.path('sync-data.log')));
    }));
});
