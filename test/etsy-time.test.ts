import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { retryAfterMs, sleep } from '../lib/etsy/time.ts';

describe('time', () => {
  const NOW = Date.parse('2026-08-17T12:00:00Z');

  it('of a retry-after header is seconds or a date', () => {
    for (const [header, ms] of [
      ['1', 1000],
      [' 2.5 ', 2500],
      ['0', 0],
      ['-3', 0],
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
