import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import type { Listener, RunEvent, StageState, UnitView } from '../lib/progress/events.ts';
import {
  clockTime,
  count,
  countdown,
  duration,
  estimate,
  oneLine,
  printable,
  plural,
  rate,
} from '../lib/text/format.ts';
import { openScreen } from '../lib/screen/index.ts';
import { openLive } from '../lib/screen/live.ts';
import { itemsPerSecond, observe, resume, startMeter, timeLeft } from '../lib/progress/meter.ts';
import { openPlain } from '../lib/screen/plain.ts';
import { stageProgress } from '../lib/progress/stage.ts';
import { emptyView, reduce } from '../lib/progress/view.ts';
import { FakeTerminal, GAUGES, settingFor, START, WoundClock } from './fixtures/screen-rig.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const BEGAN = clockTime(START - 754 * SECOND, START);

function unit(id: string, title: string, state: StageState = 'waiting', progress = {}): UnitView {
  return { id, title, state, progress };
}

const BEGINNING: readonly RunEvent[] = [
  { type: 'run', runId: 7, resumed: true, startedAt: START - 754 * SECOND },
  { type: 'stage', stage: 'crawl', state: 'running' },
  { type: 'units', stage: 'crawl', units: [unit('967', 'Dining Chairs'), unit('976', 'Dining Sets')] },
  { type: 'unit', stage: 'crawl', unit: '967', state: 'running' },
];

function emitAll(listen: Listener, events: readonly RunEvent[]): void {
  for (const event of events) listen(event);
}

function progress(done: number, total?: number, of = '967'): RunEvent {
  return {
    type: 'progress',
    stage: 'crawl',
    unit: of,
    progress: { done, ...(total !== undefined && { total }) },
  };
}

describe('words and figures', () => {
  it('writes numbers and durations as people do', () => {
    assert.deepEqual(
      [count(0), count(12_300), plural(1, 'unit'), plural(1_200, 'unit')],
      ['0', '12,300', '1 unit', '1,200 units'],
    );
    assert.deepEqual([0, 4.94, 9.96, 1_234, 0.05, 0.005].map(rate), [
      '0.0/s',
      '4.9/s',
      '10/s',
      '1,234/s',
      '3/min',
      '18/h',
    ]);
    const spans = [
      0,
      40 * SECOND,
      59.6 * SECOND,
      4 * MINUTE,
      59.6 * MINUTE,
      125 * MINUTE,
      23.999 * HOUR,
      76 * HOUR,
    ];
    assert.deepEqual(spans.map(duration), [
      '0 s',
      '40 s',
      '1 min',
      '4 min',
      '1 h',
      '2 h 5 min',
      '1 d',
      '3 d 4 h',
    ]);
  });

  it('is no more precise about the future than it can be', () => {
    const spans = [0, 41 * SECOND, 61 * SECOND, 121 * MINUTE, 10.2 * HOUR];
    assert.deepEqual(spans.map(estimate), ['5 s', '45 s', '2 min', '2 h 5 min', '11 h']);
    const clocks = [START + HOUR, START + 30 * HOUR, START - 20 * 24 * HOUR].map((at) =>
      clockTime(at, START),
    );
    assert.match(clocks.join(', '), /^\d\d:02 UTC, [A-Z][a-z]{2} \d\d:02 UTC, \d{1,2} Nov \d\d:02 UTC$/);
    assert.deepEqual([79_100, 59_000, 150_000].map(countdown), ['1 min 20 s', '59 s', '3 min']);
  });

  it('makes one harmless line of text from elsewhere', () => {
    assert.equal(printable('a\n\u001B[2Jb\r\u0007c\u202E\n'), 'a\nb c\n');
    assert.equal(oneLine(' a\r\n\tb\u001B[31m\u001B]0;title\u0007c\u200B\u202E '), 'a bc');
  });
});

