import { createHash } from 'node:crypto';
import { existsSync, lstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MOST_IMAGE_BYTES } from '../limits.ts';
import { NotAFile, chunksOf, openRegular, readAll } from '../store/files.ts';
import { faultOfJpeg, jpegFault, mayHaveTrailer } from './jpeg.ts';
import type { ImageFile } from './images.ts';

/** images/{listing_id}.jpg */
export function imagePath(folder: string, listingId: number): string {
  return join(folder, `${listingId}.jpg`);
}

/** The name beside an image under which what was there before is kept, once. */
export function keptPath(path: string): string {
  return `${path}.kept`;
}

const KEPT = /\.jpg\.kept$/;
/** What systems, synchronisers and network disks leave in folders of their own accord. */
const LITTER =
  /^(?:\._.*|\.DS_Store|\.localized|\.AppleDouble|\.apdisk|\.fseventsd|\.Spotlight-V100|\.Trashes|\.Trash-\d+|\.TemporaryItems|\.DocumentRevisions-V100|\.VolumeIcon\.icns|Icon\r|Thumbs\.db|ehthumbs.*\.db|desktop\.ini|\$RECYCLE\.BIN|System Volume Information|lost\+found|@eaDir|#recycle|\.directory|\.nfs[0-9a-f]+|\.st(?:folder|versions|ignore)|\.dropbox.*|\..*\.icloud)$/i;

/** Whether a file in the images folder is neither an image nor anybody's: it is passed over in silence. */
export function isLitter(name: string): boolean {
  return LITTER.test(name) || KEPT.test(name) || name === FETCH_AGAIN;
}

/** An empty file of this name, made by the user: images that are missing all at once are meant to be downloaded again. */
export const FETCH_AGAIN = 'FETCH_AGAIN';

export interface ImageFault {
  readonly fault: string;
  /** Not to be replaced: something else has its name, or the file is elsewhere and comes back. */
  readonly isInTheWay?: boolean;
}

/** @returns the file on disk, or what is wrong with it ("missing", "empty", "not a JPEG", …) */
export function inspectImage(path: string): Promise<ImageFile | ImageFault> {
  return opened(path, (file, info) => inspected(file, info, path));
}

/** The same with the hash of its content, all from one look: its name may lead elsewhere a moment later. */
export function inspectAndHash(path: string): Promise<ImageFile | ImageFault> {
  return opened(path, async (file, info) => {
    const found = await inspected(file, info, path);
    if ('fault' in found) return found;
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(file)) hash.update(chunk);
    return { ...found, sha256: hash.digest('hex') };
  });
}

/** The whole of a complete image, or what is wrong with it. */
export function readImage(path: string): Promise<Buffer | ImageFault> {
  return opened(path, async (file, info) => {
    const bytes = await readAll(file, path, info, MOST_IMAGE_BYTES);
    const fault = faultOfJpeg(bytes);
    return fault ? { fault } : bytes;
  });
}

async function inspected(file: FileHandle, info: Stats, path: string): Promise<ImageFile | ImageFault> {
  const start = Buffer.alloc(3);
  const end = Buffer.alloc(2);
  await file.read(start, 0, 3, 0);
  await file.read(end, 0, 2, Math.max(0, info.size - 2));
  const quick = jpegFault(info.size, start, end);
  const isRead = mayHaveTrailer(quick) && info.size <= MOST_IMAGE_BYTES;
  const fault = isRead ? faultOfJpeg(await readAll(file, path, info, MOST_IMAGE_BYTES)) : quick;
  return fault ? { fault } : { bytes: info.size, modifiedMs: Math.floor(info.mtimeMs), sha256: null };
}

async function opened<Found>(
  path: string,
  look: (file: FileHandle, info: Stats) => Promise<Found>,
): Promise<Found | ImageFault> {
  let file: FileHandle | undefined;
  try {
    // Not through a symbolic link: it would lead out of the images folder.
    const found = await openRegular(path, 'refuse');
    ({ file } = found);
    return await look(file, found.info);
  } catch (error) {
    return notOpened(path, error);
  } finally {
    await file?.close();
  }
}

/** Costs this one image, whatever it is; what the whole disk or computer refuses is thrown. */
function notOpened(path: string, error: unknown): ImageFault {
  if (error instanceof NotAFile) {
    return error.what === 'a symbolic link'
      ? { fault: error.what }
      : { fault: `${error.what} is in its place`, isInTheWay: true };
  }
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return existsSync(evictedPath(path)) ? { fault: EVICTED, isInTheWay: true } : { fault: 'missing' };
  if (['EACCES', 'EPERM', 'EIO', 'EISDIR'].includes(code)) return { fault: `it cannot be read (${code})` };
  throw error;
}

const EVICTED = 'kept in iCloud only: open it, or switch off "Optimise Mac Storage"';

/** images/.{name}.icloud stands for a file that iCloud Drive has moved off this computer. */
export function evictedPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.icloud`);
}

/** Of `listingIds`, those whose complete image is already on disk. */
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
