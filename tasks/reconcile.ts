import { z } from 'zod';
import { overdueEntries, rhythmOf, freshAt } from '../lib/dataset/due.ts';
import { tellListings } from '../lib/dataset/tells.ts';
import { firstSlice } from '../lib/dataset/slices.ts';
import { listingsToRetry, refusedListings, refusedListingsDue } from '../lib/dataset/set-aside.ts';
import { want } from '../lib/dataset/wanted.ts';
import { nowSeconds } from '../lib/time.ts';
import { applyBatch } from './rules/apply.ts';
import { doneAsking, fetchBatch, nextInBatch } from './rules/batch.ts';
import { defineTask } from '../lib/define-task.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { WINDOW } from '../lib/task/window.ts';

/**
 * Asks in full batches for what the crawl did not show and is not fresh: gone, out of stock, or pushed from one page to
 * another while it was read. What the crawl left of its own batches comes first, so that no batch goes half empty.
 */
export default defineTask({
  title: 'Reconcile',
  options: z.object({}),
  cursor: z.object({
    /** Entries up to this listing id are dealt with. */
    after: z.int(),
    done: z.int(),
  }),
  uses: ['api', 'entries'],
  tells: tellListings,

  units: () => [{ id: 'entries', title: 'What the crawl did not show', noun: 'listings' }],

  async *run(_unit, cursor, { services, runId, stop }) {
    const { sql, rules } = services;
    const since = await firstSlice(sql, runId);
    const rhythm = await rhythmOf(sql, rules, runId, nowSeconds());
    const retry = await listingsToRetry(sql, runId);
    const again = retry.map((listingId) => ({ listingId, shopId: null }));
    if (again.length > 0) yield { write: (tx) => want(tx, again) };
    let { after, done } = cursor ?? { after: 0, done: 0 };
    /** How far each batch under way has looked; the cursor may not pass the lowest that is still to come. */
    const reaching = new Map<readonly number[], number>();
    /** On their way; and those that are asked for by themselves, for they spoil every batch. */
    const asked = new Set(await refusedListings(sql));
    let looked = after;

    const next = async (): Promise<(() => ReturnType<typeof fetchBatch>) | undefined> => {
      const before = looked;
      const { ids, room } = await nextInBatch(sql, asked);
      const places = ids.length + room;
      for (let full = room === 0; !full;) {
        const more = await overdueEntries(sql, {
          after: looked,
          limit: places - ids.length,
          madeSince: rules.madeSince,
          fresh: freshAt(nowSeconds(), rhythm),
          unseenSince: since,
        });
        ids.push(...more.filter((id) => !ids.includes(id) && !asked.has(id)));
        looked = more.at(-1) ?? looked;
        full = more.length === 0 || ids.length === places;
      }
      // What is in flight may have to be requested again, and fills the batch.
      if (ids.length === 0 || (ids.length < places && reaching.size > 0)) {
        looked = before;
        return undefined;
      }
      for (const id of ids) asked.add(id);
      reaching.set(ids, before);
      return () => fetchBatch(services, runId, ids);
    };

    for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
      reaching.delete(value.asked);
      after = Math.min(looked, ...reaching.values());
      done += value.asked.length;
      yield {
        write: (tx) => applyBatch(tx, services, runId, value),
        cursor: { after, done },
        progress: { done },
        pending,
      };
      doneAsking(asked, value);
    }
    // What spoilt a batch, each by itself: for the second time in this run, or because it is due again.
    for (const id of await refusedListingsDue(sql, runId, nowSeconds())) {
      stop.throwIfAborted();
      const answer = await fetchBatch(services, runId, [id]);
      yield { write: (tx) => applyBatch(tx, services, runId, answer) };
    }
  },
});
