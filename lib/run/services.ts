// The one file of the runner's side that knows which source there is: it opens what the stages say they use.
import { yearOfEntry } from '../dataset/entries.ts';
import { MetaDataFile } from '../dataset/meta-data.ts';
import type { Oddity, OddityNotes } from '../dataset/oddities.ts';
import { setAside } from '../dataset/set-aside.ts';
import { Cdn } from '../etsy/cdn.ts';
import { Clocks, jumpMessage } from '../etsy/clocks.ts';
import { connect } from '../etsy/connect.ts';
import type { Crowding } from '../etsy/exchange.ts';
import { COUNTED, REFUSED, SLOW_MS } from '../etsy/elsewhere.ts';
import { WHERE_TO_GET_A_KEY, findKey } from '../etsy/key.ts';
import type { ApiKey } from '../etsy/key.ts';
import { knownGood } from '../etsy/known-good.ts';
import { UserError } from '../errors.ts';
import type { Pipeline, Stage } from '../pipeline/config.ts';
import type { StopSwitch } from '../pipeline/stop.ts';
import type { Listener } from '../progress/events.ts';
import { nowSeconds } from '../time.ts';
import type { ServiceName, Sources } from '../services.ts';
import type { Database } from '../store/database.ts';
import type { Ledger } from '../store/ledger.ts';
import { duration } from '../text/format.ts';
import type { Figures } from '../task/telling.ts';
import { sourcesOf } from './sources.ts';

export { keyRedactor } from '../etsy/key.ts';
export type { ApiKey } from '../etsy/key.ts';

const NAMES: readonly ServiceName[] = ['api', 'cdn', 'entries'];
const CROWDING: Readonly<Record<Crowding, Oddity>> = {
  refused: {
    what: 'HTTP 429, though this run made no more requests than it may: the API key seems to be in use elsewhere',
    became: `repeated, and half as many requests made for ${duration(SLOW_MS)}`,
  },
  counted: {
    what: 'requests that Etsy counted and this run did not make: the API key seems to be in use elsewhere',
    became: 'half as many requests made while that lasted',
  },
};

/**
 * The key, where there is one.
 *
 * @throws UserError where a stage that is to run needs one and there is none, or uses something unknown
 */
export async function keyFor(
  pipeline: Pipeline,
  stages: readonly Stage[],
  env: NodeJS.ProcessEnv,
): Promise<ApiKey | undefined> {
  for (const { id, task } of stages) {
    const unknown = task.uses?.find((name) => !NAMES.some((known) => known === name));
    if (unknown === undefined) continue;
    throw new UserError(`The task of stage ${id} uses "${unknown}", which sync-data does not have.`, {
      exitCode: 2,
      hint: `What a task may name under uses: ${NAMES.join(', ')}`,
    });
  }
  const isNeeded = stages.some(({ task }) => task.uses?.includes('api'));
  const key = await findKey(pipeline.folder, env).catch((error: unknown) => {
    if (isNeeded) throw error;
    return undefined;
  });
  if (key || !isNeeded) return key;
  throw new UserError('There is no ETSY_API_KEY.', { exitCode: 2, hint: WHERE_TO_GET_A_KEY });
}

export interface ServicesOptions {
  readonly pipeline: Pipeline;
  /** Those that are to run. */
  readonly stages: readonly Stage[];
  readonly key: ApiKey | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** See CrewOptions. */
  readonly lockMs?: number | undefined;
  readonly qps: number;
  readonly firstBackoffMs: number;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly entries: MetaDataFile | undefined;
  readonly oddities: OddityNotes;
  readonly stop: StopSwitch;
  readonly emit: Listener;
}

/**
 * The entries of image_metadata.json, taken in; undefined where no stage of the pipeline uses them. One that does not
 * run now counts too: the file is kept in step with the database.
 * @param warn called with what another program changed, and what was done about it
 */
export async function openEntries(
  pipeline: Pipeline,
  database: Database,
  warn: (message: string) => void,
): Promise<MetaDataFile | undefined> {
  if (!pipeline.stages.some(({ task }) => task.uses?.includes('entries'))) return undefined;
  const entries = new MetaDataFile(database, pipeline.data.metadata, yearOfEntry, warn);
  await entries.load();
  return entries;
}

