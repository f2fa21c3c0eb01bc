import { EtsyApi } from './api.ts';
import { Cdn } from './cdn.ts';
import { Client } from './client.ts';
import type { Clocks } from './clocks.ts';
import { Holds } from './holds.ts';
import type { ApiKey } from './key.ts';
import { knownGood } from './known-good.ts';
import { Quota } from './quota.ts';
import { Throttle } from './throttle.ts';
import type { Pipeline } from '../pipeline/config.ts';
import type { Listener } from '../progress/events.ts';
import type { StopSwitch } from '../pipeline/stop.ts';
import type { Services } from '../services.ts';
import { nowSeconds } from '../services.ts';
import type { Database } from '../store/database.ts';
import { setAside } from '../dataset/set-aside.ts';
import type { Ledger } from '../store/ledger.ts';

export interface ConnectOptions {
  readonly pipeline: Pipeline;
  readonly key: ApiKey;
  readonly qps: number;
  readonly firstBackoffMs: number;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly clocks: Clocks;
  readonly stop: StopSwitch;
  readonly emit: Listener;
}

/** How far back the ledger is read to fill the throttle's window after a restart. Milliseconds. */
const LOOK_BACK_MS = 2000;

/** Wires what the tasks are handed: one throttle, one quota and one client for all of them. */
export async function connect(options: ConnectOptions): Promise<Services> {
  const { pipeline, key, qps, firstBackoffMs, database, ledger, clocks, stop, emit } = options;
  const { signal } = stop;
  const holds = new Holds((hold) =>
    emit(hold ? { type: 'hold', ...hold, reason: key.redact(hold.reason) } : { type: 'released' }),
  );
  const hold = holds.begin.bind(holds);
  const quota = new Quota({
    ledger,
    onQuota: pipeline.api.onQuota,
    signal,
    stop: (reason) => stop.stop('quota', reason),
    hold,
  });
  await quota.restore(Date.now());
  const throttle = new Throttle({ qps, signal, recent: await ledger.recent(Date.now(), LOOK_BACK_MS) });
  const client = new Client({
    baseUrl: pipeline.api.baseUrl,
    key,
    throttle,
    quota,
    ledger,
    timeoutMs: pipeline.api.timeout * 1000,
    firstBackoffMs,
    giveUpAfterMs: pipeline.api.giveUpAfter * 1000,
    signal,
    clocks,
    turnMs: 1000 / qps,
    hold,
    knownGood: (path) => knownGood(database.read, path),
    refused: (endpoint, reason) =>
      database.write((tx) =>
        setAside(tx, ledger.runId ?? 0, nowSeconds(), [{ endpoint, reason, raw: null }]),
      ),
  });
  return {
    api: new EtsyApi(client),
    cdn: new Cdn({ timeoutMs: pipeline.api.timeout * 1000 }),
    sql: database.read,
    rules: pipeline.rules,
    imagesFolder: pipeline.data.images,
    cutoutsFolder: pipeline.data.cutouts,
    modelSettings: { folder: pipeline.data.models, ...pipeline.models },
    imageHosts: pipeline.stages.flatMap(({ options: stage }) => hostsOf(stage)),
  };
}

/** Verify downloads again what is missing, from the hosts that the images stage names. */
function hostsOf(options: unknown): string[] {
  const hosts: unknown =
    typeof options === 'object' && options !== null && 'hosts' in options ? options.hosts : [];
  return Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
}
