import { EtsyApi } from './api.ts';
import { Client } from './client.ts';
import type { ClientOptions } from './client.ts';
import { Quota } from './quota.ts';
import { Throttle } from './throttle.ts';

export interface ConnectOptions extends Pick<
  ClientOptions,
  'key' | 'firstBackoffMs' | 'ledger' | 'signal' | 'hold' | 'released' | 'refused'
> {
  /** The block `api:` of pipeline.yaml. Durations are seconds. */
  readonly settings: {
    readonly baseUrl: string;
    readonly onQuota: 'wait' | 'stop';
    readonly timeout: number;
    readonly giveUpAfter: number;
  };
  /** Requests per second. */
  readonly qps: number;
  /** Asks the run to stop, because the day's quota is used up. */
  readonly stop: (reason: string) => void;
}

/** How far back the ledger is read to fill the throttle's window after a restart. Milliseconds. */
const LOOK_BACK_MS = 2000;

/** The API for all stages: one throttle, one quota and one client. */
export async function connect(options: ConnectOptions): Promise<EtsyApi> {
  const { settings, qps, stop, ...shared } = options;
  const { ledger, signal, hold, released } = shared;
  const quota = new Quota({ ledger, onQuota: settings.onQuota, signal, stop, hold, released });
  await quota.restore(Date.now());
  const throttle = new Throttle({ qps, signal, recent: await ledger.recent(Date.now(), LOOK_BACK_MS) });
  const client = new Client({
    ...shared,
    baseUrl: settings.baseUrl,
    throttle,
    quota,
    timeoutMs: settings.timeout * 1000,
    giveUpAfterMs: settings.giveUpAfter * 1000,
  });
  return new EtsyApi(client);
}