export interface OpenServices {
  /** What the stage's task is handed. @param stop aborted when the stage is to stop, where it runs */
  forStage(stage: Stage, stop?: AbortSignal): object;
  /** Lines of the screen that are no stage's own. */
  readonly figures: readonly (() => Promise<readonly Figures[]>)[];
  /** What requests are made to, for the screen; undefined where no stage says that it makes any. */
  readonly api: string | undefined;
  /** To be called when a stage has ended, in whatever way. */
  stageEnded(): Promise<void>;
  close(): void;
}

/** Opens what the stages use, and nothing else. */
export async function openServices(options: ServicesOptions): Promise<OpenServices> {
  const { pipeline, stages, key, database, ledger, entries, oddities, stop, emit } = options;
  // A task that says nothing of what it uses may use anything there is.
  const mayAsk = stages.some(({ task }) => !task.uses || task.uses.includes('api'));
  let isCrowded = false;
  const clocks = new Clocks((ms) => {
    emit({ type: 'warning', message: jumpMessage(ms) });
    oddities.add(clockJump(ms));
  });
  const api =
    key && mayAsk
      ? await connect({
          settings: pipeline.api,
          key,
          qps: options.qps,
          firstBackoffMs: options.firstBackoffMs,
          ledger,
          signal: stop.signal,
          stop: (reason) => stop.stop('quota', reason),
          held: (hold) => emit(hold ? { type: 'hold', ...hold } : { type: 'released' }),
          clocks,
          knownGood: (path) => knownGood(database.read, path),
          refused: (endpoint, reason) =>
            database.write((tx) =>
              setAside(tx, ledger.runId ?? 0, nowSeconds(), [{ endpoint, reason, raw: null }]),
            ),
          odd: oddities.add,
          crowded: (how, n) => {
            if (!isCrowded) emit({ type: 'warning', message: how === 'refused' ? REFUSED : COUNTED });
            isCrowded = true;
            oddities.add({ ...CROWDING[how], n });
          },
        })
      : undefined;
  const opened = {
    api,
    cdn: new Cdn({ timeoutMs: pipeline.api.timeout * 1000, firstPauseMs: options.firstBackoffMs }),
  };

  const crew =
    pipeline.workers.redis === undefined
      ? undefined
      : await (
          await import('./crew.ts')
        ).crewOf({
          pipeline,
          env: options.env,
          database,
          oddities,
          runId: () => ledger.runId,
          emit,
          lockMs: options.lockMs,
        });
  const given = sourcesOf(pipeline, database);
  const sources = { ...given, modelSettings: { ...given.modelSettings, share: crew?.share } };
  return {
    figures: crew ? [() => crew.figures()] : [],
    forStage: (stage, stop) =>
      handed(stage, sources, stop && api ? { ...opened, api: api.until(stop) } : opened),
    api: stages.some(({ task }) => task.uses?.includes('api')) ? 'Etsy API' : undefined,
    async stageEnded() {
      await ledger.flush();
      await crew?.flush();
      await oddities.flush();
      await entries?.save();
    },
    close: () => clocks.end(),
  };
}

function clockJump(ms: number): Oddity {
  return {
    what: 'the clock of this computer jumped',
    became: 'reported; stored times that are still to come count as unknown',
    example: `${ms > 0 ? 'ahead' : 'back'} by ${duration(Math.abs(ms))}`,
  };
}

/** What is not there says why when it is asked for. */
function handed({ id, task }: Stage, sources: Sources, opened: Readonly<Record<string, unknown>>): object {
  const services = { ...sources };
  for (const [name, value] of Object.entries(opened)) {
    const isUsed = !task.uses || task.uses.includes(name);
    Object.defineProperty(services, name, {
      enumerable: true,
      get: () => {
        if (isUsed && value !== undefined) return value;
        throw isUsed
          ? new UserError('There is no ETSY_API_KEY.', { exitCode: 2, hint: WHERE_TO_GET_A_KEY })
          : new UserError(
              `The task of stage ${id} calls services.${name}, but does not say that it uses it.`,
              {
                exitCode: 1,
                hint: `Add to the task: uses: [${[...(task.uses ?? []), name].map((one) => `'${one}'`).join(', ')}]`,
              },
            );
      },
    });
  }
  return services;
}
