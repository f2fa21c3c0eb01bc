import { EtsyApi } from './api.ts';
import { Client } from './client.ts';
import type { ClientOptions } from './client.ts';
import { Holds } from './holds.ts';
import { Quota } from './quota.ts';
import { Throttle } from './throttle.ts';

export interface ConnectOptions extends Pick<
  ClientOptions,
  'key' | 'firstBackoffMs' | 'ledger' | 'signal' | 'clocks' | 'knownGood' | 'refused' | 'odd' | 'crowded'
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
  /** Told what everybody waits for, and until when (epoch ms); undefined: for nothing any more. */
  readonly held: (hold: { readonly reason: string; readonly until: number } | undefined) => void;
}

/** How far back the ledger is read to fill the throttle's window after a restart. Milliseconds. */
const LOOK_BACK_MS = 2000;

/** The API for all stages: one throttle, one quota and one client. */
export async function connect(options: ConnectOptions): Promise<EtsyApi> {
  const { settings, qps, stop, held, ...shared } = options;
  const { key, ledger, signal } = shared;
  const holds = new Holds((hold) => held(hold && { ...hold, reason: key.redact(hold.reason) }));
  const hold = holds.begin.bind(holds);
  const quota = new Quota({ ledger, onQuota: settings.onQuota, signal, stop, hold });
  await quota.restore(Date.now());
  const recent = await ledger.recent(Date.now(), LOOK_BACK_MS);
  const throttle = new Throttle({ qps, signal, recent, startsGently: true });
  const client = new Client({
    ...shared,
    baseUrl: settings.baseUrl,
    throttle,
    quota,
    timeoutMs: settings.timeout * 1000,
    giveUpAfterMs: settings.giveUpAfter * 1000,
    turnMs: 1000 / qps,
    hold,
  });
  return new EtsyApi(client);
}
