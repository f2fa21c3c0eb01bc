import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { StageTitle } from '../lib/progress/stage.ts';
import type { Api, Gauges, Listener, RunEvent, UnitView } from '../lib/progress/events.ts';
import { lasts, withQuota } from '../lib/screen/budget.ts';
import { gaugeReader } from '../lib/screen/gauge-reader.ts';
import { openLive } from '../lib/screen/live.ts';
import { itemsPerSecond, observe, startMeter, timeLeft } from '../lib/progress/meter.ts';
import { openPlain } from '../lib/screen/plain.ts';
import { themeFor, wrap } from '../lib/screen/theme.ts';
import { FakeTerminal, API, GAUGES, settingFor, START, WoundClock } from './fixtures/screen-rig.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STAGES: readonly StageTitle[] = [
  { id: 'crawl', title: 'Crawl', spends: 'requests' },
  { id: 'images', title: 'Images', alongside: ['crawl'] },
  { id: 'verify', title: 'Verify', spends: 'requests', needs: ['crawl', 'images'] },
  { id: 'reviews', title: 'Reviews', spends: 'requests', needs: ['verify'] },
];

function unit(id: string, title: string, noun: string): UnitView {
  return { id, title, noun, state: 'waiting', progress: {} };
}

const BEGINNING: readonly RunEvent[] = [
  { type: 'run', runId: 7, resumed: false, startedAt: START },
  { type: 'stage', stage: 'crawl', state: 'running' },
  { type: 'units', stage: 'crawl', units: [unit('967', 'Furniture', 'listings')] },
  { type: 'unit', stage: 'crawl', unit: '967', state: 'running' },
  { type: 'stage', stage: 'images', state: 'running' },
  { type: 'units', stage: 'images', units: [unit('queue', 'Images', 'images')] },
  { type: 'unit', stage: 'images', unit: 'queue', state: 'running' },
];

function crawled(done: number): RunEvent {
  return { type: 'progress', stage: 'crawl', unit: '967', progress: { done, total: 40_000 } };
}

function downloaded(done: number): RunEvent {
  return { type: 'progress', stage: 'images', unit: 'queue', progress: { done } };
}

/** What the terminal shows after a minute of crawling and whatever else is played. */
async function shown(
  columns: number,
  play: (listen: Listener, clock: WoundClock) => Promise<void> | void,
  gauges: Gauges = GAUGES,
): Promise<readonly string[]> {
  const terminal = new FakeTerminal(columns);
  const clock = new WoundClock();
  const setting = { ...settingFor(terminal, clock), stages: STAGES, gauges: async () => gauges };
  const screen = await openLive(setting);
  for (const event of BEGINNING) screen.listen(event);
  for (let second = 1; second <= 60; second += 1) {
    await clock.advance(SECOND);
    screen.listen(crawled(second * 200));
    screen.listen(downloaded(second * 3));
  }
  await play(screen.listen, clock);
  await clock.advance(SECOND);
  const lines = terminal.lines;
  await screen.close();
  return lines;
}

function rows(lines: readonly string[]): readonly string[] {
  return lines.slice(2, 2 + STAGES.length).map((line) => line.replace(/^\S /, ''));
}

describe('a row of the live screen', () => {
  it('says what its figures count, what it waits for, and how long it takes', async () => {
    assert.deepEqual(rows(await shown(100, () => undefined)), [
      'Crawl     12,000 / 40,000 listings  ━━━━╸──────────  30 %    200/s  3 min left',
      'Images       180 images                                      3.0/s',
      'Verify                              after Crawl, Images',
      'Reviews                             after Verify',
    ]);
  });

  it('says of a stage with nothing to do whom it waits for', async () => {
    const lines = await shown(100, async (listen, clock) => {
      for (let second = 61; second <= 66; second += 1) {
        await clock.advance(SECOND);
        listen(crawled(second * 200));
      }
    });
    assert.equal(rows(lines)[1], 'Images       180 images             waits for Crawl');
  });

  it('says during a wait that it waits, and not how fast it is', async () => {
    const lines = await shown(100, async (listen, clock) => {
      listen({ type: 'hold', reason: 'the daily quota is used up', until: clock.now() + 2 * HOUR });
      for (let second = 61; second <= 66; second += 1) {
        await clock.advance(SECOND);
        listen(downloaded(second * 3));
      }
    });
    assert.match(lines[2] ?? '', /^‖ Crawl {5}12,000 \/ 40,000 listings {2}━+╸─+ {2}30 %$/);
    assert.match(lines[3] ?? '', /^[^‖] Images {7}198 images +3\.0\/s$/);
    assert.match(lines.at(-2) ?? '', /^‖ next try in 2 h \(.+\) · the daily quota is used up$/);
  });

  it('says of a stage that can no longer start that it will be skipped', async () => {
    const lines = await shown(100, (listen) => {
      listen({ type: 'unit', stage: 'crawl', unit: '967', state: 'failed' });
      listen({
        type: 'stage',
        stage: 'crawl',
        state: 'failed',
        reason: 'listings/active: HTTP 403: no such key',
      });
    });
    assert.deepEqual(
      rows(lines)
        .slice(2)
        .map((row) => row.replace(/ +/, ' ')),
      ['Verify will be skipped', 'Reviews will be skipped'],
    );
    assert.equal(lines.at(-2), '✖ crawl failed: listings/active: HTTP 403: no such key');
  });
});

