import { z } from 'zod';
import type { SearchPage } from '../lib/etsy/api.ts';
import type { Rejected } from '../lib/etsy/schemas.ts';
import type { ServicesWith } from '../lib/services.ts';
import { allSeen, advanceSlice, countedBefore, noteSlice } from '../lib/dataset/slices.ts';
import type { SliceRange } from '../lib/dataset/slices.ts';
import { tellListings } from '../lib/dataset/tells.ts';
import { addFindings } from '../lib/dataset/findings.ts';
import type { Finding } from '../lib/dataset/findings.ts';
import { addOddities } from '../lib/dataset/oddities.ts';
import type { Oddity } from '../lib/dataset/oddities.ts';
import { readTaxonomy } from '../lib/dataset/taxonomy-table.ts';
import { refusedListings } from '../lib/dataset/set-aside.ts';
import { applyBatch, applyPage, applyRefusedPage } from './rules/apply.ts';
import { doneAsking, fetchBatch, nextInBatch, unrecordedImages } from './rules/batch.ts';
import type { BatchAnswer } from './rules/batch.ts';
import { rangeText, unfilteredFinding } from './rules/verdicts.ts';
import { defineTask } from '../lib/define-task.ts';
import { inFlight } from '../lib/task/in-flight.ts';
import { orLeaveOut } from './rules/leave-out.ts';
import {
  MOST_CUTS,
  advance,
  nextPage,
  placeOf,
  slice,
  wholeRange,
  contradicts,
  isFarBelow,
} from './rules/price-slices.ts';
import type { PageRequest } from './rules/price-slices.ts';
import { fetchNames, lookUp, namesAreDue, taxonomies, taxonomyUnits } from './rules/taxonomies.ts';
import type { Write } from '../lib/task/task.ts';
import { WINDOW } from '../lib/task/window.ts';
import type { Tx } from '../lib/store/database.ts';

const cursorSchema = z.object({
  open: z.array(slice),
  /** What Etsy counts in the whole taxonomy. */
  counted: z.int(),
  /** Rows read so far. */
  read: z.int(),
  /** Ranges cut so far. */
  cuts: z.int().default(0),
});

type Landed =
  | { readonly request: PageRequest; readonly page: SearchPage | LeftOut }
  | { readonly batch: BatchAnswer }
  | { readonly names: Write<Tx> };

/**
 * Reads every active listing of each taxonomy, newest first, price range by price range. Full batches of what only
 * the batch endpoint tells go in between; what is left of them at the end is the reconcile stage's.
 */
