import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PAGE } from '../lib/etsy/api.ts';
import type { ReviewPage } from '../lib/etsy/api.ts';
import { createdAt } from '../lib/etsy/schemas.ts';
import type { Rejected } from '../lib/etsy/schemas.ts';
import { nowSeconds } from '../lib/services.ts';
import { noteReceived } from '../lib/dataset/answers.ts';
import { addFindings, closeFinding } from '../lib/dataset/findings.ts';
import { addOddities } from '../lib/dataset/oddities.ts';
import {
  completePass,
  reviewStates,
  savePass,
  seenInPass,
  shopsDue,
  unseenInPass,
} from '../lib/dataset/review-sync.ts';
import type { ReviewState } from '../lib/dataset/review-sync.ts';
import { tellReviews } from '../lib/dataset/tells.ts';
import { addReviews, countReviewsSince } from '../lib/dataset/reviews.ts';
import { setAside, setAsideRefused, settleEndpoint, settleRefused } from '../lib/dataset/set-aside.ts';
import type { Tx } from '../lib/store/database.ts';
import { defineTask } from '../lib/define-task.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { orLeaveOut } from './rules/leave-out.ts';
import { advancePass, newPass, pass, queryOf } from './rules/review-pass.ts';
import type { Advance, Pass } from './rules/review-pass.ts';
import { reviewRow } from './rules/rows.ts';
import { WINDOW } from '../lib/task/window.ts';

/** Shops whose state is read at once. */
const CHUNK = 100;
const ENDPOINT = 'shops/{id}/reviews';
const MISSING = 'missing-reviews';

/** A shop whose pass is under way. */
interface Turn {
  readonly shopId: number;
  readonly current: Pass;
  /** Reviews of the past year by the shop's own figures, where none was ever read; else 0. */
  readonly claimed: number;
  /** It was refused once, and is asked for again after all the others. */
  readonly refused?: boolean;
}

interface Landed extends Turn {
  /** Undefined: no answer could be had, or Etsy no longer knows the shop. */
  readonly page: ReviewPage | undefined;
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
  tells: tellReviews,

  units: () => [{ id: 'shops', title: 'Shops', noun: 'shops' }],

  async *run(_unit, _cursor, { services, runId, stop }) {
    const { sql, api, rules } = services;
    const queue = await shopsDue(sql, runId, nowSeconds() - rules.refreshAfter, nowSeconds());
    const total = queue.length;
    let [done, begun] = [0, 0];
    const turn: Turn[] = [];
    const following: ReviewState[] = [];
    const later: Turn[] = [];

    const next = async (): Promise<(() => Promise<Landed>) | undefined> => {
      if (turn.length === 0 && following.length === 0) {
        following.push(...(await reviewStates(sql, queue.slice(begun, begun + CHUNK))));
        begun += following.length;
      }
      const due = turn.length === 0 ? following.shift() : undefined;
      const one = turn.shift() ?? (due && turnOf(due)) ?? later.shift();
      if (!one) return undefined;
      const answer = async (): Promise<Landed> => ({
        ...one,
        page: await api.reviews(one.shopId, queryOf(one.current)),
      });
      return () => orLeaveOut(answer(), (leftOut) => ({ ...one, page: undefined, leftOut }));
    };

    for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
      const { shopId, page, claimed } = value;
      const endpoint = `shops/${shopId}/reviews`;
      const now = nowSeconds();
      if (!page) {
        if (!value.refused) {
          later.push({ shopId, current: value.current, claimed, refused: true });
          // In an answer's turn: a step keeps what else is on its way from being lost when the run is to stop.
          yield { progress: { done, total }, pending };
          continue;
        }
        done += 1;
        const reason = value.leftOut?.reason ?? 'HTTP 404: Etsy does not know the shop';
        yield {
          write: async (tx) => {
            await setAsideRefused(tx, runId, now, { endpoint, reason, shopId }, rules.refreshAfter);
            await noteReceived(tx, runId, { endpoint: ENDPOINT, refused: 1, reason });
            await addOddities(tx, runId, [
              {
                what: `the reviews of a shop could not be had (${reason})`,
                became: 'set aside after a second try; later runs ask again, less and less often',
                example: `shop ${shopId}`,
              },
            ]);
          },
          progress: { done, total },
          pending,
        };
        continue;
      }
      const current = page.rejected.length > 0 ? { ...value.current, spoiled: true } : value.current;
      const keys = keysOf(page);
      const isUnderWay = current.read > 0 || current.again === true;
      const times = page.good.flatMap((review) => createdAt(review) ?? []);
      const advance = advancePass(current, {
        rows: page.rows,
        count: page.count,
        fresh: isUnderWay ? await unseenInPass(sql, shopId, keys) : new Set(keys).size,
        oldest: times.length > 0 ? Math.min(...times) : undefined,
        known: await knownIn(value, page),
      });
      if (!advance.next) done += 1;
      yield {
        write: async (tx) => {
          await addReviews(
            tx,
            shopId,
            page.good.map((review) => reviewRow(review, now)),
            runId,
          );
          const rejected = page.rejected.map((bad) => ({ endpoint, shopId, ...bad }));
          await setAside(tx, runId, now, rejected);
          await noteReceived(tx, runId, {
            endpoint: ENDPOINT,
            // That a shop has no reviews is an answer, too.
            usable: page.rows === 0 ? 1 : page.good.length,
            unusable: rejected.length,
            reason: rejected.at(-1)?.reason,
          });
          if (!advance.next) return end(tx, { runId, now, shopId, current, claimed, advance });
          await seenInPass(tx, shopId, keys);
          await savePass(tx, shopId, advance.next);
        },
        progress: { done, total },
        pending,
      };
      if (advance.next) turn.push({ shopId, current: advance.next, claimed });
    }

