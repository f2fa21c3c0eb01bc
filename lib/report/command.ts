import { relative } from 'node:path';
import { describe, exitCodeOf } from '../describe.ts';
import { loadPipeline } from '../pipeline/config.ts';
import { printable } from '../text/format.ts';
import { writeReport } from './index.ts';

export interface ReportOptions {
  readonly cwd: string;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** `sync-data report`: prints where it lies. @returns the exit code */
export async function report({ cwd, stdout, stderr }: ReportOptions): Promise<number> {
  try {
    const path = await writeReport(await loadPipeline(cwd));
    stdout.write(`${printable(relative(cwd, path))}\n`);
    return 0;
  } catch (error) {
    stderr.write(`${printable(describe(error))}\n`);
    return exitCodeOf(error);
  }
}