export default defineTask({
  title: 'Crawl',
  options: z.object({
    taxonomies: taxonomies.describe(
      "Etsy's categories to read, each with all below it: ids, names, or paths such as Bedroom Furniture > Steps & Stools. 967 is all Furniture.",
    ),
  }),
  cursor: cursorSchema,
  uses: ['api', 'entries'],
  tells: tellListings,

  prepare: ({ options, services }) => lookUp(options.taxonomies, services),
  units: ({ options, services }) => taxonomyUnits(options.taxonomies, services.sql),

  async *run(unit, cursor, { services, runId, stop }) {
    const taxonomyId = Number(unit.id);
    let { open, counted, read, cuts } = cursor ?? { open: [wholeRange()], counted: 0, read: 0, cuts: 0 };
    const flying = new Set<string>();
    /** Pages that were asked for once more because they contradicted what is known. */
    const doubted = new Set<string>();
    /** Pages that were refused: once they wait until there are no others, then they are asked for again. */
    const refused = new Map<string, 'waits' | 'again'>();
    /** On their way; and those that are asked for by themselves, for they spoil every batch. */
    const asked = new Set(await refusedListings(services.sql));
    let namesDue = await namesAreDue(services.sql);

    const next = async (): Promise<(() => Promise<Landed>) | undefined> => {
      // Once Etsy has answered: until then it is the pages that tell what is wrong.
      if (namesDue && counted > 0) {
        namesDue = false;
        return async () => ({ names: await fetchNames(services, runId) });
      }
      const { ids, room } = await nextInBatch(services.sql, asked);
      if (room === 0) {
        for (const id of ids) asked.add(id);
        return async () => ({ batch: await fetchBatch(services, runId, ids) });
      }
      const waiting = [...refused].flatMap(([key, state]) => (state === 'waits' ? [key] : []));
      let request = nextPage(open, new Set([...flying, ...waiting]));
      if (!request && flying.size === 0 && waiting.length > 0) {
        for (const key of waiting) refused.set(key, 'again');
        request = nextPage(open, flying);
      }
      if (!request) return undefined;
      flying.add(keyOf(request));
      return async () => ({ request, page: await search(services, taxonomyId, request) });
    };

    for await (const { value, pending } of inFlight(WINDOW, stop, next)) {
      if ('names' in value) {
        yield { write: value.names, pending };
        continue;
      }
      if ('batch' in value) {
        yield { write: (tx) => applyBatch(tx, services, runId, value.batch), pending };
        doneAsking(asked, value.batch);
        continue;
      }
      const { request, page } = value;
      flying.delete(keyOf(request));
      if ('leftOut' in page) {
        if (!refused.has(keyOf(request))) {
          refused.set(keyOf(request), 'waits');
          // In an answer's turn: a step keeps the other answers in flight from being lost when the run stops.
          yield { progress: { done: read, total: counted }, pending };
          continue;
        }
        const range = await rangeName(taxonomyId, request.slice);
        const place = `${range}: page ${request.page + 1}`;
        const { reason } = page.leftOut;
        open = advance(open, request, undefined, [], false).open;
        yield {
          write: async (tx) => {
            await applyRefusedPage(tx, runId, place, reason);
            if (request.slice.count < 0) await addFindings(tx, runId, [unreadSlice(range, reason)]);
          },
          cursor: { open, counted, read, cuts },
          pending,
        };
        continue;
      }
      if (counted === 0) {
        const kinds = page.good.flatMap((listing) => listing.taxonomy_id ?? []);
        const unfiltered = unfilteredFinding(taxonomyId, kinds, await readTaxonomy(services.sql));
        if (unfiltered) {
          yield { write: (tx) => addFindings(tx, runId, [unfiltered]) };
          return;
        }
      }
      const unrecorded = await unrecordedImages(services, page.good);
      const range = { low: request.slice.low, high: request.slice.high };
      const ids = page.good.map((listing) => listing.listing_id);
      const nothingNew = request.page > 0 && (await allSeen(services.sql, runId, taxonomyId, range, ids));
      const rows = page.good.length + page.rejected.length;
      const before =
        request.slice.count < 0 ? await countedBefore(services.sql, runId, taxonomyId, range) : undefined;
      const distinct = new Set(ids).size + page.rejected.length;
      const isRepeat = nothingNew && page.rejected.length === 0;
      const isOdd = contradicts(request, { rows, distinct, isRepeat, count: page.count, before });
      if (isOdd && !doubted.has(keyOf(request))) {
        // What it does show is taken; the page stays to be read.
        doubted.add(keyOf(request));
        yield {
          write: async (tx) => {
            const id = await noteSlice(tx, runId, taxonomyId, range, page.count ?? 0);
            await advanceSlice(tx, id, await applyPage(tx, services, runId, page, id, unrecorded), false);
            await addOddities(tx, runId, [doubtful(request, page.count)]);
          },
          pending,
        };
        continue;
      }
      const fewer = isFarBelow(page.count ?? 0, before)
        ? [await fewerFinding(taxonomyId, range, page.count ?? 0, before ?? 0)]
        : [];
      const mayCut = cuts < MOST_CUTS;
      // Pages without a row may have ended its slice while this one was under way.
      const isOpen = open.some(({ low, high }) => low === range.low && high === range.high);
      const after = isOpen
        ? advance(open, request, page.count, page.good.map(cents), nothingNew, { rows, mayCut })
        : { open, split: false };
      if (after.split) cuts += 1;
      open = after.open;
      counted = Math.max(counted, page.count ?? 0);
      read = Math.min(counted, read + (after.split ? 0 : ids.length));
      yield {
        write: async (tx) => {
          const id = await noteSlice(tx, runId, taxonomyId, range, page.count ?? 0);
          const seen = await applyPage(tx, services, runId, page, id, unrecorded);
          await advanceSlice(tx, id, seen, after.split);
          await addFindings(tx, runId, fewer);
        },
        cursor: { open, counted, read, cuts },
        progress: { done: read, total: counted },
        pending,
      };
    }

    /** "taxonomy 12371 (Coffee Tables), from 0.00 up" */
    async function rangeName(taxonomy: number, slice: PageRequest['slice']): Promise<string> {
      const name = (await readTaxonomy(services.sql)).nameOf(taxonomy);
      return `taxonomy ${taxonomy} (${name}), ${rangeText(slice)}`;
    }

    async function fewerFinding(
      taxonomy: number,
      range: SliceRange,
      count: number,
      before: number,
    ): Promise<Finding> {
      const name = (await readTaxonomy(services.sql)).nameOf(taxonomy);
      return {
        kind: 'fewer-listings',
        subject: `taxonomy ${taxonomy} (${name}), ${rangeText(range)}`,
        detail: `Etsy counts ${count}, in the last run ${before}; it was asked twice`,
      };
    }
  },
});

function doubtful({ page }: PageRequest, count: number | undefined): Oddity {
  return {
    what: 'pages of the search that were empty, short, repeated or counted far less than before',
    became: 'asked for again',
    example: `page ${page + 1}, with a count of ${count ?? 'nothing'}`,
  };
}

/** A page that cannot be had, though others are answered. */
interface LeftOut {
  readonly leftOut: Rejected;
}

function unreadSlice(subject: string, reason: string): Finding {
  return {
    kind: 'unseen-listings',
    subject,
    detail: `nothing of it was read in this run, for its first page was ${reason}; the next run asks again`,
  };
}

function search(
  services: ServicesWith<'api'>,
  taxonomyId: number,
  { slice, page }: PageRequest,
): Promise<SearchPage | LeftOut> {
  const answer: Promise<SearchPage | LeftOut> = services.api.search({
    taxonomyId,
    lowCents: slice.low,
    highCents: slice.high < 0 ? undefined : slice.high,
    ...placeOf(page),
  });
  return orLeaveOut(answer, (leftOut) => ({ leftOut }));
}

function keyOf({ slice: { low, high }, page }: PageRequest): string {
  return `${low}-${high} ${page}`;
}

function cents({ price }: SearchPage['good'][number]): number {
  return price ? Math.round((price.amount * 100) / price.divisor) : 0;
}
