import { lstatSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import type { Sql } from '../store/database.ts';
import { asFileError } from '../errors.ts';
import { FETCH_AGAIN, evictedPath, imagePath } from './image-files.ts';

/** Places in the order of ids at which records are looked at, and records at each: some 200 tell of a million. */
const PLACES = 10;
const EACH = 20;
/** From so many on, most of them missing is no accident. */
const MANY = 20;

/**
 * The folder of the images. Its disk may not be mounted, or be pulled out: then everything on record would seem to be
 * missing, and be downloaded to wherever the path leads now.
 */
export class ImagesFolder {
  readonly #sql: Sql;
  readonly path: string;
  /** Device and inode when it was last found in order. */
  #seen: string | undefined;

  constructor(sql: Sql, path: string) {
    this.#sql = sql;
    this.path = path;
  }

  /**
   * Makes the folder where it is not there and nothing is on record; its parent must be there.
   * @throws UserError with exit code 1 where the folder is not the one of before any more, else 2; FileError
   */
  async ready(): Promise<void> {
    const now = await this.#identity();
    if (now !== undefined && now === this.#seen) return;
    if (this.#seen !== undefined && isThere(dirname(this.path))) throw this.#changed(now !== undefined);
    await this.check();
    if (now === undefined) await makeFolder(this.path, 'data: images');
    this.#seen = await this.#identity();
  }

  /** @throws UserError (exit code 2) where images are on record that are not there, all or most of them */
  async check(): Promise<void> {
    const [row] = await this.#sql.all<{ n: number; first: number; last: number }>(
      "SELECT count(*) AS n, min(listing_id) AS first, max(listing_id) AS last FROM images WHERE state = 'done'",
    );
    if (!row || row.n === 0) return;
    const problem = await this.#problem(row.first, row.last);
    const marker = join(this.path, FETCH_AGAIN);
    if (problem === undefined) {
      await rm(marker, { force: true });
    } else if (!isThere(marker)) {
      throw new UserError(`${problem}, but ${row.n} are on record. Is its disk mounted?`, {
        exitCode: 2,
        hint: `Mount it, or put the folder back, then start sync-data again. To download them again instead: mkdir -p "${this.path}" && touch "${marker}"`,
      });
    }
  }

  async #problem(first: number, last: number): Promise<string | undefined> {
    if (!isThere(this.path)) return `The images folder ${this.path} does not exist`;
    const ids = await this.#sample(first, last);
    const missing = ids.filter((id) => {
      const path = imagePath(this.path, id);
      return !isThere(path) && !isThere(evictedPath(path));
    });
    if (missing.length === ids.length) return `None of the images is in ${this.path}`;
    const isMost = ids.length >= MANY && missing.length * 2 > ids.length;
    return isMost ? `Most of the images are missing in ${this.path}` : undefined;
  }

  async #sample(first: number, last: number): Promise<number[]> {
    const ids = new Set<number>();
    for (let place = 0; place < PLACES; place += 1) {
      const from = Math.floor(first + ((last - first) * place) / PLACES);
      const rows = await this.#sql.all<{ id: number }>(
        "SELECT listing_id AS id FROM images WHERE state = 'done' AND listing_id >= ? ORDER BY listing_id LIMIT ?",
        [from, EACH],
      );
      for (const { id } of rows) ids.add(id);
    }
    return [...ids];
  }

  /** What would be written now would be missing where the rest is. */
  #changed(isThereAnother: boolean): UserError {
    const what = isThereAnother ? 'replaced by another folder' : 'moved or deleted';
    return new UserError(`The images folder ${this.path} was ${what} while sync-data was using it.`, {
      exitCode: 1,
      hint: 'Put it back, or name its new place in pipeline.yaml under data: images, then start sync-data again.',
    });
  }

  async #identity(): Promise<string | undefined> {
    try {
      const info = await stat(this.path);
      return `${info.dev} ${info.ino}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw asFileError(this.path, error);
    }
  }
}

/**
 * Makes the last folder of a configured path, and none above it: the mount point of a disk that is not there is one.
 * @param key of pipeline.yaml, for the message
 * @throws UserError (exit code 2), FileError
 */
export async function makeFolder(path: string, key: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o755 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw noFolder(dirname(path), key);
    const isFolder = code === 'EEXIST' && (await stat(path).catch(() => undefined))?.isDirectory();
    if (!isFolder) throw asFileError(path, error);
  }
}

/**
 * Makes the folder of image_metadata.json where it is missing; whoever opens the database makes that one. First looks at
 * all paths: one that lacks more than its last folder leads to a disk that is not mounted, and then nothing is begun anew.
 * @throws UserError (exit code 2), FileError
 */
export async function makeFolders(data: {
  readonly database: string;
  readonly metadata: string;
  readonly images: string;
}): Promise<void> {
  const metadata = dirname(data.metadata);
  for (const { path, key } of [
    { path: dirname(data.database), key: 'data: database' },
    { path: metadata, key: 'data: metadata' },
    { path: data.images, key: 'data: images' },
  ]) {
    if (!isThere(path) && !isThere(dirname(path))) throw noFolder(dirname(path), key);
  }
  // A folder for both is made for the database, or refused.
  if (!isThere(metadata) && metadata !== dirname(data.database)) await makeFolder(metadata, 'data: metadata');
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function noFolder(path: string, key: string): UserError {
  return new UserError(
    `The folder ${path} does not exist; ${key} in pipeline.yaml lies in it. Is its disk mounted?`,
    {
      exitCode: 2,
      hint: `Mount it and start again. If the folder is to be new: mkdir -p "${path}"`,
    },
  );
}
