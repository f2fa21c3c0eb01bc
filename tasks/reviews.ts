import { createHash } from 'node:crypto';
import { setTimeout as nap } from 'node:timers/promises';
import { z } from 'zod';
import { PAGE } from '../lib/limits.ts';
import type { ReviewPage } from '../lib/etsy/api.ts';
import { createdAt } from '../lib/etsy/schemas.ts';
import type { Rejected } from '../lib/etsy/schemas.ts';
import { nowSeconds } from '../lib/time.ts';
import { noteReceived } from '../lib/dataset/answers.ts';
import { addFindings, closeFinding } from '../lib/dataset/findings.ts';
import { knownTime } from '../lib/text/to-come.ts';
import { addOddities, misfitOddities } from '../lib/dataset/oddities.ts';
import type { VisitKind } from '../lib/dataset/review-order.ts';
import { reviewMoment, reviewQueue } from '../lib/dataset/review-queue.ts';
import type { ReviewQueue } from '../lib/dataset/review-queue.ts';
import {
  completePass,
  reviewStates,
  saveOlder,
  savePass,
  seenInPass,
  unseenInPass,
} from '../lib/dataset/review-sync.ts';
import type { ReviewState } from '../lib/dataset/review-sync.ts';
import { tellReviews } from '../lib/dataset/tells.ts';
import { addReviews, countReviewsSince, unstored } from '../lib/dataset/reviews.ts';
import type { ReviewRow } from '../lib/dataset/reviews.ts';
import { setAside, setAsideRefused, settleEndpoint, settleRefused } from '../lib/dataset/set-aside.ts';
import type { Tx } from '../lib/store/database.ts';
import { defineTask } from '../lib/define-task.ts';
import type { TaskOf } from '../lib/define-task.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { orLeaveOut } from './rules/leave-out.ts';
import { advancePass, newestPass, olderPass, pass, queryOf, wholePass } from './rules/review-pass.ts';
import type { Advance, Pass } from './rules/review-pass.ts';
import { reviewRow } from './rules/rows.ts';
import { WINDOW } from '../lib/task/window.ts';

/** Visits whose shops' state is read at once. */
const CHUNK = 100;
/** Orders made in one start; the second has the older pages that first visits found. */
const ROUNDS = 10;
/** How often it looks whether the stages before it have ended, where it began ahead of them. Milliseconds. */
const LOOK_MS = 100;
/** What a review may lack; and a shop of so few reviews costs one request to be read again. */
const FIELDS = ['transaction_id', 'buyer_user_id', 'rating', 'review', 'language'] as const;
const FEW = 10;
const ENDPOINT = 'shops/{id}/reviews';
const MISSING = 'missing-reviews';

/** A shop whose pass is under way. */
interface Turn {
  readonly shopId: number;
  readonly kind: VisitKind;
  readonly current: Pass;
  /** Reviews of the past year by the shop's own figures, where none was ever read; else 0. */
  readonly claimed: number;
  /** Older reviews that are still to be read. */
  readonly olderLeft: number;
  /** It was refused once, and is asked for again after all the others. */
  readonly refused?: boolean;
}

interface Landed extends Turn {
  /** Undefined: no answer could be had, or Etsy no longer knows the shop. */
  readonly page: ReviewPage | undefined;
  readonly leftOut?: Rejected;
}

/**
 * The reviews of the shops that are due, those first that bring most per request (lib/dataset/review-order.ts), several
 * shops at a time, each page by page. A shop's pass is kept with the shop and its watermark moves only when the pass is
 * complete, so an interruption can hide nothing; what is left is read from there, so there is no cursor.
 */
