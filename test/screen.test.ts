import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import type { Listener } from '../lib/progress/events.ts';
import { clockTime } from '../lib/text/format.ts';
import { openScreen } from '../lib/screen/index.ts';
import { openLive } from '../lib/screen/live.ts';

import { openPlain } from '../lib/screen/plain.ts';

import {
  FakeTerminal,
  GAUGES,
  settingFor,
  START,
  WoundClock,
  BEGINNING,
  emitAll,
  progress,
  unit,
} from './fixtures/screen-rig.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const BEGAN = clockTime(START - 754 * SECOND, START);

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
