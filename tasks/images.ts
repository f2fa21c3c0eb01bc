import { z } from 'zod';
import { countImages } from '../lib/dataset/images.ts';
import { ImagesFolder } from '../lib/dataset/images-folder.ts';
import { tellImages } from '../lib/dataset/tells.ts';
import type { Figure } from '../lib/task/telling.ts';
import { count, megabytes } from '../lib/text/format.ts';
import { defineTask } from '../lib/define-task.ts';
import { applyDownloads, downloads } from './rules/download.ts';

/**
 * The download worker: one image at a time, over one connection, into images/{listing_id}.jpg. Ends once the stages it
 * runs alongside have ended and nothing is waiting. The queue is the images table, so there is no cursor.
 */
export default defineTask({
  title: 'Images',
  carriesOver: true,
  options: z.object({
    hosts: z
      .array(z.string().min(1))
      .min(1)
      .describe('Hosts that images may come from; an address on another is refused.'),
  }),
  cursor: z.object({}),
  uses: ['cdn'],
  tells: tellImages,
  async figures({ services: { sql, cdn } }) {
    const { done, waiting, failed, missing } = await countImages(sql);
    const lost = failed + missing;
    const facts: Figure[] = [
      { text: `${count(done)} on disk` },
      { text: `${count(waiting)} waiting` },
      { text: `${count(lost)} failed`, isAlarm: lost > 0 },
    ];
    if (cdn.received >= 1e6) facts.push({ text: megabytes(cdn.received), isSpare: true });
    return [{ label: 'Images', facts }];
  },
  shares: ({ hosts }) => ({ imageHosts: hosts }),

  units: () => [{ id: 'queue', title: 'Images', noun: 'images' }],

  async prepare({ services }) {
    await new ImagesFolder(services.sql, services.imagesFolder).check();
    return undefined;
  },

  async *run(_unit, _cursor, { options, services, runId, stop, companionsActive }) {
    let done = 0;
    /** Ids, because what failed in passing may be had in the end. */
    const failed = new Set<number>();
    const all = { services, hosts: options.hosts, runId, stop, more: companionsActive };
    for await (const group of downloads(all)) {
      done += group.done.length;
      for (const { listingId } of group.done) failed.delete(listingId);
      for (const { listingId } of group.failed) failed.add(listingId);
      const again = group.resumesAt === undefined ? '' : `, trying again at ${clock(group.resumesAt)}`;
      yield {
        write: (tx) => applyDownloads(tx, runId, group),
        progress: { done, note: failed.size > 0 ? `${failed.size} failed${again}` : '' },
      };
    }
  },
});

/** "12:03:20 UTC" */
function clock(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(11, 19)} UTC`;
}
