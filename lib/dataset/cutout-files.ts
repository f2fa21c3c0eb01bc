import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MOST_IMAGE_BYTES } from '../limits.ts';
import { namingFile, readRegular, replaceFile, syncPath } from '../store/files.ts';

/** cutouts/{listing_id}.webp */
export function cutoutPath(folder: string, listingId: number): string {
  return join(folder, `${listingId}.webp`);
}

export interface PictureFile {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** @returns the file with its hash, or why it cannot be read */
export async function readPicture(path: string): Promise<PictureFile | { readonly fault: string }> {
  try {
    const { bytes } = await readRegular(path, 'refuse', MOST_IMAGE_BYTES);
    return { bytes, sha256: sha256Of(bytes) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { fault: 'the file is missing' };
    if ('what' in error && typeof error.what === 'string') return { fault: `the file is ${error.what}` };
    throw error;
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Cutouts being written to disk. Each is written under a temporary name and renamed; `settled` resolves when all of
 * them, and their names, survive a power cut: the rows that say so come after it.
 */
export class CutoutFiles {
  readonly #folder: string;
  #syncing: Promise<void>[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    await namingFile(this.#folder, () => mkdir(this.#folder, { recursive: true }));
  }

  /** Whether the file of these many bytes is there; null: whether nothing has to be. */
  async has(listingId: number, bytes: number | null): Promise<boolean> {
    if (bytes === null) return true;
    const info = await lstat(cutoutPath(this.#folder, listingId)).catch(() => undefined);
    return info?.isFile() === true && info.size === bytes;
  }

  /** @throws FileError */
  async put(listingId: number, webp: Uint8Array): Promise<void> {
    const path = cutoutPath(this.#folder, listingId);
    await replaceFile(path, `${path}.part`, false, (file) => file.writeFile(webp));
    const synced = syncPath(path);
    // A failure is thrown by `settled`.
    synced.catch(() => undefined);
    this.#syncing.push(synced);
  }

  /** There is nothing to cut, or it failed: what was cut out of an earlier image is not left lying. @throws FileError */
  async remove(listingId: number): Promise<void> {
    const path = cutoutPath(this.#folder, listingId);
    await namingFile(path, () => rm(path, { force: true }));
    this.#syncing.push(Promise.resolve());
  }

  async settled(): Promise<void> {
    const syncing = this.#syncing;
    this.#syncing = [];
    await Promise.all(syncing);
    if (syncing.length > 0) await syncPath(this.#folder);
  }
}
