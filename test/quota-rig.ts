import { mkdtemp, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, mock } from 'node:test';
import timers from 'node:timers/promises';
import { migrate } from '../lib/dataset/migrations.ts';
import { Quota } from '../lib/etsy/quota.ts';
import { Database } from '../lib/store/database.ts';
import type { Ledger } from '../lib/store/ledger.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const BUCKET = 2 * HOUR;
/** The start of one of Etsy's buckets. Epoch ms. */
export const START = 20_700 * DAY;
const NEVER = new AbortController().signal;

/** Of all the tests of a file. */
export let database: Database;
/** Of one test. */
export let time: Time;
let folder = '';

/** Time that passes only where a test says so, and a clock that can be set to another one. */
class Time {
  /** Epoch ms, as Etsy has it. */
  now = START;
  /** How far our clock is ahead of Etsy's. */
  ahead = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  begin(): void {
    mock.method(Date, 'now', () => this.now + this.ahead);
    mock.method(timers, 'setTimeout', (ms: number, _value: unknown, { signal }: { signal: AbortSignal }) =>
      this.#sleep(ms, signal),
    );
    // Those who have imported setTimeout by its name are to see this one too.
    syncBuiltinESMExports();
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const { at, wake } of this.#sleepers) if (at <= this.now) wake();
    await timers.setImmediate();
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', aborted);
        settle();
      };
      const aborted = (): void => end(() => reject(new Error('aborted')));
      const sleeper = { at: this.now + ms, wake: () => end(resolve) };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', aborted);
    });
  }
}

/** The hooks of a file of tests: a database for all of them, and for each an empty ledger and a time of its own. */
export function aroundEach(): void {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quota-'));
    database = await Database.open(join(folder, 'data.db'));
    await migrate(database);
  });
  after(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    await database.write((tx) => tx.run('DELETE FROM ledger'));
    time = new Time();
    time.begin();
  });
  afterEach(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });
}

export interface Watched {
  readonly quota: Quota;
  readonly said: string[];
  /** Epoch ms, as last told. */
  readonly until: () => number;
}

export function watch(
  ledger: Ledger,
  { onQuota = 'wait', signal = NEVER }: { onQuota?: 'wait' | 'stop'; signal?: AbortSignal } = {},
): Watched {
  const said: string[] = [];
  const end = new AbortController();
  let until = 0;
  const quota = new Quota({
    ledger,
    onQuota,
    signal: AbortSignal.any([signal, end.signal]),
    stop: (reason) => {
      if (!end.signal.aborted) said.push(`stop: ${reason}`);
      end.abort();
    },
    hold: (reason, told) => {
      said.push(`hold: ${reason}`);
      until = told;
      return () => said.push('released');
    },
  });
  return { quota, said, until: () => until };
}