    /** How many reviews the first page's window must hold at least, by those that are stored and by the shop's figures. */
    async function knownIn({ current, shopId, claimed }: Turn, { rows }: ReviewPage): Promise<number> {
      const isFirst = current.offset === 0 && current.maxCreated === undefined && !current.second;
      // A page that is full contradicts nothing that is known.
      if (!isFirst || rows >= PAGE) return 0;
      return Math.max(claimed, await countReviewsSince(sql, shopId, current.minCreated));
    }
  },
});

interface Over {
  readonly runId: number;
  readonly now: number;
  readonly shopId: number;
  readonly current: Pass;
  readonly claimed: number;
  readonly advance: Advance & { next: undefined };
}

/** The watermark moves where all was read, and where something was: that a shop shows nothing is no proof of anything. */
async function end(tx: Tx, { runId, now, shopId, current, claimed, advance }: Over): Promise<void> {
  const endpoint = `shops/${shopId}/reviews`;
  const subject = `shop ${shopId}`;
  const missing = advance.missing > 0 ? advance.missing : advance.read === 0 ? claimed : 0;
  const isWhole = missing === 0 && !current.spoiled;
  const startedAt = isWhole && advance.read > 0 ? current.startedAt : null;
  await completePass(tx, shopId, { startedAt, completedAt: now, shortRun: missing > 0 ? runId : null });
  await settleRefused(tx, endpoint, now);
  if (isWhole) await settleEndpoint(tx, endpoint, now);
  if (missing === 0) await closeFinding(tx, runId, MISSING, subject);
  else {
    const detail = `Etsy counts ${advance.read + missing}, ${advance.read} could be read: ${missing} missing; the next run reads the shop again`;
    await addFindings(tx, runId, [{ kind: MISSING, subject, detail }]);
  }
  const what = 'pages of reviews that were empty, short, repeated or counted less than before';
  if (missing > 0)
    await addOddities(tx, runId, [
      { what, became: 'asked for again in vain; the shop is due again in the next run', example: subject },
    ]);
  else if (advance.odd)
    await addOddities(tx, runId, [{ what, became: 'asked for again; all reviews are in', example: subject }]);
}

/** Goes on with an interrupted pass where there is one. */
function turnOf(due: ReviewState): Turn {
  const saved = due.pass === null ? undefined : pass.safeParse(JSON.parse(due.pass)).data;
  const current = saved ?? newPass(nowSeconds(), due.started_at ?? undefined);
  return { shopId: due.shop_id, current, claimed: due.started_at === null ? (due.review_count ?? 0) : 0 };
}

/** What tells the reviews of a page from one another. */
function keysOf({ good, rejected }: ReviewPage): string[] {
  return [
    ...good.map((one) => {
      const { transaction_id: id, listing_id: listing, buyer_user_id: buyer, review: text } = one;
      return typeof id !== 'number'
        ? hash([listing, buyer ?? null, createdAt(one), text ?? null])
        : String(id);
    }),
    ...rejected.map(({ raw }) => hash(raw)),
  ];
}

function hash(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('base64url');
}
