import { shopsLacking } from '../../lib/dataset/checks.ts';
import { closeRepaired, imagesToLookAt } from '../../lib/dataset/findings.ts';
import { imagePath, inspectImage } from '../../lib/dataset/image-files.ts';
import { refusedListings, settleUnmet } from '../../lib/dataset/set-aside.ts';
import { inFlight } from '../../lib/task/in-flight.ts';
import { WINDOW } from '../../lib/task/window.ts';
import { nowSeconds } from '../../lib/time.ts';
import { applyBatch, applyShops } from './apply.ts';
import { doneAsking, fetchBatch, fetchShop, nextInBatch } from './batch.ts';
import { wantUnknown } from './check.ts';
import type { CheckContext, CheckSteps } from './check.ts';
import { applyDownloads, downloads } from './download.ts';

/** Batches for what lacks rows or an image, then the images; a shop whose listings are all gone is asked for itself. */
export async function* repair(context: CheckContext): CheckSteps {
  const { services, runId, stop } = context;
  const { sql } = services;
  let done = 0;
  yield* batches();
  for (const shopId of await shopsLacking(sql)) {
    const shop = await fetchShop(services, shopId);
    yield { write: (tx) => applyShops(tx, services, runId, [shop]) };
  }
  if (!context.tolerated.has('missing-image')) {
    const askedAnew = new Set<number>();
    do {
      const before = askedAnew.size;
      yield* images(askedAnew);
      if (askedAnew.size === before) break;
      yield* batches();
    } while (!stop.aborted);
  }
  const missing: number[] = [];
  for (const listingId of await imagesToLookAt(sql, runId)) {
    const found = await inspectImage(imagePath(services.imagesFolder, listingId));
    if ('fault' in found) missing.push(listingId);
  }
  yield {
    write: async (tx) => {
      await closeRepaired(tx, runId, missing);
      await settleUnmet(tx, runId, nowSeconds());
    },
  };

  async function* batches(): CheckSteps {
    const asked = new Set(await refusedListings(sql));
    let going = 0;
    const next = async (): Promise<(() => ReturnType<typeof fetchBatch>) | undefined> => {
      const { ids, room } = await nextInBatch(sql, asked);
      // What is in flight may have to be requested again, and fills the batch.
      if (ids.length === 0 || (room > 0 && going > 0)) return undefined;
      for (const id of ids) asked.add(id);
      going += 1;
      return () => fetchBatch(services, runId, ids);
    };
    for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
      done += value.asked.length;
      going -= 1;
      yield { write: (tx) => applyBatch(tx, services, runId, value), progress: { done }, pending };
      doneAsking(asked, value);
    }
  }

  /** An address on record may be that of an image which the listing no longer has: Etsy is asked, once, which it has now. */
  async function* images(askedAnew: Set<number>): CheckSteps {
    const all = { services, hosts: services.imageHosts, runId, stop, more: () => false };
    for await (const group of downloads(all)) {
      done += group.done.length;
      const gone = group.failed.flatMap(({ state, listingId }) =>
        state === 'missing' && !askedAnew.has(listingId) ? [listingId] : [],
      );
      yield {
        write: async (tx) => {
          await applyDownloads(tx, runId, group);
          await wantUnknown(tx, gone);
        },
        progress: { done },
      };
      for (const listingId of gone) askedAnew.add(listingId);
    }
  }
}
