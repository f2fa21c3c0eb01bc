import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ImageProblem } from '../../lib/etsy/cdn.ts';
import { nap, sleep } from '../../lib/time.ts';
import type { ServicesWith } from '../../lib/services.ts';
import type { Tx } from '../../lib/store/database.ts';
import { FileError } from '../../lib/errors.ts';
import { NotAFile, namingFile, replaceFile } from '../../lib/store/files.ts';
import { SyncedFiles } from '../../lib/store/synced-files.ts';
import { addOddities } from '../../lib/dataset/oddities.ts';
import type { Oddity } from '../../lib/dataset/oddities.ts';
import { imagesDone, imagesFailed, nextImages } from '../../lib/dataset/images.ts';
import type { ImageFailure, ImageFile, ImageJob } from '../../lib/dataset/images.ts';
import { imagePath, inspectImage, keptPath, readImage } from '../../lib/dataset/image-files.ts';
import { ImagesFolder } from '../../lib/dataset/images-folder.ts';
import { MIN_IMAGE_BYTES } from '../../lib/dataset/jpeg.ts';

type Services = ServicesWith<'cdn'>;

/** Tries one after the other; what failed in passing gets as many again at the end of the run, and then in the next. */
const TRIES = 3;
/** The pauses before the tries at the end of a run, by how long the first pause after a failure is: 5 s, 20 s, 60 s. */
const ROUNDS = [10, 40, 120];
/** Downloads committed together: a commit waits for the disk, and a file already on disk is not fetched again. */
const GROUP = 25;
const GROUP_MS = 1000;

export interface Downloaded {
  readonly done: (ImageFile & { listingId: number })[];
  readonly failed: ImageFailure[];
  /** Of both, those that had failed in passing before and were tried again at the end of the run. */
  readonly again: ReadonlySet<number>;
  /** Set instead of both where nothing is left but what failed in passing: when that is tried again. Epoch ms. */
  readonly resumesAt?: number;
}

export interface Downloads {
  readonly services: Services;
  readonly hosts: readonly string[];
  readonly runId: number;
  readonly stop: AbortSignal;
  /** Whether more may come into the queue. */
  readonly more: () => boolean;
}

/** How often an empty queue is looked at while others may still fill it. Milliseconds. */
const LOOK_MS = 200;

/**
 * Downloads what is waiting, one image at a time, a second's worth a group, until nothing is left and no more may come.
 * Each group must be committed before the next is asked for.
 */
export async function* downloads(all: Downloads): AsyncGenerator<Downloaded, void, undefined> {
  const { services, stop, more } = all;
  const folder = new ImagesFolder(services.sql, services.imagesFolder);
  /** Failed in passing since the last round. */
  const resting = new Set<number>();
  /** All that have. */
  const rested = new Set<number>();
  for (let round = 0; ;) {
    stop.throwIfAborted();
    // Asked before the queue is looked at: what was put in it before the others ended is then surely seen.
    const isOpen = more();
    const isLast = round === ROUNDS.length;
    const group = await folderKept(folder, () => downloadGroup(all, folder, resting, isLast));
    if (group) {
      const again = new Set(
        [...group.done, ...group.failed].map((one) => one.listingId).filter((id) => rested.has(id)),
      );
      for (const { listingId, isFinal } of group.failed)
        if (isFinal === false) {
          resting.add(listingId);
          rested.add(listingId);
        }
      yield { ...group, again };
    } else if (isOpen) await sleep(LOOK_MS, stop);
    else if (resting.size > 0 && !isLast) {
      const pause = (ROUNDS[round] ?? 0) * services.cdn.firstPauseMs;
      yield { done: [], failed: [], again: new Set(), resumesAt: Date.now() + pause };
      await nap(pause, stop);
      resting.clear();
      round += 1;
    } else return;
  }
}

/** A folder that vanishes during the run is reported as such, not by the first file that cannot be written. */
async function folderKept<T>(folder: ImagesFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileError && error.code === 'ENOENT') await folder.ready();
    throw error;
  }
}

/** Undefined when nothing is waiting. */
async function downloadGroup(
  { services, hosts, runId, stop }: Downloads,
  folder: ImagesFolder,
  resting: ReadonlySet<number>,
  isLast: boolean,
): Promise<Downloaded | undefined> {
  const waiting = await nextImages(services.sql, runId, GROUP + resting.size);
  const jobs = waiting.filter((job) => !resting.has(job.listing_id)).slice(0, GROUP);
  if (jobs.length === 0) return undefined;
  const group: Downloaded = { done: [], failed: [], again: new Set() };
  const files = new SyncedFiles();
  const until = performance.now() + GROUP_MS;
  for (const job of jobs) {
    if (stop.aborted || performance.now() > until) break;
    // Each time: what is written into a folder that was put there since would be missing in the other one.
    await folder.ready();
    const result = await fetchImage(services, hosts, job, stop, isLast).catch((error: unknown) =>
      inTheWay(job, error),
    );
    if (result && 'reason' in result) group.failed.push(result);
    else if (result) {
      group.done.push(result);
      files.add(imagePath(folder.path, result.listingId));
    }
  }
  await files.synced();
  return group;
}