describe('the estimate', () => {
  it('says nothing before it is meaningful', () => {
    let meter = startMeter(5_000, 0);
    assert.equal(itemsPerSecond(meter, 0), undefined);
    meter = observe(meter, 5_100, 10_000, 3_000);
    assert.deepEqual([itemsPerSecond(meter, 3_000), timeLeft(meter, 3_000)], [undefined, undefined]);
    meter = observe(meter, 5_200, 10_000, 6_000);
    assert.equal(Math.round(itemsPerSecond(meter, 6_000) ?? 0), 33);
    assert.equal(timeLeft(meter, 6_000), 144_000);
  });

  it('finds a steady pace, however lumpy the steps', () => {
    let meter = startMeter(0, 0);
    for (let at = 1; at <= 120; at += 1)
      meter = observe(meter, at * 100, 30_000, at * 1_000 - (at % 3) * 250);
    const pace = itemsPerSecond(meter, 120_000) ?? 0;
    assert.ok(Math.abs(pace - 100) < 2, String(pace));
    assert.ok(Math.abs((timeLeft(meter, 120_000) ?? 0) - 180_000) < 4_000);
  });

  it('does not jump when the pace halves at once', () => {
    let meter = startMeter(0, 0);
    let done = 0;
    let before: number | undefined;
    for (let at = 1; at <= 300; at += 1) {
      done += at < 60 ? 100 : 50;
      meter = observe(meter, done, 60_000, at * 1_000);
      const left = timeLeft(meter, at * 1_000);
      if (before !== undefined && left !== undefined)
        assert.ok(Math.abs(left - before) < 12_000, `${before} → ${left}`);
      before = left;
    }
    assert.ok(Math.abs((itemsPerSecond(meter, 300_000) ?? 0) - 50) < 1);
    assert.ok(Math.abs((before ?? 0) - ((60_000 - done) / 50) * 1_000) < 5_000);
  });

  it('counts down between steps, stands still in a silence, and gives up on a long one', () => {
    let meter = startMeter(0, 0);
    for (let at = 1; at <= 30; at += 1) meter = observe(meter, at * 10, 900, at * 1_000);
    const left = [30, 35, 45, 60, 151].map((at) => timeLeft(meter, at * 1_000));
    assert.deepEqual(
      left.map((value) => value && Math.round(value)),
      [60_000, 55_000, 45_000, 45_000, undefined],
    );
    assert.ok((itemsPerSecond(meter, 75_000) ?? 0) < 5);
  });

  it('does not count time spent waiting on purpose, nor work undone', () => {
    let meter = startMeter(0, 0);
    for (let at = 1; at <= 30; at += 1) meter = observe(meter, at * 10, 900, at * 1_000);
    const after = resume(meter, HOUR);
    assert.equal(Math.round(timeLeft(after, HOUR) ?? 0), 60_000);
    assert.equal(Math.round(itemsPerSecond(after, HOUR) ?? 0), 10);
    assert.equal(itemsPerSecond(observe(meter, 5, 900, 31_000), 31_000), undefined);
  });
});