describe('the foot of the live screen', () => {
  const long =
    'no usable answer from the API since 14:58:02 UTC (listings/active: HTTP 503: upstream connect error)';

  it('takes a second line for what is too long for one, and leaves out what is not needed', async () => {
    const gauges: Gauges = {
      api: API,
      figures: [
        {
          label: 'Images',
          facts: [
            { text: '1,208,000 on disk' },
            { text: '301,000 waiting' },
            { text: '3 failed', isAlarm: true },
            { text: '8.4 GB', isSpare: true },
          ],
        },
      ],
    };
    const play = (listen: Listener, clock: WoundClock) => {
      listen({ type: 'warning', stage: 'crawl', message: long });
      listen({ type: 'hold', reason: long, until: clock.now() + 30_000 });
    };
    const wide = (await shown(140, play, gauges)).slice(7);
    const narrow = (await shown(60, play, gauges)).slice(7);
    const time = /\(.+?\)/;
    assert.deepEqual(
      wide.map((line) => line.replace(/in 29 s \(.+?\)/, 'in 29 s (…)')),
      [
        '  Etsy API  4.9 of 5/s · 1,204 in 24 h · 3,796 left, for 13 min',
        '  Images    1,208,000 on disk · 301,000 waiting · 3 failed · 8.4 GB',
        `⚠ crawl: ${long}`,
        `‖ next try in 29 s (…) · ${long}`,
        '  touch KILL or Ctrl-C to stop; nothing is lost',
      ],
    );
    assert.deepEqual(
      narrow.map((line) => line.replace(time, '(…)')),
      [
        '  Etsy API  4.9 of 5/s · 3,796 left, for 13 min',
        '  Images    1,208,000 on disk · 301,000 waiting · 3 failed',
        '⚠ crawl: no usable answer from the API since 14:58:02 UTC',
        '  (…)',
        '‖ next try in 29 s (…)',
        '  no usable answer from the API since 14:58:02 UTC',
        '  (…)',
        '  touch KILL or Ctrl-C to stop; nothing is lost',
      ],
    );
  });

  it('says when calls come back once few are left', async () => {
    const backAt = START + 2 * HOUR;
    const few = { ...GAUGES, api: { ...API, leftToday: 40, backAt } };
    const enough = { ...GAUGES, api: { ...API, leftToday: 98_000, backAt } };
    assert.match(
      (await shown(140, () => undefined, few))[7] ?? '',
      /40 left, for 10 s · calls back from \d\d:02 UTC$/,
    );
    assert.match((await shown(140, () => undefined, enough))[7] ?? '', /98,000 left$/);
  });
});

