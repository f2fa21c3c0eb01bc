import { appendFileSync, closeSync, ftruncateSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { openToAppend } from '../store/files.ts';
import { clip, printable } from '../text/clean.ts';

/** A file larger than this is put aside, as sync-data.1.log; the oldest of these is given up. */
const MAX_BYTES = 10 * 1024 * 1024;
const KEPT = 4;
/** Of one text in a line: the trace of an error has a few thousand. Characters. */
const MOST_TEXT = 16_000;

export interface LogOptions {
  /** Ends in .log. */
  readonly path: string;
  /** Strikes the API key out. */
  readonly redact: (text: string) => string;
  readonly maxBytes?: number;
}

/**
 * The run log: one JSON object a line, `time` (ISO 8601, UTC), `run` (null before it is known), `event`, and fields of
 * the event. Every line has left the process when `write` returns, so a kill loses none; a stream would hold some
 * back. It never throws; `onProblem` is called once.
 */
export class Log {
  runId: number | undefined;
  readonly #options: LogOptions;
  /** A process that is ended at once, or by an error that nobody foresaw, still says so. */
  readonly #onExit = (code: number): void => this.write('end', { exitCode: code, atOnce: true });
  readonly #onUncaught = (error: unknown): void => this.write('failure', { error: fullText(error) });
  #problem: string | undefined;
  /** Device and inode of where it was first written. */
  #folder: string | undefined;
  #tell: ((problem: string) => void) | undefined;
  #lost = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    process.on('exit', this.#onExit);
    process.on('uncaughtExceptionMonitor', this.#onUncaught);
  }

  /** The last line. */
  end(exitCode: number): void {
    this.write('end', { exitCode });
    process.off('exit', this.#onExit);
    process.off('uncaughtExceptionMonitor', this.#onUncaught);
  }

  get path(): string {
    return this.#options.path;
  }

  write(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    try {
      if (this.#lost > 0) this.#append(this.#line('log', { linesLost: this.#lost, problem: this.#problem }));
      this.#lost = 0;
      this.#append(this.#line(event, fields));
    } catch (error) {
      this.#lost += 1;
      if (this.#problem !== undefined) return;
      const why = error instanceof Error ? error.message : String(error);
      this.#problem = `cannot write the log: ${why}; the run continues without it`;
      this.#tell?.(this.#problem);
    }
  }

  onProblem(tell: (problem: string) => void): void {
    this.#tell = tell;
    if (this.#problem !== undefined) tell(this.#problem);
  }

  #line(event: string, fields: Readonly<Record<string, unknown>>): string {
    const { redact } = this.#options;
    const record = { time: new Date().toISOString(), run: this.runId ?? null, event, ...fields };
    const clean = (_: string, value: unknown): unknown =>
      typeof value === 'string' ? clip(redact(printable(value.slice(0, 2 * MOST_TEXT))), MOST_TEXT) : value;
    return `${JSON.stringify(record, clean)}\n`;
  }

  #append(line: string): void {
    const { path, maxBytes = MAX_BYTES } = this.#options;
    const { dev, ino } = statSync(dirname(path));
    this.#folder ??= `${dev} ${ino}`;
    // The dataset was moved away: nothing of it belongs there.
    if (this.#folder !== `${dev} ${ino}`) throw new Error(`${dirname(path)} was replaced by another folder`);
    const { file, info } = openToAppend(path, 0o644);
    let isFull = false;
    try {
      const { size } = info;
      isFull = size > 0 && size + Buffer.byteLength(line) > maxBytes;
      if (!isFull) this.#appendWhole(file, line, size);
    } finally {
      closeSync(file);
    }
    if (!isFull) return;
    for (let age = KEPT - 1; age >= 0; age -= 1) moveIfThere(aged(path, age), aged(path, age + 1));
    this.#append(line);
  }

  /** All of it or nothing: half a line is no JSON. */
  #appendWhole(file: number, line: string, size: number): void {
    try {
      appendFileSync(file, line);
    } catch (error) {
      try {
        ftruncateSync(file, size);
      } catch {
        // `onProblem` reports why the line could not be written.
      }
      throw error;
    }
  }
}

function aged(path: string, age: number): string {
  return age === 0 ? path : path.replace(/\.log$/, `.${age}.log`);
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** An error with its trace, and what caused it with theirs. */
export function fullText(error: unknown): string {
  return inspect(error, { depth: 4, breakLength: Infinity });
}
