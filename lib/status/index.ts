import { describe, exitCodeOf } from '../describe.ts';
import { loadPipeline } from '../pipeline/config.ts';
import { printable } from '../text/format.ts';
import { printed } from './print.ts';
import { readStatus } from './read.ts';

export interface StatusOptions {
  readonly cwd: string;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WritableStream;
  readonly json: boolean;
}

/** `sync-data status`: how things stand, for a person or for a program. @returns the exit code */
export async function status({ cwd, stdout, stderr, json }: StatusOptions): Promise<number> {
  try {
    const pipeline = await loadPipeline(cwd);
    const found = await readStatus(pipeline);
    const { kill, rules } = pipeline;
    const options = { cwd, killFile: kill, madeSince: rules.madeSince, width: stdout.columns || 80 };
    stdout.write(json ? `${JSON.stringify(found, undefined, 2)}\n` : printable(printed(found, options)));
    return 0;
  } catch (error) {
    stderr.write(`${printable(describe(error))}\n`);
    return exitCodeOf(error);
  }
}
