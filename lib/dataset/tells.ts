import type { TellContext } from '../task/task.ts';
import type { FactRow } from '../text/table.ts';
import type { Telling, ToldRow } from '../task/telling.ts';
import type { Sql } from '../store/database.ts';
import { mostlyUnusable, unusableLine } from './answers.ts';
import { countFindings, openFindings } from './findings.ts';
import { oddityLine, readOddities } from './oddities.ts';
import { asideReasons, imageReasons } from './standing.ts';
import { tally } from './tally.ts';
import type { Tally } from './tally.ts';
import { findingsRow, imagesRow, leftOutRow, listingsRow, reviewsRow, shopsRow } from './tally-rows.ts';

// What the stages of the dataset say of their work in the summary. Status tells more of it than rows can: lib/status.

type Context = TellContext<unknown, { readonly sql: Sql; readonly rules: { readonly madeSince: number } }>;

/** Reasons and findings shown one by one. */
const SHOWN = 5;

/** Counted once for all stages. */
function countsOf({ services, run, once }: Context): Promise<Tally> {
  return once('tally', () => tally(services.sql, run, services.rules.madeSince));
}

const CHANGED = 'Etsy may have changed its answers: look for a newer sync-data, then start again.';

export async function tellListings(context: Context): Promise<Telling> {
  if (context.place === 'status') return {};
  const counts = await countsOf(context);
  const own = await setAside(context, counts, [
    told(listingsRow(counts), 10),
    told(leftOutRow(counts, context.services.rules.madeSince), 20),
    told(shopsRow(counts), 30),
  ]);
  // A crawl has findings of its own, and may run without the stage that tells the others.
  if (counts.findings.open + counts.findings.repaired === 0) return own;
  const { rows = [], problems = [] } = await tellFindings(context);
  return { ...own, rows: [...(own.rows ?? []), ...rows], problems };
}

export async function tellReviews(context: Context): Promise<Telling> {
  if (context.place === 'status') return {};
  const counts = await countsOf(context);
  return setAside(context, counts, [told(reviewsRow(counts), 40)]);
}

export async function tellImages(context: Context): Promise<Telling> {
  if (context.place === 'status') return {};
  const counts = await countsOf(context);
  const reasons = await imageReasons(context.services.sql, SHOWN);
  return {
    rows: [told(imagesRow(counts), 50)],
    problems: [
      {
        title: 'Images that failed; the next run tries them again',
        count: counts.images.failed + counts.images.missing,
        reasons: reasons.map(({ reason, n }) => ({ text: reason, n })),
      },
    ],
    counts: { ...counts },
  };
}

export async function tellFindings(context: Context): Promise<Telling> {
  if (context.place === 'status') return {};
  const { services, run } = context;
  const counts = await countsOf(context);
  const kinds = await countFindings(services.sql, run.id);
  const open = await openFindings(services.sql, run.id, SHOWN);
  // What has not run through has looked at less than everything: that it found nothing then says nothing.
  const isTold = run.isComplete || counts.findings.open + counts.findings.repaired > 0;
  const { problems = [], ...rest } = await setAside(
    context,
    counts,
    isTold ? [told(findingsRow(counts.findings), 70)] : [],
  );
  return {
    ...rest,
    problems: [
      ...problems,
      {
        title: 'Open findings; the next run looks again',
        count: counts.findings.open,
        reasons: kinds.filter((kind) => kind.open > 0).map((kind) => ({ text: kind.kind, n: kind.open })),
        examples: {
          lines: open.map(({ kind, subject, detail }) => `${kind}: ${subject}: ${detail}`),
          of: 'findings',
        },
      },
    ],
  };
}

function told({ label, facts }: FactRow, order: number): ToldRow {
  return { label, brought: facts, order };
}

/** With what a stage that asks for records has to say of those that it could not use, or not as they came. */
async function setAside(
  { services, run }: Context,
  counts: Tally,
  rows: readonly ToldRow[],
): Promise<Telling> {
  const { met, open } = counts.setAside;
  const reasons = await asideReasons(services.sql, SHOWN);
  const unusable = run.isFinished ? await mostlyUnusable(services.sql, run.id) : [];
  const row: ToldRow = {
    label: 'set aside',
    brought: [
      [met, met === 1 ? 'record' : 'records'],
      [open, 'open'],
    ],
    order: 80,
  };
  return {
    rows: met > 0 ? [...rows, row] : rows,
    oddities: (await readOddities(services.sql, run.id)).map(oddityLine),
    ...(unusable.length > 0 && { unusable: { lines: unusable.map(unusableLine), hint: CHANGED } }),
    problems: [
      {
        title: 'Records set aside; the next run asks for them again',
        count: open,
        reasons: reasons.map(({ endpoint, reason, n }) => ({ text: `${endpoint}: ${reason}`, n })),
      },
    ],
    counts: { ...counts },
  };
}
