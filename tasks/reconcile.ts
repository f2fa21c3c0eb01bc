import { z } from 'zod';
import { overdueEntries, rhythmOf, dueBefore } from '../lib/dataset/due.ts';
import { tellListings } from '../lib/dataset/tells.ts';
import { firstSlice } from '../lib/dataset/slices.ts';
import { listingsToRetry } from '../lib/dataset/set-aside.ts';
import { nextWanted, want } from '../lib/dataset/wanted.ts';
import { nowSeconds } from '../lib/services.ts';
import { applyBatch, fetchBatch } from './rules/apply.ts';
import { defineTask } from '../lib/define-task.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { BATCH, WINDOW } from '../lib/task/window.ts';

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
    const asked = new Set<number>();
    let looked = after;

    const next = async (): Promise<(() => ReturnType<typeof fetchBatch>) | undefined> => {
      const before = looked;
      const ids = await nextWanted(sql, BATCH, asked);
      for (let full = ids.length === BATCH; !full;) {
        const more = await overdueEntries(sql, {
          after: looked,
          limit: BATCH - ids.length,
          madeSince: rules.madeSince,
          staleBefore: dueBefore(nowSeconds(), rhythm),
          unseenSince: since,
        });
        ids.push(...more.filter((id) => !ids.includes(id) && !asked.has(id)));
        looked = more.at(-1) ?? looked;
        full = more.length === 0 || ids.length === BATCH;
      }
      if (ids.length === 0) return undefined;
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
      if (!value.leftOut) for (const id of value.asked) asked.delete(id);
    }
  },
});