describe('the head of the live screen', () => {
  it('says how long the whole run takes, once that is known', async () => {
    const head = async (toGo?: Gauges['toGo']): Promise<string> =>
      (await shown(100, () => undefined, { ...GAUGES, toGo }))[0] ?? '';
    const until = START + 4 * DAY;
    assert.match(await head({ until, isQuota: true }), / · 1 min · about 4 d to go at today's quota$/);
    assert.match(await head({ until: START + 20 * MINUTE, isQuota: false }), / · about \d\d min to go$/);
    assert.match(await head(), / · 1 min$/);
  });

  it('has at its end what is true then, however lately it was read', async () => {
    const terminal = new FakeTerminal(100);
    const clock = new WoundClock();
    const asked: (boolean | undefined)[] = [];
    const gauges = async (isLast?: boolean): Promise<Gauges> => {
      asked.push(isLast);
      return GAUGES;
    };
    const screen = await openLive({ ...settingFor(terminal, clock), stages: STAGES, gauges });
    await clock.advance(SECOND);
    await screen.close();
    assert.equal(asked.at(-1), true);
    assert.ok(asked.slice(0, -1).every((isLast) => isLast !== true));
  });
});

describe('the estimate over the day’s calls', () => {
  const api: Api = { ...API, usedToday: 1_000, leftToday: 4_000 };

  it('is the work’s where the calls suffice, and the quota’s where they do not', () => {
    assert.equal(withQuota(10 * MINUTE, 5, api), 10 * MINUTE);
    assert.equal(withQuota(10 * HOUR, undefined, api), 10 * HOUR);
    // 180,000 requests: 4,000 now, then 5,000 a day.
    assert.equal(withQuota(10 * HOUR, 5, api), (176_000 / 5_000) * DAY);
    assert.equal(withQuota(10 * HOUR, 5, { ...api, leftToday: undefined }), 10 * HOUR);
    assert.equal(lasts(5, api), 800 * SECOND);
    assert.equal(lasts(undefined, api), undefined);
  });

  it('goes by a rate that neither a pause nor a slow start moves', async () => {
    const speeds = [
      0.2,
      ...Array.from({ length: 100 }, () => 4.9),
      ...Array.from({ length: 50 }, () => 0),
      3,
    ];
    const rates: number[] = [];
    const reader = gaugeReader(async () => ({
      ...GAUGES,
      api: { ...API, perSecond: speeds[rates.length] ?? 0 },
    }));
    for (const _ of speeds) {
      await reader.read();
      rates.push(reader.apiRate() ?? 0);
    }
    assert.ok((rates[20] ?? 0) > 4.6, String(rates[20]));
    assert.equal(rates[150], rates[101]);
    assert.ok((rates[151] ?? 0) > 4.8, String(rates[151]));
  });

  it('is not thrown by a machine that slept', () => {
    let meter = startMeter(0, 0);
    for (let at = 1; at <= 60; at += 1) meter = observe(meter, at * 10, 9_000, at * SECOND);
    const before = timeLeft(meter, MINUTE) ?? 0;
    meter = observe(meter, 610, 9_000, MINUTE + 8 * HOUR);
    assert.equal(Math.round(itemsPerSecond(meter, MINUTE + 8 * HOUR) ?? 0), 10);
    assert.ok(Math.abs((timeLeft(meter, MINUTE + 8 * HOUR) ?? 0) - before) < 2 * SECOND);
  });
});

describe('signs', () => {
  const theme = (env: NodeJS.ProcessEnv) => themeFor(new FakeTerminal(80).stream, env);

  it('have colours where they are wanted and can be shown', () => {
    const isColoured = (env: NodeJS.ProcessEnv) => theme(env).style('red', 'x') !== 'x';
    assert.deepEqual(
      [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '1', NO_COLOR: '1' }, { FORCE_COLOR: '0' }].map(isColoured),
      [true, false, true, false],
    );
  });

  it('are plain where there is no Unicode', () => {
    const dot = (env: NodeJS.ProcessEnv) => theme(env).dot;
    assert.deepEqual([{}, { LANG: 'C' }, { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, { TERM: 'linux' }].map(dot), [
      '·',
      '|',
      '|',
      '|',
    ]);
  });

  it('are plain on the old console of Windows', () => {
    const dot = (env: NodeJS.ProcessEnv) => themeFor(new FakeTerminal(80).stream, env, 'win32').dot;
    assert.deepEqual([{}, { WT_SESSION: 'x' }, { TERM_PROGRAM: 'vscode' }].map(dot), ['|', '·', '·']);
  });

  it('break lines between words', () => {
    assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrap('椅子 椅子 x', 9), ['椅子 椅子', 'x']);
    assert.deepEqual(wrap('extraordinary', 5), ['extraordinary']);
  });
});

describe('the plain screen', () => {
  it('of a run of days is still to be read', async () => {
    const clock = new WoundClock();
    const terminal = new FakeTerminal(80);
    const screen = openPlain({ ...settingFor(terminal, clock), stages: STAGES });
    for (const event of BEGINNING) screen.listen(event);
    for (let minute = 1; minute <= 3 * 24 * 60; minute += 1) {
      await clock.advance(MINUTE);
      screen.listen(crawled(minute));
    }
    await screen.close();
    const lines = terminal.written.trimEnd().split('\n');
    assert.equal(stripVTControlCharacters(terminal.written), terminal.written);
    assert.ok(lines.length > 500 && lines.length < 1000, String(lines.length));
    assert.match(
      lines.at(-1) ?? '',
      /crawl: 4,3\d\d of 40,000 listings, 4\.9 requests\/s, \d+ d \d+ h left$/,
    );
  });
});
