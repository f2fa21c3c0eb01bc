import { z } from 'zod';
import { sleep } from '../lib/etsy/time.ts';
import { countImages } from '../lib/dataset/images.ts';
import type { Figure } from '../lib/task/telling.ts';
import { count, megabytes } from '../lib/text/format.ts';
import { tellImages } from '../lib/dataset/tells.ts';
import { defineTask } from '../lib/define-task.ts';
import { applyDownloads, downloadGroup } from './rules/download.ts';

/** How often an empty queue is looked at while others may still fill it. Milliseconds. */
const LOOK_MS = 200;

/**
 * The download worker: one image at a time, over one connection, into images/{listing_id}.jpg. Ends once the stages it
 * runs alongside have ended and nothing is waiting. The queue is the images table, so there is no cursor.
 */
export default defineTask({
  title: 'Images',
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

  async *run(_unit, _cursor, { options, services, runId, stop, companionsActive }) {
    let [done, failed] = [0, 0];
    for (;;) {
      stop.throwIfAborted();
      // Asked before the queue is looked at: what was put in it before the others ended is then surely seen.
      const more = companionsActive();
      const group = await downloadGroup(services, options.hosts, runId, stop);
      if (group) {
        done += group.done.length;
        failed += group.failed.length;
        yield {
          write: (tx) => applyDownloads(tx, runId, group),
          progress: { done, note: failed > 0 ? `${failed} failed` : '' },
        };
      } else if (more) await sleep(LOOK_MS, stop);
      else return;
    }
  },
});
