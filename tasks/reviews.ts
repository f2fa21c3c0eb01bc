import { z } from 'zod';
import type { ReviewPage } from '../lib/etsy/api.ts';
import { createdAt } from '../lib/etsy/schemas.ts';
import type { Rejected } from '../lib/etsy/schemas.ts';
import { nowSeconds } from '../lib/services.ts';
import { completePass, reviewStates, savePass, shopsDue } from '../lib/dataset/review-sync.ts';
import type { ReviewState } from '../lib/dataset/review-sync.ts';
import { addReviews } from '../lib/dataset/reviews.ts';
import { setAside, settleEndpoint } from '../lib/dataset/set-aside.ts';
import { defineTask } from '../lib/define-task.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { orLeaveOut } from './rules/leave-out.ts';
import { advancePass, newPass, pass, queryOf } from './rules/review-pass.ts';
import type { Pass } from './rules/review-pass.ts';
import { reviewRow } from './rules/rows.ts';
import { WINDOW } from '../lib/task/window.ts';

/** Shops whose state is read at once. */
const CHUNK = 100;

interface Landed {
  readonly shopId: number;
  readonly current: Pass;
  /** Undefined: Etsy no longer knows the shop. */
  readonly page: ReviewPage | undefined;
  /** Set where no answer could be had: the pass stays where it is, for the next run to go on with. */
  readonly leftOut?: Rejected;
}

/**
 * The new reviews of every shop that is due, several shops at a time, each page by page. A shop's pass is kept with the
 * shop and its watermark moves only when the pass is complete, so an interruption can hide nothing; which shops are
 * left is read from there, so there is no cursor.
 */
export default defineTask({
  title: 'Reviews',
  options: z.object({}),
  cursor: z.object({}),
  uses: ['api'],

  units: () => [{ id: 'shops', title: 'Shops', noun: 'shops' }],

  async *run(_unit, _cursor, { services, runId, stop }) {
    const queue = await shopsDue(services.sql, runId, nowSeconds() - services.rules.refreshAfter);
    const total = queue.length;
    let [done, begun] = [0, 0];
    const turn: { shopId: number; current: Pass }[] = [];
    const following: ReviewState[] = [];

    const next = async (): Promise<(() => Promise<Landed>) | undefined> => {
      if (turn.length === 0 && following.length === 0) {
        following.push(...(await reviewStates(services.sql, queue.slice(begun, begun + CHUNK))));
        begun += following.length;
      }
      const due = turn.length === 0 ? following.shift() : undefined;
      const one = turn.shift() ?? (due && { shopId: due.shop_id, current: passOf(due) });
      if (!one) return undefined;
      const answer = async (): Promise<Landed> => ({
        ...one,
        page: await services.api.reviews(one.shopId, queryOf(one.current)),
      });
      return () => orLeaveOut(answer(), (leftOut) => ({ ...one, page: undefined, leftOut }));
    };

    for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
      const { shopId, page, leftOut } = value;
      const current = page?.rejected.length ? { ...value.current, spoiled: true } : value.current;
      const now = nowSeconds();
      const times = page?.good.flatMap((review) => createdAt(review) ?? []) ?? [];
      const oldest = times.length > 0 ? Math.min(...times) : undefined;
      const rest = page && advancePass(current, { rows: page.rows, count: page.count, oldest });
      if (!rest) done += 1;
      yield {
        write: async (tx) => {
          await addReviews(tx, shopId, page?.good.map((review) => reviewRow(review, now)) ?? [], runId);
          const rejected = leftOut ? [leftOut] : (page?.rejected ?? []);
          const endpoint = `shops/${shopId}/reviews`;
          await setAside(
            tx,
            runId,
            now,
            rejected.map((bad) => ({ endpoint, shopId, ...bad })),
          );
          if (leftOut) return;
          if (rest) return savePass(tx, shopId, rest);
          // A shop that is not to be seen may come back, with reviews that are not in yet.
          const isWhole = page !== undefined && !current.spoiled;
          await completePass(tx, shopId, isWhole ? current.startedAt : null, now);
          if (isWhole) await settleEndpoint(tx, endpoint, now);
        },
        progress: { done, total },
        pending,
      };
      if (rest) turn.push({ shopId, current: rest });
    }
  },
});

/** Goes on with an interrupted pass where there is one. */
function passOf(due: ReviewState): Pass {
  const saved = due.pass === null ? undefined : pass.safeParse(JSON.parse(due.pass)).data;
  return saved ?? newPass(nowSeconds(), due.started_at ?? undefined);
}
