import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bars } from '../lib/report/charts/bars.ts';
import { columns } from '../lib/report/charts/columns.ts';
import type { Stack } from '../lib/report/charts/columns.ts';
import { ranges } from '../lib/report/charts/ranges.ts';
import { Drawing } from './report-drawing.ts';

const ROOMS = ['wide', 'narrow'] as const;

function near(actual: number, expected: number, what?: string): void {
  assert.ok(
    Math.abs(actual - expected) < 0.01 * Math.abs(expected),
    `${what ?? ''} ${actual}, not ${expected}`,
  );
}

function parts(main: number, alert: number): Stack['parts'] {
  return [
    { value: main, tone: 'main' },
    { value: alert, tone: 'alert' },
  ];
}

describe('a drawing', () => {
  it('is there for a wide screen and for a phone, with one name, and no style or id of its own', () => {
    const { text } = bars('What it shows', [{ name: 'one', told: '1', value: 1 }], 1);
    assert.deepEqual(
      [...text.matchAll(/<svg [^>]*class="(\w+)" [^>]*role="img" aria-label="What it shows"/g)].map(
        ([, room]) => room,
      ),
      ['wide', 'narrow'],
    );
    assert.doesNotMatch(text, /<style|\s(?:id|style)=|url\(|#[0-9a-f]{3}|\brgb/);
    assert.equal(text.match(/aria-label/g)?.length, 2);
  });

  it('holds what came from elsewhere as text', () => {
    const hostile = '"><script>x</script> & \' on=1 \u202e\u0000\u001b[31m';
    const one = { name: hostile, told: hostile };
    for (const { text } of [
      bars(hostile, [{ ...one, value: 1 }], 1),
      ranges(hostile, [{ ...one, p10: 1, p25: 2, p50: 3, p75: 4, p90: 5 }], () => hostile),
      columns(
        hostile,
        [{ name: hostile, parts: [{ value: 1, tone: 'main' }] }],
        [{ index: 0, name: hostile }],
      ),
    ]) {
      assert.doesNotMatch(text, /<script|[\u0000-\u0008\u001b\u202e]/);
      assert.doesNotMatch(text.replaceAll(/="[^"]*"/g, ''), /<[^>]*\son/);
      assert.match(text, /aria-label="&quot;[^"]*&lt;script/);
      assert.match(text, /<text[^>]*>"(?:>|&gt;)&lt;script/);
    }
  });
});

describe('bars', () => {
  it('are as long as their figures, of the width that stands for all', () => {
    const rows = [10, 25, 40, 60].map((value) => ({
      name: `so many ${value}`,
      told: `${value} told`,
      value,
    }));
    for (const room of ROOMS) {
      const drawing = new Drawing(bars('What they show', rows, 50), room);
      const lengths = drawing.of('main').map(({ width }) => width);
      const track = drawing.of('track').map(({ width }) => width);
      assert.deepEqual(track, Array(4).fill(drawing.width));
      // What is more than all is all.
      [0.2, 0.5, 0.8, 1].forEach((part, index) => near(lengths[index] ?? 0, part * drawing.width, room));
      assert.deepEqual(
        drawing.texts.filter((text) => text.endsWith('told')),
        ['10 told', '25 told', '40 told', '60 told'],
      );
    }
  });

  it('have the colour of their tone, each in its row', () => {
    const rows = (['main', 'quiet', 'alert'] as const).map((tone) => ({
      name: tone,
      told: '1',
      value: 1,
      tone,
    }));
    const drawing = new Drawing(bars('What they show', rows, 2), 'wide');
    const tops = rows.map(({ tone }) => drawing.of(tone)[0]?.y ?? NaN);
    near((tops[1] ?? 0) - (tops[0] ?? 0), (tops[2] ?? 0) - (tops[1] ?? 0));
    assert.ok((tops[1] ?? 0) > (tops[0] ?? 0));
  });
});

describe('ranges', () => {
  it('lie on a scale of ratios, with their quarters and the median', () => {
    const group = { name: 'Chairs', told: '$100', p10: 10, p25: 50, p50: 100, p75: 200, p90: 1000 };
    const wider = { name: 'Lamps', told: '$1', p10: 1, p25: 10, p50: 100, p75: 1000, p90: 10_000 };
    for (const room of ROOMS) {
      const drawing = new Drawing(ranges('What they show', [group, wider], String), room);
      const [chairs, lamps] = drawing.of('main-soft');
      const [whisker, other] = drawing.lines('quiet');
      assert.ok(chairs && lamps && whisker && other);
      const decade = (other.x2 - other.x1) / 4;
      near(whisker.x2 - whisker.x1, 2 * decade, room);
      near(chairs.width, Math.log10(4) * decade, room);
      near(lamps.width, 2 * decade, room);
      near(chairs.x - whisker.x1, Math.log10(5) * decade, room);
      const medians = drawing.lines('main');
      assert.equal(medians.length, 2);
      for (const [index, { x1 }] of medians.entries()) near(x1, other.x1 + 2 * decade, `${room} ${index}`);
      const marks = drawing.texts.filter((text) => /^[\d.]+$/.test(text));
      assert.ok(marks.length >= 2 && marks.length <= (room === 'wide' ? 8 : 4), marks.join());
      assert.ok(marks.includes('100') || marks.includes('10'), marks.join());
    }
  });
});

describe('columns in the order of time', () => {
  const drawn = (
    room: (typeof ROOMS)[number],
    ...totals: number[]
  ): { heights: number[]; texts: string[] } => {
    const stacks = totals.map((value) => ({ name: 'then', parts: [{ value, tone: 'main' as const }] }));
    const drawing = new Drawing(columns('What they show', stacks, []), room);
    return { heights: drawing.of('main').map(({ height }) => height), texts: drawing.texts };
  };

  it('are as high as their figures', () => {
    for (const room of ROOMS) {
      const [one = 0, two = 0, three = 0] = drawn(room, 10, 20, 40).heights;
      near(two / one, 2);
      near(three / one, 4);
    }
  });

  it('are cut off where they would dwarf all others, and tell their figure', () => {
    for (const room of ROOMS) {
      const { heights, texts } = drawn(room, 90_000, 81_000, 40, 30, 20, 0);
      assert.ok(texts.includes('90K, 81K'));
      assert.equal(heights[0], heights[1]);
      assert.ok((heights[2] ?? 0) > 0.6 * (heights[0] ?? 0));
      // Few columns are shown as they are, and so are those that only grow.
      for (const totals of [
        [900, 3, 2],
        [1, 2, 4, 8, 16, 32],
      ]) {
        const whole = drawn(room, ...totals).heights;
        const ratio = (whole[0] ?? 0) / (whole.at(-1) ?? 1);
        assert.ok(Math.max(ratio, 1 / ratio) > 30, totals.join());
      }
    }
  });

  it('stand part on part, each told by its name', () => {
    const stacks = [
      { name: 'Run 1', parts: parts(300, 100) },
      { name: 'Run 2', parts: parts(399, 0) },
    ];
    const drawing = new Drawing(columns('What they show', stacks, [{ index: 1, name: 'then' }]), 'wide');
    const [main, second] = drawing.of('main');
    const [alert, none] = drawing.of('alert');
    assert.ok(main && second && alert && !none);
    near(main.height / alert.height, 3);
    near(alert.y + alert.height, main.y);
    near(alert.x, main.x);
    assert.ok(second.x > main.x);
    assert.deepEqual([main.title, alert.title], ['Run 1: 300', 'Run 1: 100']);
    assert.ok(drawing.texts.includes('then'));
  });

  it('show what is there, however little, and though it be cut off', () => {
    const stacks = [
      { name: 'cut', parts: parts(90_000, 1) },
      { name: 'highest', parts: parts(1000, 1) },
      { name: 'high', parts: parts(900, 1) },
      { name: 'low', parts: parts(2, 0) },
    ];
    const drawing = new Drawing(columns('What they show', stacks, []), 'narrow');
    assert.deepEqual(
      drawing.of('alert').map(({ height }) => height >= 0.9),
      [false, true, true],
    );
    assert.equal(drawing.lines('alert').length, 3);
    assert.ok((drawing.of('main').at(-1)?.height ?? 0) >= 0.9);
  });

  it('count in whole numbers', () => {
    for (const most of [1, 2, 3, 7]) {
      const { texts } = drawn('wide', most, 0);
      assert.ok(texts.length >= 2 && texts.every((text) => /^\d+$/.test(text)), texts.join());
    }
  });
});