export default defineTask({
  title: 'Reviews',
  options: z.object({}),
  cursor: z.object({}),
  uses: ['api'],
  tells: tellReviews,
  givesWayToNextRun: true,
  startsAhead: true,

  units: () => [{ id: 'shops', title: 'Shops', noun: 'shops' }],

  async *run(_unit, _cursor, { services, runId, stop, companionsActive }) {
    const { sql, api, rules } = services;
    let [done, total] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      const isAhead = companionsActive();
      const moment = await reviewMoment(sql, runId, rules.refreshAfter, nowSeconds());
      const queue = await reviewQueue(sql, runId, moment);
      total += queue.length;
      if (queue.length > 0) yield* visits(queue);
      else if (!isAhead) return;
      // The stages before it may still find shops.
      else while (companionsActive() && !stop.aborted) await nap(LOOK_MS);
      if (stop.aborted) return;
    }

    async function* visits(queue: ReviewQueue): Steps {
      let begun = 0;
      const turn: Turn[] = [];
      const following: Turn[] = [];
      /** Those refused once, and those whose shop was under way in another visit. */
      const later: Turn[] = [];
      /** Shops under way. */
      const busy = new Set<number>();

      const next = async (): Promise<(() => Promise<Landed>) | undefined> => {
        const one = turn.shift() ?? (await begin());
        if (!one) return undefined;
        busy.add(one.shopId);
        const answer = async (): Promise<Landed> => ({
          ...one,
          page: await api.reviews(one.shopId, queryOf(one.current)),
        });
        return () => orLeaveOut(answer(), (leftOut) => ({ ...one, page: undefined, leftOut }));
      };

      const begin = async (): Promise<Turn | undefined> => {
        for (;;) {
          if (following.length === 0) {
            const chunk = queue.slice(begun, begun + CHUNK);
            begun += chunk.length;
            const states = await reviewStates(
              sql,
              chunk.map(({ shopId }) => shopId),
              nowSeconds(),
            );
            following.push(...states.map((state, at) => turnOf(state, chunk[at]?.kind ?? 'news')));
          }
          const one = following.shift();
          if (!one) break;
          if (!busy.has(one.shopId)) return one;
          later.push(one);
        }
        const free = later.findIndex(({ shopId }) => !busy.has(shopId));
        return free < 0 ? undefined : later.splice(free, 1)[0];
      };

      for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
        const { shopId, page, kind, claimed, olderLeft } = value;
        const endpoint = `shops/${shopId}/reviews`;
        const now = nowSeconds();
        if (!page) {
          busy.delete(shopId);
          if (!value.refused) {
            later.push({ shopId, kind, current: value.current, claimed, olderLeft, refused: true });
            // In an answer's turn: a step keeps the other answers in flight from being lost when the run stops.
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
        const rows = page.good.map((review) => reviewRow(review, now));
        const current: Pass = {
          ...value.current,
          ...(page.rejected.length > 0 && { spoiled: true }),
          ...((await isHalfRead(page, rows)) && { nameless: true }),
        };
        const keys = keysOf(page);
        const isUnderWay = current.read > 0 || current.again === true;
        const times = page.good.flatMap((review) => createdAt(review) ?? []);
        const [brought, stored] = [await unstored(sql, rows), await countReviewsSince(sql, shopId, 0)];
        const advance = advancePass(current, {
          rows: page.rows,
          count: page.count,
          fresh: isUnderWay ? await unseenInPass(sql, shopId, keys) : new Set(keys).size,
          brought,
          oldest: times.length > 0 ? Math.min(...times) : undefined,
          known: await knownIn(value, page, stored),
          ...(kind === 'news' && { accounted: stored + brought + page.rejected.length + olderLeft }),
        });
        if (!advance.next) done += 1;
        yield {
          write: async (tx) => {
            await addReviews(tx, shopId, rows, runId);
            const rejected = page.rejected.map((bad) => ({ endpoint, shopId, ...bad }));
            await setAside(tx, runId, now, rejected);
            await noteReceived(tx, runId, {
              endpoint: ENDPOINT,
              // That a shop has no reviews is an answer, too.
              usable: page.rows === 0 ? 1 : page.good.length,
              unusable: rejected.length,
              reason: rejected.at(-1)?.reason,
            });
            await addOddities(tx, runId, misfitOddities(ENDPOINT, page.misfits));
            if (!advance.next)
              return end(tx, { runId, now, shopId, kind, current, claimed, stored, advance });
            await seenInPass(tx, shopId, keys);
            if (kind !== 'older') return savePass(tx, shopId, advance.next);
            if (times.length === 0) return;
            // One that could not be used, or read in full, is read again with its page.
            const isToBeRead = current.spoiled ?? current.nameless ?? false;
            const than = isToBeRead ? (current.from ?? 0) : Math.min(...times);
            await saveOlder(tx, shopId, { than, left: Math.max(1, olderLeft - advance.next.read) }, null);
          },
          progress: { done, total },
          pending,
        };
        if (advance.next) turn.push({ shopId, kind, current: advance.next, claimed, olderLeft });
        else busy.delete(shopId);
      }
    }

    /** Whether new reviews have a field that could not be read, be it in a few of many: where all are so, Etsy's fields have changed. */
    async function isHalfRead({ misfits }: ReviewPage, rows: readonly ReviewRow[]): Promise<boolean> {
      const unread = FIELDS.filter((name) => {
        const times = misfits.filter(({ field, isRead }) => field === name && !isRead).length;
        return times > 0 && (times * 2 <= rows.length || rows.length <= FEW);
      });
      const empty = rows.filter((row) => unread.some((name) => row[name] === null));
      return empty.length > 0 && (await unstored(sql, empty)) > 0;
    }

    /** How many reviews the first page's window must hold at least, by those that are stored and by the shop's figures. */
    async function knownIn(
      { current, shopId, claimed }: Turn,
      { rows }: ReviewPage,
      stored: number,
    ): Promise<number> {
      const isFirst = current.offset === 0 && current.maxCreated === current.from && !current.second;
      // A page that is full contradicts nothing that is known.
      if (!isFirst || rows >= PAGE || current.from !== undefined) return 0;
      if (current.minCreated !== undefined) return countReviewsSince(sql, shopId, current.minCreated);
      // Etsy deletes a few in the course of the years, but not half of them.
      return Math.max(claimed, Math.ceil(stored / 2));
    }
  },
});

