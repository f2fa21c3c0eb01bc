import { constants, lstatSync } from 'node:fs';
import { open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { jpegFault } from '../etsy/cdn.ts';
import type { ImageFile } from './images.ts';

/** images/{listing_id}.jpg */
export function imagePath(folder: string, listingId: number): string {
  return join(folder, `${listingId}.jpg`);
}

/** @returns the file as it lies there, or what is wrong with it ("missing", "empty", "not a JPEG", …) */
export async function inspectImage(path: string): Promise<ImageFile | { readonly fault: string }> {
  let file;
  try {
    // Not through a symbolic link: it would lead out of the images folder.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { fault: 'missing' };
    if (code === 'ELOOP') return { fault: 'a symbolic link' };
    throw error;
  }
  try {
    const info = await file.stat();
    if (!info.isFile()) return { fault: 'not a file' };
    const start = Buffer.alloc(3);
    const end = Buffer.alloc(2);
    await file.read(start, 0, 3, 0);
    await file.read(end, 0, 2, Math.max(0, info.size - 2));
    const fault = jpegFault(info.size, start, end);
    return fault ? { fault } : { bytes: info.size, modifiedMs: Math.floor(info.mtimeMs), sha256: null };
  } finally {
    await file.close();
  }
}

/** Of `listingIds`, those whose complete image lies on disk already. */
export async function imagesOnDisk(
  folder: string,
  listingIds: readonly number[],
): Promise<(ImageFile & { listingId: number })[]> {
  const found = [];
  for (const listingId of listingIds) {
    const path = imagePath(folder, listingId);
    // Mostly there is none: asked for so, that costs no exception and no turn of the thread pool.
    if (!lstatSync(path, { throwIfNoEntry: false })) continue;
    const file = await inspectImage(path);
    if (!('fault' in file)) found.push({ ...file, listingId });
  }
  return found;
}

/** Names in the images folder, some at a time; none where it is not there yet. */
export async function* imageNames(folder: string): AsyncGenerator<string[], void, undefined> {
  let names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      names.push(entry.name);
      if (names.length === 1000) {
        yield names;
        names = [];
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (names.length > 0) yield names;
}
