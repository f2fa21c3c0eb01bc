import { relative } from 'node:path';
import { clockTime, count, duration, estimate, oneLine, plural } from '../text/format.ts';
import { table } from '../text/table.ts';
import type { FactRow } from '../text/table.ts';
import { findingsRow, imagesRow, leftOutRow } from '../dataset/tally-rows.ts';
import { factRows, merged } from '../task/telling.ts';
import { oddityLine } from '../dataset/oddities.ts';
import { runLines } from './print-run.ts';
import type { QuotaStatus, Status, Sync } from './shape.ts';
import { asTyped } from '../text/typed.ts';

export interface PrintOptions {
  readonly cwd: string;
  /** As pipeline.yaml has it. */
  readonly killFile: string;
  readonly madeSince: number;
  /** Whether a stage of the pipeline fills the dataset. */
  readonly hasDataset: boolean;
  /** Columns. */
  readonly width: number;
}

/** For a person. */
export function printed(status: Status, options: PrintOptions): string {
  const now = Date.parse(status.at);
  const file = relative(options.cwd, status.database);
  const { sync } = status;
  const blocks = sync
    ? [
        underWay(status, options, now),
        runLines(sync, options, status.underWay !== null, now),
        ...dataBlocks(status, sync, options, now),
        ...oddBlock(sync),
        ...(options.hasDataset ? [['Etsy API', ...quotaLines(sync.quota, now)]] : []),
        ...(options.hasDataset ? [nextLines(sync, status.underWay !== null, now)] : []),
      ]
    : [underWay(status, options, now), earlier(status, file)];
  return [[verdict(status)], [file], ...blocks].map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** "Up to date. 6 images failed. Next run: 14 requests." */
function verdict({ underWay: holder, sync }: Status): string {
  if (!sync) return 'Not taken over yet.';
  const { run, due, counts, next } = sync;
  const isOpen = run !== null && run.finishedAt === null;
  const isDue = due.listings + due.shops + due.reviews > 0;
  const first = holder
    ? 'A run is under way.'
    : run === null
      ? 'Nothing fetched yet.'
      : isOpen
        ? 'The last run has not finished.'
        : isDue
          ? 'A new run is due.'
          : 'Up to date.';
  const failed = counts.images.failed + counts.images.missing;
  const troubles = [
    failed > 0 && `${plural(failed, 'image')} failed`,
    counts.setAside.open > 0 && `${plural(counts.setAside.open, 'record')} set aside`,
    counts.findings.open > 0 && `${plural(counts.findings.open, 'finding')} open`,
  ].filter((trouble) => trouble !== false);
  const requests = `${next.uncounted.length > 0 ? 'at least ' : ''}${plural(next.total, 'request')}`;
  const last = `${isOpen || holder ? 'Left' : 'Next run'}: ${requests}`;
  return [first, ...[...troubles, last].map((fact) => `${fact}.`)].join(' ');
}

function underWay(status: Status, options: PrintOptions, now: number): string[] {
  const stages = status.killedStages.map(({ stage, file }) =>
    status.underWay
      ? `Stage ${stage} has been told to stop.`
      : `The file ${relative(options.cwd, file)} is there: stage ${stage} does not start until it is removed.`,
  );
  return [...whetherUnderWay(status, options, now), ...stages];
}

function whetherUnderWay(
  { underWay: holder, killFile }: Status,
  options: PrintOptions,
  now: number,
): string[] {
  const kill = relative(options.cwd, options.killFile);
  if (holder) {
    const since = Date.parse(holder.since);
    const who = holder.pid === 0 ? 'a start that has just begun' : `process ${holder.pid}`;
    return [
      `A run is under way: ${who}, since ${clockTime(since, now)} (${duration(now - since)}).`,
      killFile ? 'It has been told to stop.' : `To stop it: touch ${kill}`,
    ];
  }
  if (killFile)
    return ['No run is under way.', `The file ${kill} is there: remove it before the next start.`];
  return ['No run is under way.'];
}

function earlier({ rows }: Status, file: string): string[] {
  const there = Object.entries(rows).filter(([, n]) => n > 0);
  return [
    `${file} is of an earlier system or version. The next start takes it over, and keeps every row.`,
    ...table(
      there.map(([name, n]) => ({ label: name, facts: [[n, n === 1 ? 'row' : 'rows']] })),
      Infinity,
    ),
  ];
}

/** What there is, by our stages and by those of others, and what should be looked at. */
function dataBlocks(status: Status, sync: Sync, options: PrintOptions, now: number): string[][] {
  const told = merged(sync.told);
  const dataset = options.hasDataset ? dataRows(status, sync, options) : [];
  const rows = [...dataset, ...factRows(told.rows, 'status')];
  if (rows.length + told.notes.length + told.problems.length === 0) return [];
  return [
    [
      'The data',
      ...table(rows, options.width),
      ...told.notes.map((note) => `  ${oneLine(note)}`),
      ...(options.hasDataset ? reasons(sync, now) : []),
      ...told.problems.flatMap(({ title, count: all, reasons: why }) => listed(title, all, why)),
    ],
  ];
}

function oddBlock({ oddities, told }: Sync): string[][] {
  const lines = [...oddities.map(oddityLine), ...merged(told).oddities];
  return lines.length > 0 ? [['Odd in that run', ...lines.map((line) => `  ${oneLine(line)}`)]] : [];
}

function dataRows({ rows }: Status, { counts, due }: Sync, { madeSince }: PrintOptions): FactRow[] {
  return [
    {
      label: 'listings',
      facts: [
        [rows.listings, 'kept'],
        [due.listings, 'due'],
      ],
    },
    leftOutRow(counts, madeSince),
    {
      label: 'shops',
      facts: [
        [rows.shops, 'kept'],
        [due.shops, 'due'],
      ],
    },
    {
      label: 'reviews',
      facts: [
        [rows.reviews, 'kept'],
        [due.reviews, 'shops due'],
      ],
    },
    imagesRow(counts),
    findingsRow(counts.findings),
    { label: 'set aside', facts: [[counts.setAside.open, 'open']] },
  ];
}

const PARTS = {
  first: 'for shops never read',
  news: 'for new reviews',
  older: 'for older pages',
  unread: 'for shops not read for long',
} as const;

function reviewLine(parts: Sync['next']['reviewParts']): string[] {
  const told = (['first', 'news', 'older', 'unread'] as const).filter((part) => parts[part] > 0);
  if (told.length < 2) return [];
  return [
    `  Of the requests for reviews: ${told.map((part) => `${count(parts[part])} ${PARTS[part]}`).join(', ')}.`,
  ];
}

/** How much of what Etsy counts is in, and how old the oldest reading is. */
function coverageLines({ listings, reviews: { stored, counted, oldest } }: Sync, now: number): string[] {
  const percent = (part: number, whole: number): number => Math.floor((100 * Math.min(part, whole)) / whole);
  const told = [
    listings.counted > 0 &&
      `${percent(listings.seen, listings.counted)} % of the listings that Etsy counts are in.`,
    counted > 0 && `${percent(stored, counted)} % of the past year's reviews are in.`,
    oldest && `Longest unread: shop ${oldest.shopId}, ${clockTime(Date.parse(oldest.readAt), now)}.`,
  ].filter((line) => typeof line === 'string');
  return told.map((line) => `  ${line}`);
}

/** "At 5,000 requests a day: 4.6 days for listings, 39.2 for shops never read, 4.8 for older pages." */
function dayLine({ next: { days }, quota: { perDay } }: Sync): string[] {
  if (days === null || perDay === null) return [];
  const names = { listings: 'for listings', ...PARTS } as const;
  const told = (['listings', 'first', 'news', 'older', 'unread'] as const).filter(
    (part) => days[part] >= 0.1,
  );
  if (told.length === 0) return [];
  const each = told.map((part) => `${days[part].toFixed(1)} ${names[part]}`);
  return [`  Days at ${count(perDay)} requests a day: ${each.join(', ')}.`];
}

function reasons(sync: Sync, now: number): string[] {
  const { counts, imageReasons, asideReasons, findings } = sync;
  const open = findings.filter((kind) => kind.open > 0);
  return [
    '  Due: what a run that starts now would read again.',
    ...coverageLines(sync, now),
    ...listed(
      'Images that failed; the next run tries them again',
      counts.images.failed + counts.images.missing,
      imageReasons.map(({ reason, n }) => ({ n, text: reason })),
    ),
    ...listed(
      'Records set aside; the next run asks for them again',
      counts.setAside.open,
      asideReasons.map(({ endpoint, reason, n }) => ({ n, text: `${endpoint}: ${reason}` })),
    ),
    ...listed(
      'Open findings; the next run looks again',
      counts.findings.open,
      open.map(({ kind, open: n }) => ({ n, text: kind })),
    ),
  ];
}

function listed(
  title: string,
  all: number,
  told: readonly { readonly n: number; readonly text: string }[],
): string[] {
  if (told.length === 0) return [];
  const rest = all - told.reduce((sum, one) => sum + one.n, 0);
  const more = rest > 0 ? [{ n: rest, text: 'for other reasons' }] : [];
  const facts = [...told, ...more].map(({ n, text }): FactRow => ({
    label: '',
    facts: [[n, oneLine(text)]],
  }));
  return ['', oneLine(title), ...table(facts, Infinity)];
}

function quotaLines(
  { perSecond, used, left, leftAt, perDay, callsBackAt }: QuotaStatus,
  now: number,
): string[] {
  const sent = `  ${plural(used, 'request')} in the last 24 h, never more than ${perSecond} a second.`;
  if (left === null || leftAt === null)
    return [sent, '  What is left of the day is not known: Etsy has said nothing in the last 24 h.'];
  const of = perDay === null ? '' : ` of ${count(perDay)}`;
  const back =
    callsBackAt === null ? [] : [`  Calls return from ${clockTime(Date.parse(callsBackAt), now)} on.`];
  return [
    sent,
    `  ${count(left)}${of} were left for the day at ${clockTime(Date.parse(leftAt), now)}.`,
    ...back,
  ];
}

function nextLines(sync: Sync, isUnderWay: boolean, now: number): string[] {
  const { next, quota } = sync;
  const { of, pages, batches, reviews, reviewParts, beginsAt, total, uncounted, seconds } = next;
  const what = isUnderWay ? 'Left of this run' : of === 'rest' ? 'Left of that run' : 'The next run';
  const parts = `${plural(pages, 'page')} of listings, ${plural(batches, 'batch', 'batches')}, ${count(reviews)} for reviews`;
  const isMore = quota.perDay !== null && total > quota.perDay - quota.used;
  const pace = isMore
    ? ` with ${count(quota.perDay ?? 0)} requests a day`
    : ` at ${quota.perSecond} requests a second`;
  const lines = [
    `${what}: about ${plural(total, 'request')}, ${estimate(seconds * 1000)}${pace}.`,
    `  ${parts}`,
    ...reviewLine(reviewParts),
    ...dayLine(sync),
  ];
  if (beginsAt !== null) lines.push(`  It begins ${clockTime(Date.parse(beginsAt), now)}.`);
  if (of === 'whole' && total > 0) lines.push('  What is new on Etsy by then comes on top.');
  if (uncounted.length > 0)
    lines.push(`  Not counted yet, on top: ${uncounted.map((id) => `taxonomy ${id}`).join(', ')}.`);
  return isUnderWay
    ? lines
    : [...lines, '', `${of === 'rest' ? 'To resume' : 'To start it'}: ${asTyped('npx sync-data')}`];
}
