import { chmodSync, closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError, asFileError } from '../errors.ts';

/** @throws FileError in place of what the file system throws */
export async function namingFile<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asFileError(path, error);
  }
}

/** Something other than a file has a file's name, or the file is too large. */
export class NotAFile extends UserError {
  override readonly name = 'NotAFile';
  /** "a symbolic link", "a folder", "a pipe", … */
  readonly what: string;
  readonly path: string;

  constructor(path: string, what: string, message = `${path} is ${what}, not a file`) {
    super(message, { exitCode: 1, hint: 'Move it away, then start sync-data again.' });
    this.what = what;
    this.path = path;
  }
}

/** A file that was checked, and what was found: work on this handle, for by now its name may lead elsewhere. */
export interface Opened {
  readonly file: FileHandle;
  readonly info: Stats;
}

const CHUNK_BYTES = 256 * 1024;
/** What is not there on Windows is 0. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants as Partial<typeof constants>;

/**
 * Opens a file to read. Never waits, as the usual way does at a pipe that nobody writes to, and past every stop.
 *
 * @param links refuse: a symbolic link is no file (whatever else may write into the folder); follow: it is its owner's
 * @throws NotAFile for a link, folder, pipe, socket or device, and what the file system throws (ENOENT where there is none)
 */
export async function openRegular(path: string, links: 'refuse' | 'follow'): Promise<Opened> {
  let file: FileHandle | undefined;
  try {
    const flags = constants.O_RDONLY | O_NONBLOCK | O_NOCTTY | (links === 'refuse' ? O_NOFOLLOW : 0);
    file = await open(path, flags);
    const info = await file.stat();
    if (!info.isFile()) throw new NotAFile(path, kindOf(info));
    return { file, info };
  } catch (error) {
    await file?.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP' || code === 'EMLINK') throw new NotAFile(path, 'a symbolic link');
    // A socket cannot be opened, nor can a device that is not there.
    if (code === 'ENXIO') throw new NotAFile(path, 'a socket or a device');
    throw error;
  }
}

/**
 * The whole of a file, for what is small by nature.
 *
 * @param most bytes
 * @throws NotAFile also where it is larger, and what `openRegular` throws
 */
export async function readRegular(
  path: string,
  links: 'refuse' | 'follow',
  most: number,
): Promise<{ readonly bytes: Buffer; readonly info: Stats }> {
  const { file, info } = await openRegular(path, links);
  try {
    return { bytes: await readAll(file, path, info, most), info };
  } finally {
    await file.close();
  }
}

/** From the handle that was checked. It may grow while it is read, and files of the system say that they are empty. */
export async function readAll(file: FileHandle, path: string, info: Stats, most: number): Promise<Buffer> {
  const tooLarge = (): NotAFile => new NotAFile(path, 'too large', `${path} has more than ${most} bytes`);
  if (info.size > most) throw tooLarge();
  const chunks: Buffer[] = [];
  for (let size = 0; ;) {
    const chunk = Buffer.allocUnsafe(Math.min(most, Math.max(info.size, 4095)) + 1);
    const { bytesRead } = await file.read(chunk, 0, chunk.length, size);
    if (bytesRead === 0) return chunks.length === 1 ? (chunks[0] ?? chunk) : Buffer.concat(chunks, size);
    size += bytesRead;
    if (size > most) throw tooLarge();
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

/** What a file holds up to `end` (exclusive), some at a time. The handle stays open, as a stream would not leave it. */
export async function* chunksOf(file: FileHandle, end = Infinity): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < end;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/**
 * Opens a file to append to, made where it is not there. Neither waits at a pipe nor follows a link.
 *
 * @param mode of a new file, less what the umask takes away
 * @returns the descriptor. @throws NotAFile, and what the file system throws
 */
export function openToAppend(path: string, mode: number): { readonly file: number; readonly info: Stats } {
  const flags =
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
  let file: number | undefined;
  try {
    file = openSync(path, flags, mode);
    const info = fstatSync(file);
    if (!info.isFile()) throw new NotAFile(path, kindOf(info));
    return { file, info };
  } catch (error) {
    if (file !== undefined) closeSync(file);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP' || code === 'EMLINK') throw new NotAFile(path, 'a symbolic link');
    if (code === 'ENXIO') throw new NotAFile(path, 'a pipe, a socket or a device');
    if (code === 'EISDIR') throw new NotAFile(path, 'a folder');
    throw error;
  }
}

/**
 * Sees to it that a file is there which only its owner may open, and that it is a file: what opens it by its name next
 * does not follow links. Whatever the file system refuses is reported for that file.
 *
 * @throws NotAFile
 */
export function makePrivate(path: string): void {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info && !info.isFile()) throw new NotAFile(path, kindOf(info));
  try {
    // Not opened where it is there: closing it again would let go of the locks that this process has on it.
    if (!info) closeSync(openSync(path, 'wx', 0o600));
    else if ((info.mode & 0o077) !== 0 && info.uid === process.getuid?.()) chmodSync(path, 0o600);
  } catch {
    // Made by another process in this moment, or not to be made.
  }
}

function kindOf(info: Stats): string {
  if (info.isSymbolicLink()) return 'a symbolic link';
  if (info.isDirectory()) return 'a folder';
  if (info.isFIFO()) return 'a pipe';
  return info.isSocket() ? 'a socket' : 'a device';
}

/**
 * Puts a whole file in the place of `path`: readers see the old one or the new one, never half of it. It is written
 * under `temporary`, in the same folder, which is taken away again where something fails. Mode and owner stay those of
 * the file that was there; a new file has what the umask leaves.
 *
 * @param durable true: a power cut does not undo it once this has resolved
 * @param last done at the last moment, once all is on disk: where it throws, nothing is replaced
 * @throws FileError; NotAFile where a folder has the temporary name
 */
export function replaceFile(
  path: string,
  temporary: string,
  durable: boolean,
  fill: (file: FileHandle) => Promise<unknown>,
  last: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  return namingFile(path, async () => {
    const old = await lstat(path).catch(() => undefined);
    const file = await createFile(temporary, old?.isFile() ? old.mode & 0o777 : 0o666);
    try {
      try {
        await fill(file);
        if (old?.isFile()) await takeOver(file, old);
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
      await last();
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    if (durable) await syncPath(dirname(path));
  });
}

/** A file that was not there before: a link under that name would lead elsewhere, so what is left there goes first. */
async function createFile(path: string, mode: number): Promise<FileHandle> {
  try {
    return await open(path, 'wx', mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((await lstat(path)).isDirectory()) throw new NotAFile(path, 'a folder');
    await rm(path, { force: true });
    return open(path, 'wx', mode);
  }
}

/** Owner, group and mode of the file that is replaced, as far as this user may set them. */
async function takeOver(file: FileHandle, old: Stats): Promise<void> {
  const now = await file.stat();
  // Only root may give a file away; a member of its group may keep the group.
  if (now.uid !== old.uid || now.gid !== old.gid) {
    await file
      .chown(old.uid, old.gid)
      .catch(() => file.chown(now.uid, old.gid))
      .catch(() => undefined);
  }
  // After the owner: a change of owner can clear bits. A disk without modes (exFAT) refuses.
  if (now.mode !== old.mode) await file.chmod(old.mode & 0o7777).catch(() => undefined);
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