type Steps = ReturnType<TaskOf<Record<string, never>, Record<string, never>>['run']>;

interface Over {
  readonly runId: number;
  readonly now: number;
  readonly shopId: number;
  readonly kind: VisitKind;
  readonly current: Pass;
  readonly claimed: number;
  /** Reviews of the shop that were stored before the last page. */
  readonly stored: number;
  readonly advance: Advance & { next: undefined };
}

/** The watermark moves where all was read, and where something was: that a shop shows nothing is no proof of anything. */
async function end(tx: Tx, over: Over): Promise<void> {
  const { runId, now, shopId, kind, current, claimed, stored, advance } = over;
  const endpoint = `shops/${shopId}/reviews`;
  const subject = `shop ${shopId}`;
  const missing = advance.missing > 0 ? advance.missing : advance.read === 0 ? claimed : 0;
  const isWhole = missing === 0 && !current.spoiled;
  // Where all pages were read, what could not be used may be older than any watermark.
  const isBeyond = current.spoiled === true && !advance.older;
  const isToBeRead = missing > 0 || current.nameless === true || isBeyond;
  if (kind === 'older') {
    // What could not be used, or is missing, is looked for in all of the shop's pages by the next run.
    await saveOlder(tx, shopId, { than: 0, left: 0 }, isWhole && !isToBeRead ? null : runId);
  } else {
    const isRead = isWhole && advance.read > 0;
    // A shop that has nothing, and never had, is read; one that shows nothing of what it had is not.
    const startedAt = isRead || (isWhole && stored === 0) ? current.startedAt : null;
    const left = advance.older ?? { than: 0, left: 0 };
    await completePass(tx, shopId, {
      startedAt,
      completedAt: now,
      shortRun: isToBeRead ? runId : null,
      brought: isRead ? advance.brought : undefined,
      older: kind === 'first' || !advance.older ? left : undefined,
    });
  }
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

/** Resumes an interrupted pass where there is one. */
function turnOf(due: ReviewState, kind: VisitKind): Turn {
  const { shop_id: shopId, started_at, older_than, review_count } = due;
  const claimed = started_at === null ? (review_count ?? 0) : 0;
  const olderLeft = older_than === null ? 0 : (due.older_left ?? 1);
  const now = nowSeconds();
  const begun = (): Pass => {
    if (kind === 'older') return olderPass(now, older_than ?? now);
    return due.short_run === null ? newestPass(now, started_at ?? undefined) : wholePass(now);
  };
  const saved = due.pass === null || kind === 'older' ? undefined : resumed(JSON.parse(due.pass), now);
  return { shopId, kind, current: saved ?? begun(), claimed: kind === 'older' ? 0 : claimed, olderLeft };
}

/** An earlier version did not count what it read of the first window: all of its pages so far. */
function resumed(json: unknown, now: number): Pass | undefined {
  const saved = pass.safeParse(json).data;
  // A pass that began in time to come would leave a watermark that counts as unknown.
  if (saved && knownTime(saved.startedAt, now) === undefined) return undefined;
  const isUncounted = saved?.minCreated !== undefined && saved.maxCreated === undefined && saved.read === 0;
  return isUncounted ? { ...saved, read: saved.offset } : saved;
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
