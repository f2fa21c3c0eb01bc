import { relative } from 'node:path';
import { Checkpoints } from '../../checkpoints/checkpoints.ts';
import { Starts } from '../../checkpoints/starts.ts';
import { OddityNotes, addOddities } from '../dataset/oddities.ts';
import type { Oddity } from '../dataset/oddities.ts';
import { describe, exitCodeOf } from '../errors.ts';
import { logEvents } from '../log/events.ts';
import { logNews } from '../log/requests.ts';
import { loadPipeline } from '../pipeline/config.ts';
import type { Pipeline, Stage } from '../pipeline/config.ts';
import { Runner } from '../pipeline/runner.ts';
import type { Outcome } from '../pipeline/runner.ts';
import type { RunnerOptions } from '../pipeline/stage-runner.ts';
import { StopSwitch, endInPeace } from '../pipeline/stop.ts';
import type { RunEvent } from '../progress/events.ts';
import type { StageTitle } from '../progress/stage.ts';
import { openScreen } from '../screen/index.ts';
import { settleDown, sweep } from '../start/engine.js';
import { StoreError } from '../store/store-error.ts';
import { Ledger } from '../store/ledger.ts';
import type { Figures } from '../task/telling.ts';
import { printable } from '../text/clean.ts';
import { duration } from '../text/format.ts';
import { Redactor } from '../text/redact.ts';
import { conclude } from './conclude.ts';
import { waitForRun } from './every.ts';
import { gauges } from './gauges.ts';
import type { ToGo } from './gauges.ts';
import { hold } from './hold.ts';
import type { Held } from './hold.ts';
import { refuseKill, selected } from './preflight.ts';
import type { ApiKey, OpenServices } from './services.ts';
import { keyFor, keyRedactor, openEntries, openServices } from './services.ts';
import { place } from './summary.ts';
import { asTyped } from '../text/typed.ts';

export interface SessionOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WritableStream;
  readonly onlyStage: string | undefined;
  /** Requests a second in place of pipeline.yaml's, above the limit too: for tests and benchmarks. */
  readonly qps?: number;
  /** In place of half a second, for tests. */
  readonly firstBackoffMs?: number;
  /** How long a job belongs to a worker without a sign of it, for tests. */
  readonly lockMs?: number;
  /** False: a whole run ends without a report, for tests. */
  readonly report?: boolean;
  /** How long the rest of the run takes, asked now and then while it is under way. */
  readonly toGo?: (pipeline: Pipeline) => Promise<ToGo | undefined>;
}

/** How often a run that waits looks whether its database is still there. Milliseconds. */
const LOOK_MS = 1000;

/** One start of the command, from reading pipeline.yaml to the summary. @returns the exit code */
export async function session(options: SessionOptions): Promise<number> {
  let key: ApiKey | undefined;
  let secrets = new Redactor([]);
  const redact = (text: string): string => secrets.text(key?.redact(text) ?? text);
  try {
    const { onlyStage, env, stderr } = options;
    const pipeline = await loadPipeline(options.cwd, {
      secrets: async (folder) => (secrets = await keyRedactor(folder, env, ['SYNC_DATA_REDIS'])),
    });
    const stages = selected(pipeline, onlyStage);
    await refuseKill(pipeline, onlyStage);
    key = await keyFor(pipeline, stages, env);
    return await hold({ pipeline, onlyStage, stderr, redact }, (held) =>
      runs({ ...options, ...held, pipeline, stages, key, redact }),
    );
  } catch (error) {
    options.stderr.write(`${redact(printable(describe(error)))}\n`);
    return exitCodeOf(error);
  }
}

interface RunOptions extends SessionOptions, Held {
  readonly pipeline: Pipeline;
  /** Those that are to run. */
  readonly stages: readonly Stage[];
  readonly key: ApiKey | undefined;
  /** Strikes the API key out. */
  readonly redact: (text: string) => string;
}

/** One run; or, where pipeline.yaml says how often, one after the other until a stop. */
async function runs(options: RunOptions): Promise<number> {
  const { pipeline, onlyStage, database, cwd, stdout, redact } = options;
  const { every } = pipeline.rules;
  if (every === undefined || onlyStage !== undefined) return run(options);
  const checkpoints = new Checkpoints(database);
  for (;;) {
    const stopped = await waitForRun(checkpoints, {
      every,
      killFile: pipeline.kill,
      killName: relative(cwd, pipeline.kill) || pipeline.kill,
      tell: (text) => void stdout.write(redact(printable(text))),
    });
    if (stopped) return 0;
    const exitCode = await run(options);
    if (exitCode !== 0) return exitCode;
  }
}

