import pLimit from 'p-limit';
import sharp from 'sharp';
import type { Job, OwnPool, Result } from '../../lib/models/jobs.ts';
import { pictureSize } from '../../lib/models/picture-size.ts';
import { sleep } from '../../lib/time.ts';

const made = new Map<string, Promise<Uint8Array>>();

/** In place of threads with a model: takes so many milliseconds a picture, and answers with a cutout of its size. */
export function stubPool(milliseconds: number): OwnPool {
  const turn = pLimit(1);
  return {
    threads: 1,
    width: 2,
    run: (job) =>
      turn(async () => {
        await sleep(milliseconds * job.items.length);
        const items: Result[] = [];
        for (const item of job.items) items.push(await answer(item));
        return { worker: 'stub', ms: milliseconds * job.items.length, items };
      }),
    compare: () => Promise.resolve({ overlap: 1, colours: 0 }),
    close: () => Promise.resolve(),
  };
}

async function answer(item: Job['items'][number]): Promise<Result> {
  const size = 'bytes' in item ? pictureSize(item.bytes) : undefined;
  if (!size) return { id: item.id, error: 'not a picture' };
  const key = `${size.width} ${size.height}`;
  const webp = made.get(key) ?? drawn(size);
  made.set(key, webp);
  return { id: item.id, cutout: { state: 'done', webp: await webp, cover: 0.3, box: [0, 0, 1, 1] } };
}

/** Noise, so that it is about as long as a cutout is: 30 KB. */
async function drawn({ width, height }: { width: number; height: number }): Promise<Uint8Array> {
  const noise = Buffer.from(Uint8Array.from({ length: 24 * 24 * 4 }, (_, at) => (at * 7919) % 251));
  const image = sharp(noise, { raw: { width: 24, height: 24, channels: 4 } });
  return new Uint8Array(await image.resize(width, height, { fit: 'fill' }).webp({ quality: 85 }).toBuffer());
}
