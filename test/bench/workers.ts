import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Models } from '../../lib/models/models.ts';
import type { Share } from '../../lib/models/models.ts';
import type { Services } from '../../lib/services.ts';
import { inFlight } from '../../lib/task/in-flight.ts';
import { sleep } from '../../lib/time.ts';
import { redisAddress } from '../../lib/workers/address.ts';
import { Coordinator } from '../../lib/workers/coordinator.ts';
import background from '../../tasks/background.ts';
import { draw } from '../marketplace/pictures/draw.ts';
import { drawn } from '../marketplace/pictures/drawn.ts';
import { PicturesRig } from '../pictures-rig.ts';
import { RedisServer, withoutRedis } from '../redis.ts';
import type { Section } from './section.ts';
import { stubPool } from './stub-pool.ts';

const MODEL = 'baseline';
const WORKERS = [1, 4, 16] as const;
/** As ISNet at 512 pixels takes on one core. Milliseconds. */
const EACH_MS = 500;
const WARM_MS = 15_000;
/** Pictures that the stage stores while it is measured, at most. */
const MOST_STORED = 1000;
const START = fileURLToPath(new URL('./children/start.js', import.meta.url));
const never = new AbortController().signal;
setMaxListeners(0, never);

interface Measured {
  readonly perSecond: number;
  /** CPU of the coordinator's process, per picture. */
  readonly cpuMs: number;
  /** Of its one thread: how much of the time it was busy. */
  readonly busy: number;
}

/**
 * The coordinator with workers that have no model: what it costs itself, whether more workers do more, and how many
 * pictures it could store at most. Redis, workers and coordinator share this machine.
 */
export async function workers(seconds = 60): Promise<Section> {
  const why = withoutRedis();
  if (why !== false) throw new Error(why);
  const redis = await RedisServer.open();
  try {
    const found = [];
    for (const count of WORKERS) found.push({ count, ...(await many(redis, count, seconds)) });
    const last = found.at(-1);
    const most = await committed(redis, Math.min(seconds * 40, MOST_STORED));
    const alone = found[0]?.perSecond ?? NaN;
    const linear = (last?.perSecond ?? 0) / ((last?.count ?? 1) * alone);
    const limit =
      most.busy > 0.7 ? "the coordinator's one thread" : 'the disk, and workers on the same cores';
    return {
      title: 'Workers',
      lines: [
        ['coordinator, CPU per picture', `${(last?.cpuMs ?? 0).toFixed(2)} ms`, '< 2 ms'],
        ...found.map(({ count, perSecond }) => [
          `${count} workers at ${EACH_MS} ms a picture`,
          `${perSecond.toFixed(2)} pictures/s`,
        ]),
        [`${last?.count} workers, of ${last?.count} times what one can do`, linear.toFixed(3), '≥ 0.95'],
        [
          'pictures/s that a stage stores at most',
          `${most.perSecond.toFixed(0)} (${most.cpuMs.toFixed(2)} ms CPU each)`,
        ],
        ['what limits that', `${limit} (busy ${(most.busy * 100).toFixed(0)} %)`],
      ],
      figures: { found, linear, most },
    };
  } finally {
    await redis.kill();
  }
}

/** What workers do in a while, once all are at work; the coordinator's own thread is not counted. */
async function many(redis: RedisServer, count: number, seconds: number): Promise<Measured> {
  await redis.say('FLUSHALL');
  const picture = new Uint8Array(await drawn({ kind: 'chair', drawing: 1 }, draw));
  return withHelpers(redis, count, EACH_MS, async () => {
    const known = new Models({ folder: 'models' });
    const coordinator = await open(redis, EACH_MS, {
      identity: known.identity.bind(known),
      milliseconds: () => EACH_MS,
    });
    let isOver = false;
    let id = 0;
    const next = () => {
      const items = [{ id: (id += 1), bytes: picture }];
      return Promise.resolve(
        isOver ? undefined : () => coordinator.run({ work: 'cutout', model: MODEL, items }),
      );
    };
    const pull = exhaust(inFlight(() => coordinator.width, never, next)).catch(() => undefined);
    try {
      // Accepted, and the first answer of each compared with the coordinator's own.
      while (coordinator.workers().filter(({ pictures }) => pictures > 0).length < count + 1) await sleep(50);
      await sleep(WARM_MS);
      let perSecond = 0;
      const rest = await measured(async () => {
        perSecond = await paceOf(coordinator, seconds * 1000);
        return perSecond * seconds;
      });
      return { ...rest, perSecond };
    } finally {
      isOver = true;
      await coordinator.close();
      await pull;
    }
  });
}

