import { asTyped } from './text/typed.ts';

/** 1: the work failed. 2: the command line or the configuration is wrong. 75: stopped, to be resumed. */
export type UserExitCode = 1 | 2 | 3 | 75 | 129 | 130 | 143 | 0;

const UNFORESEEN = 'Unexpected error. Your last checkpoint is safe; run sync-data again to resume.';

/**
 * An error whose message is meant for the person at the terminal and needs no stack trace; all others are bugs.
 * Where it is thrown nothing is printed; the command prints message and hint once, and exits with `exitCode`.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  readonly exitCode: UserExitCode;
  /** What to do next. Shown on a line of its own. Undefined: the message says it. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    details: { exitCode: UserExitCode; hint: string | undefined; cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.exitCode = details.exitCode;
    this.hint = details.hint;
  }

  /** A setting or the key is wrong: no further start helps before the user has done something. */
  get needsUser(): boolean {
    return this.exitCode === 2;
  }

  /** What is printed. */
  told(): string {
    return this.hint === undefined ? this.message : `${this.message}\n${asTyped(this.hint)}`;
  }
}

/** What the file system refuses. The message names the file, `hint` says what to do. */
export class FileError extends UserError {
  override readonly name = 'FileError';
  readonly code: string;

  constructor(path: string, cause: NodeJS.ErrnoException) {
    const what = cause.message.replace(/^\w+: /, '').replace(/, .*$/, '');
    const hint = HINTS[cause.code ?? ''] ?? 'Nothing is lost. Fix the cause, then start sync-data again.';
    super(`${path}: ${what}`, { exitCode: 1, hint, cause });
    this.code = cause.code ?? '';
  }
}

const ROOM = 'Free some space there, then start sync-data again; it resumes from the last checkpoint.';
const RIGHTS = 'Make the file and its folder writable, then start sync-data again.';
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: `The disk is full. ${ROOM}`,
  EDQUOT: `The disk quota is used up. ${ROOM}`,
  EFBIG:
    'The file is larger than the disk or your user limit allows. Raise that limit, then start sync-data again.',
  EACCES: RIGHTS,
  EPERM: RIGHTS,
  EROFS: RIGHTS,
  EMFILE: 'Too many files are open. Raise the limit (ulimit -n), then start sync-data again.',
  ENFILE: 'Too many files are open on this machine. Close some programs, then start sync-data again.',
  EIO: 'Reading or writing the disk failed. Check the disk, then start sync-data again.',
  EEXIST: 'A file with the name of the folder is in the way. Move it, then start sync-data again.',
  ENOTDIR: 'One of its folders is a file. Move that file, then start sync-data again.',
  EISDIR: 'A folder with the name of the file is in the way. Move it, then start sync-data again.',
};

/** Gives an error of the file system the name of the file it is about, and what to do. */
export function asFileError(path: string, error: unknown): unknown {
  const isSystem = error instanceof Error && 'syscall' in error && 'code' in error;
  return isSystem && !(error instanceof FileError)
    ? new FileError(path, error as NodeJS.ErrnoException)
    : error;
}

/** The message, and what to do next on a line of its own; the trace only where nobody foresaw the error. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return `sync-data: ${String(error)}\n${UNFORESEEN}`;
  if (error instanceof UserError) return error.told();
  const named = asFileError('path' in error ? String(error.path) : 'a file', error);
  return named instanceof UserError ? named.told() : `${error.stack ?? error.message}\n${UNFORESEEN}`;
}

export function exitCodeOf(error: unknown): number {
  return error instanceof UserError ? error.exitCode : 1;
}
