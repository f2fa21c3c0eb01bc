import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What the file system refuses. The message names the file, `hint` says what to do. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: string;
  readonly hint: string;

  constructor(path: string, cause: NodeJS.ErrnoException) {
    const what = cause.message.replace(/^\w+: /, '').replace(/, .*$/, '');
    super(`${path}: ${what}`, { cause });
    this.code = cause.code ?? '';
    this.hint = HINTS[this.code] ?? 'Nothing is lost. Fix the cause, then start sync-data again.';
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

/** @throws FileError in place of what the file system throws */
export async function namingFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asFileError(path, error);
  }
}

/**
 * Puts a whole file in the place of `path`: readers see the old one or the new one, never half of it. It is written
 * under `temporary`, in the same folder, which is taken away again where something fails.
 *
 * @param durable true: a power cut does not undo it once this has resolved
 * @throws FileError
 */
export function replaceFile(
  path: string,
  temporary: string,
  durable: boolean,
  fill: (file: FileHandle) => Promise<unknown>,
): Promise<void> {
  return namingFile(path, async () => {
    const file = await createFile(temporary);
    try {
      try {
        await fill(file);
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    if (durable) await syncPath(dirname(path));
  });
}

/** A file that was not there before: a link under that name would lead elsewhere, so what is left there goes first. */
async function createFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await rm(path, { force: true });
    return open(path, 'wx', 0o644);
  }
}

/** Resolves when a file's content, or for a folder its files' names, is on disk. @throws FileError */
export function syncPath(path: string): Promise<void> {
  return namingFile(path, async () => {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } catch (error) {
      // Windows and some network file systems cannot do it this way; what is written is then as safe as it gets.
      if (!['EPERM', 'EINVAL', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    } finally {
      await handle.close();
    }
  });
}