/** Pictures come a batch at a time: of each worker, those between its first and its last answer. Per second, of all. */
async function paceOf(coordinator: Coordinator, milliseconds: number): Promise<number> {
  const first = new Map<string, { at: number; pictures: number }>();
  const last = new Map<string, { at: number; pictures: number }>();
  const seen = new Map(coordinator.workers().map(({ name, pictures }) => [name, pictures]));
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    await sleep(100);
    for (const { name, pictures } of coordinator.workers()) {
      if (!name.startsWith('stub') || seen.get(name) === pictures) continue;
      seen.set(name, pictures);
      const now = { at: performance.now(), pictures };
      if (!first.has(name)) first.set(name, now);
      last.set(name, now);
    }
  }
  let all = 0;
  for (const [name, { at, pictures }] of last) {
    const from = first.get(name);
    if (from && at > from.at) all += ((pictures - from.pictures) * 1000) / (at - from.at);
  }
  return all;
}

/** The stage itself, with files and commits, and workers that need no time at all. */
async function committed(redis: RedisServer, pictures: number): Promise<Measured> {
  await redis.say('FLUSHALL');
  const rig = await PicturesRig.open(pictures);
  try {
    return await withHelpers(redis, 2, 0, () =>
      rig.writing((database) =>
        measured(async () => {
          const share: Share = (_own, models) => open(redis, 0, models);
          const services = {
            sql: database.read,
            imagesFolder: rig.path('images'),
            cutoutsFolder: rig.path('cutouts'),
            modelSettings: { folder: rig.path('models'), threads: 1, share },
          } as unknown as Services;
          const options = background.options.parse({ model: MODEL });
          const unit = { id: `cutouts ${MODEL}`, title: '' };
          const context = {
            options,
            services,
            folder: rig.folder,
            runId: 1,
            stop: never,
            companionsActive: () => false,
            warn: () => undefined,
          };
          for await (const { write } of background.run(unit, undefined, context))
            if (write) await database.write(write);
          return pictures;
        }),
      ),
    );
  } finally {
    await rig.close();
  }
}

function open(
  redis: RedisServer,
  milliseconds: number,
  models: Pick<Models, 'identity' | 'milliseconds'>,
): Promise<Coordinator> {
  const address = redisAddress(redis.url);
  if (!address) throw new Error(`no address: ${redis.url}`);
  const options = { address, password: undefined, dataset: 'bench', tell: () => undefined };
  return Coordinator.open(options, stubPool(milliseconds), models);
}

async function measured(work: () => Promise<number>): Promise<Measured> {
  const [cpu, loop, began] = [process.cpuUsage(), performance.eventLoopUtilization(), performance.now()];
  const pictures = await work();
  const { user, system } = process.cpuUsage(cpu);
  const took = performance.now() - began;
  const busy = performance.eventLoopUtilization(loop).utilization;
  return { perSecond: (pictures * 1000) / took, cpuMs: (user + system) / 1000 / pictures, busy };
}

async function withHelpers<T>(
  redis: RedisServer,
  count: number,
  milliseconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'helpers-'));
  const input = join(folder, 'input.json');
  await writeFile(input, JSON.stringify({ url: redis.url, count, milliseconds }));
  const child = spawn(process.execPath, [START, 'helpers.ts', input], { cwd: folder, stdio: 'inherit' });
  const ended = once(child, 'exit');
  try {
    return await work();
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes all there is, and wants nothing of it. */
async function exhaust(answers: AsyncGenerator): Promise<void> {
  while ((await answers.next()).done !== true);
}
