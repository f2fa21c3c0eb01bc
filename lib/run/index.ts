import { mkdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { Checkpoints } from '../../checkpoints/checkpoints.ts';
import { Starts } from '../../checkpoints/starts.ts';
import { conclude } from './conclude.ts';
import { Clocks, jumpMessage } from '../etsy/clocks.ts';
import { connect } from '../etsy/connect.ts';
import { describe, exitCodeOf } from '../describe.ts';
import { gauges } from './gauges.ts';
import { WHERE_TO_GET_A_KEY, findKey } from '../etsy/key.ts';
import type { ApiKey } from '../etsy/key.ts';
import { Log, fullText } from '../log/file.ts';
import { logEvents } from '../log/events.ts';
import { logNews } from '../log/requests.ts';
import { loadPipeline } from '../pipeline/config.ts';
import type { Pipeline } from '../pipeline/config.ts';
import { UserError } from '../errors.ts';
import type { RunEvent } from '../progress/events.ts';
import { Runner } from '../pipeline/runner.ts';
import type { Outcome, RunnerOptions } from '../pipeline/runner.ts';
import { printable } from '../text/format.ts';
import { openScreen } from '../screen/index.ts';
import type { StageTitle } from '../progress/stage.ts';
import { StopSwitch } from '../pipeline/stop.ts';
import { Database } from '../store/database.ts';
import { Inspection } from '../store/inspection.ts';
import { Ledger } from '../store/ledger.ts';
import { acquireLock } from '../store/lock.ts';
import { MetaDataFile } from '../dataset/meta-data.ts';
import { migrate } from '../dataset/migrations.ts';
import { place } from './summary.ts';
import { version } from '../version.ts';
import { yearOfEntry } from '../dataset/entries.ts';
import { asTyped } from '../text/typed.ts';

export interface SessionOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WritableStream;
  readonly onlyStage: string | undefined;
  /** Requests a second in place of pipeline.yaml's, above Etsy's limit too: for tests and benchmarks. */
  readonly qps?: number;
  /** In place of half a second, for tests. */
  readonly firstBackoffMs?: number;
}

/** So that a schedule can tell it from a failure: the run that it would start is under way. */
const ALREADY_RUNNING = 3;

/**
 * How long a start waits for the inspection of the database: after a run that ended well, for a small file's only;
 * after one that was killed or failed, for several gigabytes. A larger file is read on beside the run. Milliseconds.
 */
const SHORT_MS = 100;
const LONG_MS = 10_000;
/** Whoever waits longer is told what for. Milliseconds. */
const TELL_MS = 1000;

/** One start of the command, from reading pipeline.yaml to the summary. @returns the exit code */
export async function session(options: SessionOptions): Promise<number> {
  let key: ApiKey | undefined;
  try {
    const pipeline = await loadPipeline(options.cwd);
    checkStage(pipeline, options.onlyStage);
    await refuseKill(pipeline);
    key = await findKey(pipeline.folder, options.env);
    if (!key) throw new UserError('There is no ETSY_API_KEY.', { exitCode: 2, hint: WHERE_TO_GET_A_KEY });
    return await locked(options, pipeline, key);
  } catch (error) {
    const text = printable(describe(error));
    options.stderr.write(`${key ? key.redact(text) : text}\n`);
    return exitCodeOf(error);
  }
}

function checkStage(pipeline: Pipeline, onlyStage: string | undefined): void {
  const known = pipeline.stages.map((stage) => stage.id);
  if (onlyStage === undefined || known.includes(onlyStage)) return;
  throw new UserError(`There is no stage "${onlyStage}" in ${basename(pipeline.file)}.`, {
    exitCode: 2,
    hint: `Name one of these: ${known.join(', ')}`,
  });
}

/** One that lies there from before is left: it may be meant for more than this start. One touched since is obeyed. */
async function refuseKill(pipeline: Pipeline): Promise<void> {
  const info = await stat(pipeline.kill).catch(() => undefined);
  if (!info) return;
  if (info.ctimeMs > performance.timeOrigin) {
    await rm(pipeline.kill, { force: true });
    throw new UserError('Stopped by the KILL file before the first stage started.', {
      exitCode: 75,
      hint: 'To resume: npx sync-data',
    });
  }
  throw new UserError(`The file ${pipeline.kill} exists, so nothing was started.`, {
    exitCode: 75,
    hint: 'Remove it and start again.',
  });
}

async function locked(options: SessionOptions, pipeline: Pipeline, key: ApiKey): Promise<number> {
  await mkdir(dirname(pipeline.data.database), { recursive: true });
  const lock = await acquireLock(pipeline.data.database, { pid: process.pid, since: Date.now() });
  if ('pid' in lock) {
    const who =
      lock.pid === 0
        ? 'a process that has just started'
        : `process ${lock.pid}, since ${new Date(lock.since).toISOString()}`;
    throw new UserError(`Another sync-data is using ${pipeline.data.database}: ${who}.`, {
      exitCode: ALREADY_RUNNING,
      hint: 'Let it finish, or stop it with: touch ' + pipeline.kill,
    });
  }
  const log = openLog(options, pipeline, key);
  const inspection = new Inspection(pipeline.data.database);
  let exitCode = 1;
  let told = exitCode;
  try {
    const patience = setTimeout(() => {
      options.stderr.write(
        `The last run did not end cleanly: ${pipeline.data.database} is checked first, then the run proceeds.\n`,
      );
    }, TELL_MS);
    await inspection.wait(lock.leftWell ? SHORT_MS : LONG_MS).finally(() => clearTimeout(patience));
    const database = await Database.open(pipeline.data.database);
    try {
      await migrate(database);
      exitCode = told = await run(options, pipeline, key, database, inspection, log);
    } finally {
      await database.close();
    }
  } catch (error) {
    told = exitCodeOf(error);
    log.write('failure', { error: fullText(error) });
    throw error;
  } finally {
    log.end(told);
    await inspection.end();
    await lock.release(exitCode !== 1);
  }
  return exitCode;
}