async function run(options: RunOptions): Promise<number> {
  const { pipeline, stages, database, file, inspection, log, redact } = options;
  const ledger = new Ledger(database, options.key?.fingerprint);
  const oddities = new OddityNotes(database, () => ledger.runId);
  if (options.waitedMs > 0) oddities.add(lockedFor(options.waitedMs));

  const stop = new StopSwitch(pipeline.kill);
  const listeners: ((event: RunEvent) => void)[] = [];
  const emit = (event: RunEvent): void => {
    const told = 'message' in event ? { ...event, message: redact(event.message) } : event;
    for (const listener of listeners) listener(told);
  };
  stop.signal.addEventListener('abort', () =>
    emit({ type: 'stopping', reason: stop.stopped?.message ?? '' }),
  );
  // What is found before the screen opens is shown once it has.
  const early: string[] = [];
  let warn = (message: string): void => void early.push(message);
  if (options.key?.warning !== undefined) warn(options.key.warning);
  let close = (): void => undefined;
  database.lockPatience = {
    giveUpAfterMs: pipeline.api.giveUpAfter * 1000,
    signal: stop.signal,
    hold: (reason, until) => {
      emit({ type: 'hold', reason, until });
      const began = performance.now();
      return () => {
        emit({ type: 'released' });
        oddities.add(lockedFor(performance.now() - began));
      };
    },
  };
  try {
    await ledger.prune(Date.now());
    const entries = await openEntries(pipeline, database, (message) => warn(message));
    const { key, qps = pipeline.api.qps, firstBackoffMs = 500 } = options;
    const services = await openServices({
      pipeline,
      stages,
      key,
      env: options.env,
      lockMs: options.lockMs,
      qps,
      firstBackoffMs,
      database,
      ledger,
      entries,
      oddities,
      stop,
      emit,
    });
    close = services.close;
    const checkpoints = new Checkpoints(database);
    inspection.onDamage((damage) => stop.stop('damage', damage.message));
    file.watch(LOOK_MS, (loss) => stop.stop('damage', loss.message));
    const { stageEnded } = services;
    const runner: RunnerOptions = {
      pipeline,
      database,
      checkpoints,
      stop,
      isWhole: options.onlyStage === undefined,
      emit,
      services: services.forStage,
      stageEnded: async () => {
        file.check();
        await stageEnded();
        sweep();
      },
    };
    const current = await Runner.open(runner, options.onlyStage);
    ledger.runId = log.runId = current.id;
    const begun = Date.now();
    const starts = new Starts(database, ledger);
    const start = await starts.begin(current.id, begun);

    const titles = stages.map(titled);
    const screen = await openScreen({
      stream: options.stdout,
      name: pipeline.name,
      stages: titles,
      killFile: relative(options.cwd, pipeline.kill) || pipeline.kill,
      gauges: gauges({
        ledger,
        api: services.api === undefined ? undefined : { label: services.api, limit: qps },
        figures: [...services.figures, ...stages.flatMap((stage) => figuresOf(stage, services))],
        toGo:
          options.onlyStage === undefined && options.toGo
            ? options.toGo.bind(undefined, pipeline)
            : undefined,
      }),
      env: options.env,
    });
    const written = logEvents({ log, stages: titles, news: await logNews(database.read) });
    listeners.push(screen.listen, written.listen);
    warn = (message) => emit({ type: 'warning', message });
    log.onProblem(warn);
    settleDown();
    let outcome: Outcome;
    try {
      emit({ type: 'run', runId: current.id, resumed: current.resumed, startedAt: current.startedAt });
      for (const message of early) warn(message);
      if (current.closed) {
        const { run: old, left } = current.closed;
        const what = `run ${old.id} of ${new Date(old.startedAt).toISOString().slice(0, 10)} was never finished: ${left.join(', ') || 'nothing was left'}`;
        const became = 'closed, for it is older than refreshAfter; this run does what it left';
        warn(`${what}; ${became}`);
        await database.write((tx) => addOddities(tx, current.id, [{ what, became }]));
      }
      outcome = await new Runner(runner, current).run(options.onlyStage);
      file.check();
      inspection.throwIfDamaged();
    } catch (error) {
      const reason = redact(describe(error));
      // Where that cannot be noted either, the next start sees to it.
      await starts.end(start, { outcome: 'failed', reason, counts: null }, Date.now()).catch(() => undefined);
      throw error;
    } finally {
      await screen.close();
      await written.close();
    }
    // Those of a failed run may be lost with it: why it failed is what counts.
    await oddities.flush().catch(() => undefined);
    const { text, isUnusable } = await conclude({
      pipeline,
      database,
      starts,
      start,
      log,
      run: current,
      outcome,
      stopped: stop.stopped,
      redact,
      begun,
      cwd: options.cwd,
      width: options.stdout.columns || 80,
      asks: services.api !== undefined,
    });
    options.stdout.write(redact(printable(text)));
    if (outcome.state === 'finished' && options.onlyStage === undefined && options.report !== false)
      options.stdout.write(redact(printable(await tellReport(options))));
    if (outcome.state === 'failed')
      return outcome.failures.some(({ error }) => exitCodeOf(error) === 2) ? 2 : 1;
    if (isUnusable) return 1;
    return outcome.state === 'finished' ? 0 : (stop.stopped?.exitCode ?? 75);
  } finally {
    close();
    endInPeace();
    await stop.close();
  }
}

function lockedFor(ms: number): Oddity {
  return {
    what: 'another program had locked the database',
    became: 'waited for it',
    example: `for ${duration(ms)}`,
  };
}

function titled({ id, task, needs, alongside }: Stage): StageTitle {
  const spends = task.spends ?? (task.uses?.includes('api') ? 'requests' : 'work');
  return { id, title: task.title, needs, alongside, spends };
}

function figuresOf(stage: Stage, services: OpenServices): (() => Promise<readonly Figures[]>)[] {
  const { task, options } = stage;
  if (!task.figures) return [];
  const handed = services.forStage(stage);
  return [async () => (await task.figures?.({ options, services: handed })) ?? []];
}

/** A whole run ends with a report. One that cannot be written is no reason to call the run failed. */
async function tellReport({ pipeline, cwd, redact, database, file }: RunOptions): Promise<string> {
  try {
    await database.shrink();
    sweep();
    const { writeReport } = await import('../report/index.ts');
    return `${place('report', relative(cwd, await writeReport(pipeline, redact, database.path)))}\n`;
  } catch (error) {
    file.check();
    // Without a database that can be read no run is complete.
    if (error instanceof StoreError) throw error;
    return `The report could not be written. The run itself is complete.\n${describe(error)}\nTo try again: ${asTyped('npx sync-data report')}\n`;
  }
}
