import { dirname } from 'node:path';
import { replaceFile, syncPath } from './files.ts';

/**
 * Files that a step makes, on disk before its rows say that they are: each goes its way to the disk while the next one
 * is made. Call `synced` before the step is yielded.
 *
 * A kill in between leaves whole files that no row knows of: before making one, look whether it is there.
 */
export class SyncedFiles {
  readonly #folders = new Set<string>();
  readonly #syncing: Promise<void>[] = [];

  /** Puts a whole file under `path`: never half of it. @throws FileError */
  async put(path: string, bytes: Uint8Array): Promise<void> {
    await replaceFile(path, `${path}.part`, false, (file) => file.writeFile(bytes));
    this.add(path);
  }

  /** A file that is there already, whole, and may not be on disk yet. */
  add(path: string): void {
    const synced = syncPath(path);
    // A failure is thrown by `synced`.
    synced.catch(() => undefined);
    this.#syncing.push(synced);
    this.#folders.add(dirname(path));
  }

  /** Resolves when all files, and their names, are on disk. @throws FileError */
  async synced(): Promise<void> {
    await Promise.all(this.#syncing.splice(0));
    for (const folder of this.#folders) await syncPath(folder);
    this.#folders.clear();
  }
}
