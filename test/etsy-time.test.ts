import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { headerNumber, retryAfterMs } from '../lib/etsy/headers.ts';
import { nap, sleep } from '../lib/time.ts';

describe('time', () => {
  const NOW = Date.parse('2026-08-17T12:00:00Z');

  it('of a retry-after header is seconds or a date', () => {
    for (const [header, ms] of [
      ['1', 1000],
      [' 2.5 ', 2500],
      ['0', 0],
      ['-3', undefined],
      ['5, 5', undefined],
      ['0x10', undefined],
      ['1e3', undefined],
      ['soon 5', undefined],
      ['Monday, 17-Aug-26 12:00:30 GMT', 30_000],
      ['Mon Aug 17 12:00:30 2026 GMT', 30_000],
      ['2026-08-17T12:00:30Z', 30_000],
      ['86400', 86_400_000],
      ['Mon, 17 Aug 2026 12:00:30 GMT', 30_000],
      ['Mon, 17 Aug 2026 11:00:00 GMT', 0],
      ['', undefined],
      ['  ', undefined],
      ['soon', undefined],
      ['Infinity', undefined],
      ['NaN', undefined],
    ] as const) {
      assert.equal(retryAfterMs(header, NOW), ms, header);
    }
    assert.equal(retryAfterMs(null, NOW), undefined);
  });

  it('of a retry-after header is never in the past, whatever it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date({ noInvalidDate: true }).map(String)), (header) => {
        const ms = retryAfterMs(header, NOW);
        assert.ok(ms === undefined || (ms >= 0 && Number.isFinite(ms)), String(ms));
      }),
    );
  });

  it('has nothing to do with a header that is no whole number: then there is none', () => {
    for (const text of [
      '',
      ' ',
      '-3',
      '5, 5',
      '0x10',
      '1e3',
      '0.5',
      'unlimited',
      'NaN',
      '٣',
      '1'.repeat(16),
      null,
    ]) {
      assert.equal(headerNumber(text), undefined, String(text));
    }
    fc.assert(
      fc.property(
        fc.maxSafeNat().filter((n) => n < 1e15),
        (n) => assert.equal(headerNumber(` ${n} `), n),
      ),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const n = headerNumber(text);
        assert.ok(n === undefined || (Number.isSafeInteger(n) && n >= 0));
      }),
    );
  });

  it('of a nap ends with the reason of its signal, and by either clock', async (t) => {
    const reason = new Error('stop');
    const stop = new AbortController();
    const long = nap(60_000, stop.signal);
    stop.abort(reason);
    await assert.rejects(long, reason);
    await assert.rejects(nap(0, stop.signal), reason);
    const { signal } = new AbortController();
    const now = Date.now();
    t.mock.method(Date, 'now', () => now);
    await nap(30, signal);
    let passed = 0;
    t.mock.method(Date, 'now', () => now + (passed += 3_600_000));
    await nap(3_600_000, signal);
  });

  it('of sleep ends with the reason of its signal, before it or while it lasts', async () => {
    const reason = new Error('stop');
    await assert.rejects(sleep(60_000, AbortSignal.abort(reason)), reason);
    const stop = new AbortController();
    const nap = sleep(60_000, stop.signal);
    stop.abort(reason);
    await assert.rejects(nap, reason);
    await sleep(-5);
  });

  it('of sleep does not shrink to nothing where it is longer than a timer can be', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const nap = sleep(2 ** 31 + 5, stop.signal).then(() => 'over');
    const first = await Promise.race([nap, sleep(30).then(() => 'still asleep')]);
    stop.abort(reason);
    await nap.catch(() => undefined);
    assert.equal(first, 'still asleep');
  });
});
