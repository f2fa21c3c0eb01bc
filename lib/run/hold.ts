import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError, exitCodeOf } from '../errors.ts';
import { Log, fullText } from '../log/file.ts';
import type { Pipeline } from '../pipeline/config.ts';
import { StopSwitch } from '../pipeline/stop.ts';
import { Database } from '../store/database.ts';
import { HeldDatabase, checkDatabaseFile, realDatabase } from '../store/database-file.ts';
import { Inspection } from '../store/inspection.ts';
import { acquireLock } from '../store/lock.ts';
import type { Holder } from '../store/lock.ts';
import { makeFolders } from '../dataset/images-folder.ts';
import { migrate, refuseForeign } from '../dataset/migrations.ts';
import { version } from '../version.ts';
import { checkRemembered, remember } from './remembered.ts';

/** So that a schedule can tell it from a failure: the run that it would start is under way. */
const ALREADY_RUNNING = 3;

export interface Held {
  readonly database: Database;
  /** Tells when the file is moved or exchanged under the run's hands. */
  readonly file: HeldDatabase;
  readonly inspection: Inspection;
  readonly log: Log;
  /** How long another program's lock was waited for while it was opened. Milliseconds. */
  readonly waitedMs: number;
}

export interface HoldOptions {
  readonly pipeline: Pipeline;
  readonly onlyStage: string | undefined;
  readonly stderr: NodeJS.WritableStream;
  /** Strikes the API key out. */
  readonly redact: (text: string) => string;
}

/**
 * How long a start waits for the inspection of the database: after a run that ended well, for a small file's only;
 * after one that was killed or failed, for several gigabytes. A larger file is read on beside the run. Milliseconds.
 */
const SHORT_MS = 100;
const LONG_MS = 10_000;
/** Where nobody remembers whether a -wal belongs to the file, reading all of it has to tell, however long that takes. */
const WHOLE_MS = 2 ** 31 - 1;
/** A longer wait is explained. Milliseconds. */
const TELL_MS = 1000;

/**
 * Holds the database while `work` is done: alone, inspected, brought to this version, with a log beside it.
 *
 * @param work gives the exit code
 * @throws UserError where another start holds it; what opening the database throws, and what `work` does
 */
export async function hold(options: HoldOptions, work: (held: Held) => Promise<number>): Promise<number> {
  const { pipeline, stderr } = options;
  await makeFolders(pipeline.data);
  const path = await realDatabase(pipeline.data.database, pipeline.folder);
  const home = await realpath(pipeline.folder);
  await checkRemembered(path, home);
  const file = await realpath(pipeline.file).catch(() => pipeline.file);
  const lock = await acquireLock(path, { pid: process.pid, since: Date.now(), pipeline: file });
  if ('pid' in lock) throw inUse(pipeline, file, lock);
  const log = openLog(options);
  const opening = new StopSwitch(pipeline.kill);
  let inspection: Inspection | undefined;
  let exitCode = 1;
  let told = exitCode;
  try {
    const isCertain = await checkDatabaseFile(path, lock.marks);
    inspection = new Inspection(path);
    const { signal } = opening;
    const patience = setTimeout(() => {
      stderr.write(
        `The last run did not end cleanly: ${pipeline.data.database} is checked first, then the run proceeds.\n`,
      );
    }, TELL_MS);
    const knownMs = lock.endedCleanly ? SHORT_MS : LONG_MS;
    await inspection.wait(isCertain ? knownMs : WHOLE_MS, signal).finally(() => clearTimeout(patience));
    let waitedMs = 0;
    const patient = {
      giveUpAfterMs: pipeline.api.giveUpAfter * 1000,
      signal,
      hold: (reason: string, until: number): (() => void) => {
        stderr.write(`Waiting until ${new Date(until).toISOString()} at the latest: ${reason}.\n`);
        const began = performance.now();
        return () => void (waitedMs += performance.now() - began);
      },
    };
    if (lock.marks.current === null && (await isPlainFile(path))) await refuseForeign(path);
    const database = await Database.open(path, { lockPatience: patient });
    let file: HeldDatabase | undefined;
    try {
      database.lockPatience = patient;
      await migrate(database);
      file = await HeldDatabase.hold(database, path, lock);
      await remember(path, home);
      // The run has a switch of its own.
      await opening.close();
      told = await work({ database, file, inspection, log, waitedMs });
      file.check();
      exitCode = told;
    } finally {
      await (file ?? database).close();
    }
  } catch (error) {
    told = exitCodeOf(error);
    log.write('failure', { error: fullText(error) });
    throw error;
  } finally {
    await opening.close();
    log.end(told);
    await inspection?.end();
    await lock.release(exitCode !== 1);
  }
  return exitCode;
}

async function isPlainFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size > 0;
}

/** @param file real path of the pipeline.yaml of this start */
function inUse({ data, kill }: Pipeline, file: string, holder: Holder): UserError {
  const what = `Another sync-data is using ${data.database}`;
  if (holder.pid === 0)
    return new UserError(`${what}: a process that has just started.`, {
      exitCode: ALREADY_RUNNING,
      hint: `Let it finish, or stop it with: touch ${kill}`,
    });
  const who = `process ${holder.pid}, since ${new Date(holder.since).toISOString()}`;
  if (holder.pipeline === undefined || holder.pipeline === file)
    return new UserError(`${what}: ${who}.`, {
      exitCode: ALREADY_RUNNING,
      hint: `Let it finish, or stop it with: touch ${kill}`,
    });
  // No schedule that came round too early, but two installations on one file.
  return new UserError(`${what}: ${who}, started with ${holder.pipeline}.`, {
    exitCode: 1,
    hint: 'Two installations cannot use one database at the same time. Let that one finish, or name another file in pipeline.yaml under data: database.',
  });
}

/** Beside the database. */
function openLog({ pipeline, onlyStage, redact }: HoldOptions): Log {
  const path = join(dirname(pipeline.data.database), 'sync-data.log');
  const log = new Log({ path, redact });
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