/** A folder under the name that the image is to have, or is written under first, costs this image alone. */
function inTheWay({ listing_id: listingId }: ImageJob, error: unknown): ImageFailure {
  if (!(error instanceof NotAFile)) throw error;
  const reason = `${error.what} is in the place of ${basename(error.path)}`;
  return { listingId, state: 'failed', reason, attempts: 0, isFinal: true };
}

export async function applyDownloads(tx: Tx, runId: number, group: Downloaded): Promise<void> {
  await imagesDone(tx, group.done);
  await imagesFailed(tx, group.failed, runId);
  await addOddities(tx, runId, triedAgain(group));
}

function triedAgain({ done, failed, again }: Downloaded): Oddity[] {
  const what = 'images could not be downloaded in three tries, and were tried again at the end of the run';
  const had = done.filter(({ listingId }) => again.has(listingId));
  const lost = failed.filter(({ listingId, isFinal }) => again.has(listingId) && isFinal);
  const [first, last] = [had[0], lost[0]];
  return [
    { what, became: 'downloaded', n: had.length, example: first && `listing ${first.listingId}` },
    {
      what,
      became: 'failed again; the next run tries again',
      n: lost.length,
      example: last && `listing ${last.listingId}: ${last.reason}`,
    },
  ];
}

/** @returns undefined when a stop came before the image did */
async function fetchImage(
  services: Services,
  hosts: readonly string[],
  job: ImageJob,
  stop: AbortSignal,
  isLast: boolean,
): Promise<(ImageFile & { listingId: number }) | ImageFailure | undefined> {
  const listingId = job.listing_id;
  const path = imagePath(services.imagesFolder, listingId);
  // A kill between the rename and the commit leaves the file: it is complete, and not asked for again. Where a reason
  // stands, or a file was on record, the file there is the very one that is to be replaced.
  const present = await inspectImage(path);
  const isToReplace = job.reason !== null || job.bytes !== null;
  if (!('fault' in present) && !isToReplace) return { ...present, listingId };
  if ('fault' in present && present.isInTheWay)
    return { listingId, state: 'failed', reason: present.fault, attempts: 0, isFinal: true };

  const early = await earlyFile(services.imagesFolder, job);
  if (early) return { ...(await keep(path, early)), listingId };

  for (let attempt = 1; ; attempt += 1) {
    try {
      const bytes = await services.cdn.download(job.url, hosts);
      return { ...(await keep(path, bytes)), listingId };
    } catch (error) {
      if (!(error instanceof ImageProblem)) throw error;
      const state = error.kind === 'missing' ? 'missing' : 'failed';
      if (error.kind !== 'passing' || attempt >= TRIES) {
        const isFinal = error.kind !== 'passing' || isLast;
        return { listingId, state, reason: error.message, attempts: attempt, isFinal };
      }
      if (stop.aborted) return undefined;
      await sleep(services.cdn.firstPauseMs * 2 ** attempt * (0.5 + Math.random()), stop).catch(
        () => undefined,
      );
      if (stop.aborted) return undefined;
    }
  }
}

/** The same image under the name that the earlier system gave it at times: {listing_id}_{image_id}.jpg. */
async function earlyFile(folder: string, job: ImageJob): Promise<Buffer | undefined> {
  const found = await readImage(join(folder, `${job.listing_id}_${job.image_id}.jpg`));
  return 'fault' in found ? undefined : found;
}

/**
 * Under a temporary name first: under its own, an image is complete. What was there before, and is not one of the
 * placeholders of earlier systems, is moved aside the first time: it may be somebody's.
 */
async function keep(path: string, bytes: Buffer): Promise<ImageFile> {
  const [before, kept] = [path, keptPath(path)].map((one) => lstatSync(one, { throwIfNoEntry: false }));
  if (before && !kept && (!before.isFile() || before.size >= MIN_IMAGE_BYTES))
    await namingFile(path, () => rename(path, keptPath(path)));
  await replaceFile(path, `${path}.part`, false, (file) => file.writeFile(bytes));
  const { mtimeMs } = await stat(path);
  return {
    bytes: bytes.length,
    modifiedMs: Math.floor(mtimeMs),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
