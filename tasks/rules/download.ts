import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageProblem } from '../../lib/etsy/cdn.ts';
import { sleep } from '../../lib/etsy/time.ts';
import type { ServicesWith } from '../../lib/services.ts';
import type { Tx } from '../../lib/store/database.ts';
import { namingFile, replaceFile } from '../../lib/store/files.ts';
import { SyncedFiles } from '../../lib/store/synced-files.ts';
import { imagesDone, imagesFailed, nextImages } from '../../lib/dataset/images.ts';
import type { ImageFailure, ImageFile, ImageJob } from '../../lib/dataset/images.ts';
import { imagePath, inspectImage } from '../../lib/dataset/image-files.ts';

type Services = ServicesWith<'cdn'>;

/** Tries within one run; a failed image gets as many in the next one. */
const TRIES = 3;
const PAUSE_MS = 400;
/** Downloads committed together: a commit waits for the disk, and a file that lies there already is not fetched again. */
const GROUP = 25;
const GROUP_MS = 1000;

export interface Downloaded {
  readonly done: (ImageFile & { listingId: number })[];
  readonly failed: ImageFailure[];
}

/** Downloads what is waiting, one image at a time, a second's worth a group; undefined when nothing is waiting. */
export async function downloadGroup(
  services: Services,
  hosts: readonly string[],
  runId: number,
  stop: AbortSignal,
): Promise<Downloaded | undefined> {
  const jobs = await nextImages(services.sql, runId, GROUP);
  if (jobs.length === 0) return undefined;
  const folder = services.imagesFolder;
  await namingFile(folder, () => mkdir(folder, { recursive: true, mode: 0o755 }));
  const group: Downloaded = { done: [], failed: [] };
  const files = new SyncedFiles();
  const until = performance.now() + GROUP_MS;
  for (const job of jobs) {
    if (stop.aborted || performance.now() > until) break;
    const result = await fetchImage(services, hosts, job, stop);
    if (result && 'reason' in result) group.failed.push(result);
    else if (result) {
      group.done.push(result);
      files.add(imagePath(folder, result.listingId));
    }
  }
  await files.synced();
  return group;
}

export async function applyDownloads(tx: Tx, runId: number, group: Downloaded): Promise<void> {
  await imagesDone(tx, group.done);
  await imagesFailed(tx, group.failed, runId);
}

/** @returns undefined when a stop came before the image did */
async function fetchImage(
  services: Services,
  hosts: readonly string[],
  job: ImageJob,
  stop: AbortSignal,
): Promise<(ImageFile & { listingId: number }) | ImageFailure | undefined> {
  const listingId = job.listing_id;
  const path = imagePath(services.imagesFolder, listingId);
  // A kill between the rename and the commit leaves the file: it is complete, and not asked for again. Where a reason
  // stands, the file there is the very one that is to be replaced.
  const present = job.reason === null ? await inspectImage(path) : undefined;
  if (present && !('fault' in present)) return { ...present, listingId };

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
        return { listingId, state, reason: error.message, attempts: attempt };
      }
      if (stop.aborted) return undefined;
      await sleep(PAUSE_MS * 2 ** attempt * (0.5 + Math.random()), stop).catch(() => undefined);
      if (stop.aborted) return undefined;
    }
  }
}

/** The same image under the name that the earlier system gave it at times: {listing_id}_{image_id}.jpg. */
async function earlyFile(folder: string, job: ImageJob): Promise<Buffer | undefined> {
  const path = join(folder, `${job.listing_id}_${job.image_id}.jpg`);
  return 'fault' in (await inspectImage(path)) ? undefined : readFile(path);
}

/** Under a temporary name first: under its own, an image is complete. */
async function keep(path: string, bytes: Buffer): Promise<ImageFile> {
  await replaceFile(path, `${path}.part`, false, (file) => file.writeFile(bytes));
  const { mtimeMs } = await stat(path);
  return {
    bytes: bytes.length,
    modifiedMs: Math.floor(mtimeMs),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