describe('the view', () => {
  it('follows the events', () => {
    let view = emptyView([{ id: 'crawl', title: 'Crawl' }]);
    emitAll(
      (event) => (view = reduce(view, event, START)),
      [
        ...BEGINNING,
        progress(100, 300),
        { type: 'unit', stage: 'crawl', unit: '967', state: 'finished' },
        progress(40, 200, '976'),
        { type: 'hold', reason: 'quota', until: START + HOUR },
        { type: 'warning', message: 'careful' },
        { type: 'stopping', reason: 'KILL' },
      ],
    );
    const [crawl] = view.stages;
    assert.ok(crawl);
    assert.deepEqual(stageProgress(crawl), { done: 140, total: 500 });
    assert.deepEqual(
      crawl.rows.map(({ id, state }) => [id, state]),
      [
        ['967', 'finished'],
        ['976', 'running'],
      ],
    );
    assert.deepEqual([view.hold?.reason, view.warning?.message, view.stopping], ['quota', 'careful', 'KILL']);
    view = reduce(
      reduce(view, { type: 'released' }, START),
      { type: 'stage', stage: 'crawl', state: 'finished' },
      START,
    );
    assert.deepEqual([view.hold, view.stages[0]?.rows, view.stages[0]?.catalogue.size], [undefined, [], 0]);
    assert.deepEqual(stageProgress(view.stages[0] ?? crawl), { done: 140, total: 500 });
  });

  it('keeps of many units those under way and those that failed', () => {
    let view = emptyView([{ id: 'crawl', title: 'Crawl' }]);
    const units = Array.from({ length: 5_000 }, (_, index) => unit(String(index), `Unit ${index}`));
    view = reduce(view, { type: 'units', stage: 'crawl', units }, START);
    for (const [index, { id }] of units.slice(0, 1_000).entries()) {
      const state = index === 500 ? 'failed' : 'finished';
      view = reduce(view, { type: 'unit', stage: 'crawl', unit: id, state: 'running' }, START);
      view = reduce(view, progress(10, 10, id), START);
      view = reduce(view, { type: 'unit', stage: 'crawl', unit: id, state }, START);
    }
    const crawl = view.stages[0];
    assert.deepEqual(
      crawl?.rows.map(({ id }) => id),
      ['500'],
    );
    assert.deepEqual([crawl?.tally.finished, crawl?.tally.failed, crawl?.tally.waiting], [999, 1, 4_000]);
    assert.equal(crawl?.sum.done, 10_000);
  });

  it('changes nothing it was given', () => {
    const freeze = <T>(value: T): T => {
      if (typeof value === 'object' && value !== null && !Object.isFrozen(value))
        Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };
    const last = [...BEGINNING, progress(1, 2)].reduce(
      (view, event) => freeze(reduce(view, freeze(event), START)),
      freeze(emptyView([{ id: 'crawl', title: 'Crawl' }])),
    );
    assert.equal(last.stages[0]?.sum.done, 1);
  });
});

describe('the plain screen', () => {
  async function plain(play: (listen: Listener, clock: WoundClock) => Promise<void>): Promise<string[]> {
    const clock = new WoundClock();
    const terminal = new FakeTerminal(80);
    const screen = openPlain(settingFor(terminal, clock));
    await play(screen.listen, clock);
    await screen.close();
    assert.equal(clock.timers.size, 0);
    assert.equal(stripVTControlCharacters(terminal.written), terminal.written);
    return terminal.written.split('\n').slice(0, -1);
  }

  it('tells changes at once and progress at a sane pace', async () => {
    const lines = await plain(async (listen, clock) => {
      emitAll(listen, BEGINNING);
      for (let step = 1; step <= 50; step += 1) {
        await clock.advance(SECOND);
        listen(progress(step * 10, 1_000));
      }
      listen({ type: 'warning', stage: 'images', message: '3 images\nfailed \u001B[31m' });
      listen({ type: 'hold', reason: 'daily quota used up', until: clock.now() + 2 * HOUR });
      listen({ type: 'hold', reason: 'daily quota used up', until: clock.now() + 2 * HOUR });
      await clock.advance(2 * HOUR);
      listen({ type: 'released' });
      listen({ type: 'unit', stage: 'crawl', unit: '967', state: 'finished' });
      listen({ type: 'stopping', reason: 'KILL' });
      listen({ type: 'stage', stage: 'crawl', state: 'stopped', reason: 'KILL' });
    });
    assert.deepEqual(lines, [
      '2026-11-22T15:02:11Z sync-data: run 7 resumed',
      '2026-11-22T15:02:11Z crawl: started',
      '2026-11-22T15:02:11Z crawl: 2 parts',
      '2026-11-22T15:02:11Z crawl 967 Dining Chairs: started',
      '2026-11-22T15:02:17Z crawl 967 Dining Chairs: 50 of 1,000, 4.9 requests/s, 2 min left',
      '2026-11-22T15:02:47Z crawl 967 Dining Chairs: 350 of 1,000, 4.9 requests/s, 2 min left',
      '2026-11-22T15:03:01Z images: warning: 3 images failed',
      '2026-11-22T15:03:01Z sync-data: waiting until 2026-11-22T17:03:01Z (2 h): daily quota used up',
      '2026-11-22T15:03:17Z crawl 967 Dining Chairs: 500 of 1,000',
      '2026-11-22T17:03:01Z sync-data: resumed',
      '2026-11-22T17:03:01Z crawl 967 Dining Chairs: finished, 500 done',
      '2026-11-22T17:03:01Z sync-data: stopping: KILL; finishing requests in flight',
      '2026-11-22T17:03:01Z crawl: stopped: KILL',
    ]);
  });

  it('stays short, whatever happens', async () => {
    const lines = await plain(async (listen, clock) => {
      const units = Array.from({ length: 20_000 }, (_, index) => unit(String(index), `Unit ${index}`));
      emitAll(listen, [
        { type: 'stage', stage: 'crawl', state: 'running' },
        { type: 'units', stage: 'crawl', units },
      ]);
      for (const { id } of units.slice(0, 3_000)) {
        listen({ type: 'unit', stage: 'crawl', unit: id, state: 'running' });
        listen({ type: 'warning', stage: 'crawl', message: `about ${id}` });
        if (Number(id) % 50 === 0) await clock.advance(2 * SECOND);
        listen(progress(1, 1, id));
        listen({ type: 'unit', stage: 'crawl', unit: id, state: 'finished' });
      }
    });
    assert.ok(lines.length < 40, lines.join('\n'));
    assert.match(lines.at(-1) ?? '', /Z sync-data: 2,980 more warnings not shown; they are in the log$/);
    assert.ok(
      lines.some((line) => /crawl: 2,\d{3} of 20,000 done, /.test(line)),
      lines.join('\n'),
    );
  });

  it('is what a pipe, a CI log and a dumb terminal get', async () => {
    for (const [isTTY, env] of [
      [false, {}],
      [true, { CI: 'true' }],
      [true, { TERM: 'dumb' }],
    ] as const) {
      const terminal = Object.assign(new FakeTerminal(80), { isTTY });
      const screen = await openScreen({ ...settingFor(terminal, new WoundClock()), env });
      screen.listen({ type: 'warning', message: 'careful' });
      await screen.close();
      assert.match(terminal.written, /^\S+Z sync-data: warning: careful\n$/);
    }
  });
});

