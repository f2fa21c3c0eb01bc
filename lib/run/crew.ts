import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { putWorkers, readWorkers } from '../dataset/workers.ts';
import type { OddityNotes } from '../dataset/oddities.ts';
import type { WorkerView } from '../models/jobs.ts';
import type { Share } from '../models/models.ts';
import { UserError } from '../errors.ts';
import type { Pipeline } from '../pipeline/config.ts';
import type { Listener } from '../progress/events.ts';
import type { Database } from '../store/database.ts';
import type { Figure, Figures } from '../task/telling.ts';
import { clockTime, plural } from '../text/format.ts';
import { redisAddress, refusalOf } from '../workers/address.ts';
import { Coordinator } from '../workers/coordinator.ts';
import { checkInstalled } from '../workers/link.ts';
import { redisPassword } from '../workers/password.ts';

export interface Crew {
  readonly share: Share;
  /** Lines of the screen. */
  figures(): Promise<readonly Figures[]>;
  /** Writes how the workers stand; to be called when a stage has ended. */
  flush(): Promise<void>;
}

export interface CrewOptions {
  readonly pipeline: Pipeline;
  readonly env: NodeJS.ProcessEnv;
  readonly database: Database;
  readonly oddities: OddityNotes;
  readonly runId: () => number | undefined;
  readonly emit: Listener;
  /** See CoordinatorOptions. */
  readonly lockMs?: number | undefined;
}

/** How often how the workers stand is written. Milliseconds. */
const WRITE_MS = 5000;

/**
 * The other computers, where pipeline.yaml names a Redis to meet them at.
 * @throws UserError where a package is missing, or the address is not safe to use
 */
export async function crewOf(options: CrewOptions): Promise<Crew> {
  const { pipeline, env, database, oddities, runId, emit } = options;
  const address = redisAddress(pipeline.workers.redis ?? '');
  if (!address) throw new Error('internal: the address was checked before');
  const password = await redisPassword(pipeline.folder, env);
  const refused = refusalOf(address, password !== undefined);
  if (refused) throw new UserError(refused.message, { exitCode: 2, hint: refused.hint });
  checkInstalled();
  // Two datasets have two paths, and the same path on two computers is two datasets.
  const dataset = createHash('sha256').update(`${hostname()} ${database.path}`).digest('hex').slice(0, 32);
  let open: Coordinator | undefined;
  let latest: readonly WorkerView[] = [];
  /** What each did before, in the stages and starts of this run that have ended. */
  let before = new Map<string, number>();
  let writtenAt = -Infinity;
  const write = async (): Promise<void> => {
    const run = runId();
    if (run === undefined || latest.length === 0) return;
    writtenAt = performance.now();
    await database.write((tx) => putWorkers(tx, run, latest)).catch(() => undefined);
  };
  return {
    share: async (own, models) => {
      before = new Map(
        (await readWorkers(database.read, runId() ?? 0)).map((row) => [row.name, row.pictures]),
      );
      open = await Coordinator.open(
        {
          address,
          password,
          dataset,
          ...(options.lockMs !== undefined && { lockMs: options.lockMs }),
          tell: ({ message, odd }) => {
            if (message !== '') emit({ type: odd ? 'warning' : 'news', message });
            if (odd) oddities.add(odd);
          },
          changed: (workers) => {
            latest = workers.map((one) => ({ ...one, pictures: one.pictures + (before.get(one.name) ?? 0) }));
            if (performance.now() - writtenAt > WRITE_MS) void write();
          },
        },
        own,
        models,
      );
      return open;
    },
    figures: () => Promise.resolve(open?.isOpen ? linesOf(open) : []),
    flush: async () => {
      await write();
    },
  };
}

function linesOf(coordinator: Coordinator): Figures[] {
  const now = Date.now();
  const workers = coordinator.workers().map(({ name, state, perSecond, heardAt }): Figure => {
    if (state === 'working') return { text: `${name} ${perSecond.toFixed(1)}/s` };
    const since = state === 'refused' ? '' : ` since ${clockTime(heardAt, now)}`;
    return { text: `${name} ${state}${since}`, isAlarm: state !== 'left', isSpare: state === 'left' };
  });
  const { batches, apart } = coordinator.waiting();
  const redis: Figure = apart
    ? { text: `no Redis since ${clockTime(apart.since, now)} (${apart.reason})`, isAlarm: true }
    : { text: 'Redis connected', isSpare: true };
  return [
    { label: 'workers', facts: workers },
    { label: 'jobs', facts: [{ text: `waiting for ${plural(batches, 'batch', 'batches')}` }, redis] },
  ];
}
