import assert from 'node:assert/strict';
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as nap } from 'node:timers/promises';
import type { EtsyApi } from '../lib/etsy/api.ts';
import { Clocks } from '../lib/etsy/clocks.ts';
import { connect } from '../lib/etsy/connect.ts';
import { ApiKey } from '../lib/etsy/key.ts';
import { Ledger } from '../lib/store/ledger.ts';
import { storePerTest } from './store-rig.ts';

const REASON = new Error('the KILL_BG file was found');
const HOUR_MS = 3_600_000;

/** What a request of a stage may be doing when the stage is stopped by a KILL file of its own. */
describe('a stage that is stopped by itself', () => {
  const store = storePerTest();
  let server: Server;
  let answer: (response: ServerResponse, nth: number) => void;
  let asked: number;
  let held: string[];
  let api: EtsyApi;
  let clocks: Clocks;
  let run: AbortController;
  let stage: AbortController;

  const open = async (qps = Infinity): Promise<void> => {
    api = await connect({
      settings: {
        baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        onQuota: 'wait',
        timeout: 60,
        giveUpAfter: 3600,
      },
      key: new ApiKey('a:b'),
      qps,
      firstBackoffMs: HOUR_MS,
      ledger: new Ledger(store.database, undefined),
      signal: run.signal,
      clocks,
      stop: () => undefined,
      held: (hold) => void held.push(hold?.reason ?? ''),
      refused: () => Promise.resolve(),
      odd: () => undefined,
      crowded: () => undefined,
    });
  };
  const shop = (response: ServerResponse): void => void response.end(JSON.stringify({ shop_id: 1 }));
  const refuse = (response: ServerResponse): void =>
    void response
      .writeHead(429, { 'retry-after': '7200', 'x-remaining-today': '0', 'x-limit-per-day': '1' })
      .end(JSON.stringify({ error: 'daily limit' }));
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await nap(2);
  };

  beforeEach(async () => {
    [asked, held, run, stage] = [0, [], new AbortController(), new AbortController()];
    setMaxListeners(0, stage.signal, run.signal);
    clocks = new Clocks(() => undefined);
    server = createServer((_, response) => answer(response, (asked += 1))).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    run.abort(new Error('over'));
    clocks.end();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  it('waits no longer for the quota; others do, and it is still told', async () => {
    answer = refuse;
    await open();
    const others = api.shop(1);
    others.catch(() => undefined);
    const its = api.until(stage.signal).shop(1);
    await until(() => held.length > 0);
    stage.abort(REASON);
    await assert.rejects(its, REASON);
    assert.deepEqual(held, ['the daily quota is used up']);
    run.abort(REASON);
    await assert.rejects(others, REASON);
    assert.equal(held.at(-1), '');
  });

  it('waits no longer for its turn, nor behind another stage’s request that waits for the quota', async () => {
    answer = refuse;
    await open(5);
    const others = [api.shop(1), api.shop(1)];
    for (const one of others) one.catch(() => undefined);
    await until(() => held.length > 0);
    const its = Array.from({ length: 16 }, () => api.until(stage.signal).shop(1));
    const sent = asked;
    stage.abort(REASON);
    for (const one of its) await assert.rejects(one, REASON);
    assert.equal(asked, sent);
  });

  it('waits no longer for another try', async () => {
    answer = (response) => void response.writeHead(500).end('{}');
    await open();
    const its = api.until(stage.signal).shop(1);
    await until(() => held.length > 0);
    stage.abort(REASON);
    await assert.rejects(its, REASON);
  });

  it('gets the answers of what is on the wire, and asks nothing more', async () => {
    const flights: ServerResponse[] = [];
    answer = (response) => void flights.push(response);
    await open();
    const its = api.until(stage.signal).shop(1);
    await until(() => flights.length > 0);
    stage.abort(REASON);
    for (const response of flights) shop(response);
    assert.ok(await its);
    await assert.rejects(api.until(stage.signal).shop(1), REASON);
    assert.equal(asked, 1);
  });
});