/** Beside the database. */
function openLog({ onlyStage }: SessionOptions, pipeline: Pipeline, key: ApiKey): Log {
  const path = join(dirname(pipeline.data.database), 'sync-data.log');
  const log = new Log({ path, redact: (text) => key.redact(text) });
  log.write('start', {
    version: version(),
    node: process.version,
    platform: process.platform,
    pid: process.pid,
    pipeline: pipeline.file,
    stages: pipeline.stages.map(({ id }) => id),
    ...(onlyStage !== undefined && { onlyStage }),
  });
  return log;
}

async function run(
  options: SessionOptions,
  pipeline: Pipeline,
  key: ApiKey,
  database: Database,
  inspection: Inspection,
  log: Log,
): Promise<number> {
  const metaData = new MetaDataFile(database, pipeline.data.metadata, yearOfEntry);
  await metaData.load();
  const ledger = new Ledger(database, key.fingerprint);
  await ledger.prune(Date.now());

  const stop = new StopSwitch(pipeline.kill);
  const listeners: ((event: RunEvent) => void)[] = [];
  const emit = (event: RunEvent): void => {
    const told = 'message' in event ? { ...event, message: key.redact(event.message) } : event;
    for (const listener of listeners) listener(told);
  };
  stop.signal.addEventListener('abort', () =>
    emit({ type: 'stopping', reason: stop.stopped?.message ?? '' }),
  );
  const clocks = new Clocks((ms) => emit({ type: 'warning', message: jumpMessage(ms) }));
  try {
    const qps = options.qps ?? pipeline.api.qps;
    const { firstBackoffMs = 500 } = options;
    const services = await connect({
      pipeline,
      key,
      qps,
      firstBackoffMs,
      database,
      ledger,
      clocks,
      stop,
      emit,
    });
    const checkpoints = new Checkpoints(database);
    inspection.onDamage((damage) => stop.stop('damage', damage.message));
    const stageEnded = async (): Promise<void> => {
      await ledger.flush();
      await metaData.save();
    };
    const runner: RunnerOptions = { pipeline, database, checkpoints, stop, emit, services, stageEnded };
    const current = await Runner.open(runner, options.onlyStage);
    ledger.runId = log.runId = current.id;
    const begun = Date.now();
    const starts = new Starts(database, ledger);
    const start = await starts.begin(current.id, begun);

    const shown = pipeline.stages.filter(
      ({ id }) => options.onlyStage === undefined || id === options.onlyStage,
    );
    const screen = await openScreen({
      stream: options.stdout,
      name: pipeline.name,
      stages: shown.map(titled),
      killFile: relative(options.cwd, pipeline.kill) || pipeline.kill,
      gauges: gauges({ sql: database.read, ledger, limit: qps, cdn: services.cdn }),
      env: options.env,
    });
    const written = logEvents({ log, stages: shown.map(titled), news: await logNews(database.read) });
    listeners.push(screen.listen, written.listen);
    log.onProblem((message) => emit({ type: 'warning', message }));
    let outcome: Outcome;
    try {
      emit({ type: 'run', runId: current.id, resumed: current.resumed, startedAt: current.startedAt });
      outcome = await new Runner(runner, current).run(options.onlyStage);
      inspection.throwIfDamaged();
    } catch (error) {
      const reason = key.redact(describe(error));
      // Where that cannot be noted either, the next start sees to it.
      await starts.end(start, { outcome: 'failed', reason, counts: null }, Date.now()).catch(() => undefined);
      throw error;
    } finally {
      await screen.close();
      await written.close();
    }
    const text = await conclude({
      pipeline,
      database,
      starts,
      start,
      log,
      run: current,
      outcome,
      stopped: stop.stopped,
      redact: (told) => key.redact(told),
      begun,
      cwd: options.cwd,
      width: options.stdout.columns || 80,
    });
    options.stdout.write(key.redact(printable(text)));
    if (outcome.state === 'finished' && options.onlyStage === undefined)
      options.stdout.write(key.redact(printable(await tellReport(pipeline, options.cwd))));
    if (outcome.state === 'failed') return 1;
    return outcome.state === 'finished' ? 0 : (stop.stopped?.exitCode ?? 75);
  } finally {
    clocks.end();
    await stop.close();
  }
}

function titled({ id, task, needs, alongside }: Pipeline['stages'][number]): StageTitle {
  return { id, title: task.title, needs, alongside };
}

/** A whole run ends with a report. One that cannot be written is no reason to call the run failed. */
async function tellReport(pipeline: Pipeline, cwd: string): Promise<string> {
  try {
    const { writeReport } = await import('../report/index.ts');
    return `${place('report', relative(cwd, await writeReport(pipeline)))}\n`;
  } catch (error) {
    return `The report could not be written. The run itself is complete.\n${describe(error)}\nTo try again: ${asTyped('npx sync-data report')}\n`;
  }
}
