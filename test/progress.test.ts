import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

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

import { itemsPerSecond, observe, resume, startMeter, timeLeft } from '../lib/progress/meter.ts';

import { stageProgress } from '../lib/progress/stage.ts';
import { emptyView, reduce } from '../lib/progress/view.ts';
import { START, BEGINNING, emitAll, progress, unit } from './fixtures/screen-rig.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

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
