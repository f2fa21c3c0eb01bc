import { relative } from 'node:path';
import { describe, exitCodeOf } from '../errors.ts';
import { loadPipeline } from '../pipeline/config.ts';
import { keyRedactor } from '../etsy/key.ts';
import { pathToRead } from '../store/reading.ts';
import { printable } from '../text/clean.ts';
import { Redactor } from '../text/redact.ts';
import { writeReport } from './index.ts';

export interface ReportOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** `sync-data report`: prints its path. @returns the exit code */
export async function report({ cwd, env, stdout, stderr }: ReportOptions): Promise<number> {
  let secrets = new Redactor([]);
  try {
    const pipeline = await loadPipeline(cwd, {
      secrets: async (folder) => (secrets = await keyRedactor(folder, env)),
      tasks: 'own',
    });
    // Not in writeReport: at the end of a run it reads what the run itself has open.
    const real = await pathToRead(pipeline.data.database);
    const path = await writeReport(pipeline, (text) => secrets.text(text), real);
    stdout.write(`${printable(relative(cwd, path))}\n`);
    return 0;
  } catch (error) {
    stderr.write(`${secrets.text(printable(describe(error)))}\n`);
    return exitCodeOf(error);
  }
}