describe('the live screen', () => {
  async function live(
    terminal: FakeTerminal,
    play: (listen: Listener, clock: WoundClock) => Promise<void>,
    changes = {},
  ) {
    const clock = new WoundClock();
    const screen = await openLive(settingFor(terminal, clock, changes));
    await clock.advance(SECOND);
    await play(screen.listen, clock);
    await screen.close();
    assert.equal(clock.timers.size, 0);
  }

  it('shows the run', async () => {
    const terminal = new FakeTerminal(80);
    await live(terminal, async (listen, clock) => {
      emitAll(listen, BEGINNING);
      for (let step = 1; step <= 30; step += 1) {
        await clock.advance(SECOND);
        listen(progress(step * 100, 12_000));
      }
      listen({ type: 'warning', stage: 'images', message: '3 images failed' });
      await clock.advance(SECOND);
      assert.deepEqual(terminal.lines, [
        `sync-data  run 7 · resumed, began ${BEGAN} · 31 s`,
        '',
        '⠦ Crawl             3,000           0 of 2 done       100/s',
        '  ⠦ Dining Chairs   3,000 / 12,000  ━━━╸──────────    100/s  2 min left',
        '  · Dining Sets',
        '· Images',
        '· Verify',
        '',
        '  Etsy API  4.9 of 5/s · 1,204 in 24 h · 3,796 left, for 13 min',
        '  Images    58 on disk · 842 waiting · 3 failed',
        '⚠ images: 3 images failed',
        '  touch KILL or Ctrl-C to stop; nothing is lost',
      ]);
    });
  });

  it('leaves the last state and the terminal in order', async () => {
    const terminal = new FakeTerminal(80);
    const count = () => ['resize', 'error'].map((name) => terminal.listenerCount(name));
    const signals = () => ['SIGINT', 'SIGTERM', 'SIGCONT', 'exit'].map((name) => process.listenerCount(name));
    const before = [count(), signals()];
    await live(terminal, async (listen) => {
      emitAll(listen, [...BEGINNING, progress(100, 12_000), { type: 'stopping', reason: 'KILL' }]);
      listen({ type: 'unit', stage: 'crawl', unit: '967', state: 'stopped' });
      listen({ type: 'stage', stage: 'crawl', state: 'stopped', reason: 'KILL' });
    });
    assert.deepEqual([count(), signals()], before);
    assert.ok(terminal.written.startsWith('\u001B[?25l') && terminal.written.endsWith('\u001B[?25h'));
    assert.deepEqual(terminal.lines, [
      `sync-data  run 7 · resumed, began ${BEGAN} · 0 s`,
      '',
      '■ Crawl               100           KILL',
      '  ■ Dining Chairs     100 / 12,000',
      '· Images',
      '· Verify',
      '',
      '  Etsy API  4.9 of 5/s · 1,204 in 24 h · 3,796 left, for 13 min',
      '  Images    58 on disk · 842 waiting · 3 failed',
    ]);
  });

  it('never writes a line wider than the terminal, nor a frame taller', async () => {
    const title = fc.string({ unit: 'grapheme', maxLength: 60 });
    const events = fc.record({
      title,
      note: title,
      done: fc.nat(),
      total: fc.nat(),
      units: fc.integer({ min: 1, max: 30 }),
    });
    const size = fc.record({
      columns: fc.integer({ min: 4, max: 220 }),
      rows: fc.integer({ min: 3, max: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(events, size, async ({ title, note, done, total, units }, { columns, rows }) => {
        const terminal = new FakeTerminal(columns, rows);
        await live(terminal, async (listen, clock) => {
          emitAll(listen, BEGINNING);
          listen({
            type: 'units',
            stage: 'crawl',
            units: Array.from({ length: units }, (_, index) => unit(`u${index}`, title)),
          });
          listen({ type: 'progress', stage: 'crawl', unit: 'u0', progress: { done, total, note } });
          listen({ type: 'warning', message: note });
          listen({ type: 'hold', reason: title, until: START + HOUR });
          await clock.advance(SECOND);
          assert.ok(terminal.lines.length < Math.max(2, rows), terminal.lines.join('\n'));
        });
        const widest = Math.max(
          ...stripVTControlCharacters(terminal.written)
            .split(/[\r\n]/)
            .map((line) => stringWidth(line)),
        );
        assert.ok(widest < columns, terminal.written);
      }),
      { numRuns: 40 },
    );
  });

  it('repaints what changed, and all of it after a resize', async () => {
    const terminal = new FakeTerminal(120);
    await live(terminal, async (listen, clock) => {
      emitAll(listen, [...BEGINNING, progress(100, 12_000)]);
      await clock.advance(SECOND);
      terminal.written = '';
      await clock.advance(125);
      assert.equal(terminal.written.includes('Verify'), false);
      terminal.resize(60);
      await clock.advance(125);
      assert.equal(terminal.written.includes('Verify'), true);
    });
  });

  it('reads the gauges one at a time and keeps the last figures when it cannot', async () => {
    const terminal = new FakeTerminal(80);
    let calls = 0;
    let answer: () => void = () => undefined;
    const gauges = async () => {
      calls += 1;
      if (calls === 2) throw new Error('busy');
      if (calls === 3) await new Promise<void>((resolve) => (answer = resolve));
      return GAUGES;
    };
    await live(
      terminal,
      async (_, clock) => {
        await clock.advance(10 * SECOND);
        assert.equal(calls, 3);
        assert.ok(terminal.lines.includes('  Etsy API  4.9 of 5/s · 1,204 in 24 h · 3,796 left, for 13 min'));
        answer();
      },
      { gauges },
    );
  });

  it('does without Unicode and with colour', async () => {
    for (const env of [{ TERM: 'linux' }, { LANG: 'C' }]) {
      const terminal = new FakeTerminal(80);
      await live(terminal, async (listen) => emitAll(listen, [...BEGINNING, progress(1, 2)]), { env });
      assert.equal(Buffer.byteLength(terminal.written), terminal.written.length);
      assert.ok(terminal.written.includes('\u001B[36m'));
    }
  });
});
