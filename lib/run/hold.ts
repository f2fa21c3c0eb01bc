import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exitCodeOf } from '../describe.ts';
import { UserError } from '../errors.ts';
import { Log, fullText } from '../log/file.ts';
import type { Pipeline } from '../pipeline/config.ts';
import { Database } from '../store/database.ts';
import { Inspection } from '../store/inspection.ts';
import { acquireLock } from '../store/lock.ts';
import { migrate } from '../dataset/migrations.ts';
import { version } from '../version.ts';

export interface Held {
  readonly database: Database;
  readonly inspection: Inspection;
  readonly log: Log;
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
/** Whoever waits longer is told what for. Milliseconds. */
const TELL_MS = 1000;

/**
 * Holds the database while `work` is done: alone, inspected, brought to this version, with a log beside it.
 *
 * @param work gives the exit code
 * @throws UserError where another start holds it; what opening the database throws, and what `work` does
 */
export async function hold(options: HoldOptions, work: (held: Held) => Promise<number>): Promise<number> {
  const { pipeline, stderr } = options;
  await mkdir(dirname(pipeline.data.database), { recursive: true });
  const lock = await acquireLock(pipeline.data.database, { pid: process.pid, since: Date.now() });
  if ('pid' in lock) {
    const who =
      lock.pid === 0
        ? 'a process that has just started'
        : `process ${lock.pid}, since ${new Date(lock.since).toISOString()}`;
    throw new UserError(`Another sync-data is using ${pipeline.data.database}: ${who}.`, {
      exitCode: 1,
      hint: 'Let it finish, or stop it with: touch ' + pipeline.kill,
    });
  }
  const log = openLog(options);
  const inspection = new Inspection(pipeline.data.database);
  let exitCode = 1;
  let told = exitCode;
  try {
    const patience = setTimeout(() => {
      stderr.write(
        `The last run did not end cleanly: ${pipeline.data.database} is checked first, then the run proceeds.\n`,
      );
    }, TELL_MS);
    await inspection.wait(lock.endedCleanly ? SHORT_MS : LONG_MS).finally(() => clearTimeout(patience));
    const database = await Database.open(pipeline.data.database);
    try {
      await migrate(database);
      exitCode = told = await work({ database, inspection, log });
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
