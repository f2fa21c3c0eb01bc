import stringWidth from 'string-width';
import cliTruncate from 'cli-truncate';
import { oneLine } from '../text/clean.ts';
import { count } from '../text/format.ts';
import type { Answer, Result } from './engine.ts';
import { etsyUrl, link, money, stateOf } from './words-for.ts';

export interface PrintOptions {
  /** Columns. */
  readonly width: number;
  /** Whether the terminal knows hyperlinks; a pipe gets the address itself. */
  readonly isTerminal: boolean;
}

const LEAST_TITLE = 16;
const GAP = '  ';

/** The answer as a table: rank, price, state, title, shop, why; below each row of a pipe the address. */
export function printed(answer: Answer, { width, isTerminal }: PrintOptions): string {
  const { results, notes, found } = answer;
  const rows = results.map((result) => cells(result));
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...rows.map((row) => stringWidth(row.fixed[column] ?? ''))),
  );
  const shop = Math.min(18, Math.max(0, ...rows.map((row) => stringWidth(row.shop))));
  const why = Math.min(40, Math.max(0, ...rows.map((row) => stringWidth(row.why))));
  const used = widths.reduce((sum, one) => sum + one + GAP.length, 0);
  // On a narrow screen the reason has a line of its own.
  const isNarrow = width - used - shop - why - 2 * GAP.length < LEAST_TITLE;
  const title = Math.max(LEAST_TITLE, width - used - shop - GAP.length - (isNarrow ? 0 : why + GAP.length));
  const lines = rows.flatMap((row) => {
    const fixed = row.fixed.map((cell, column) =>
      column === 2 ? padEnd(cell, widths[2] ?? 0) : padStart(cell, widths[column] ?? 0),
    );
    const name = padEnd(cut(row.title, title), title);
    const head = [
      ...fixed,
      row.url === undefined || !isTerminal ? name : link(row.url, name),
      padEnd(cut(row.shop, shop), shop),
    ];
    const indent = ' '.repeat((widths[0] ?? 0) + GAP.length);
    return [
      [...head, ...(isNarrow ? [] : [cut(row.why, why)])].join(GAP).trimEnd(),
      ...(isNarrow ? [`${indent}${cut(row.why, width - indent.length)}`] : []),
      ...(row.url !== undefined && !isTerminal ? [`${indent}${row.url}`] : []),
    ];
  });
  const head = results.length === 0 ? 'Nothing found.' : `${count(results.length)} of ${count(found)} found`;
  return [head, ...lines, ...notes.map((note) => `Note: ${oneLine(note)}`), ''].join('\n');
}

interface Cells {
  /** Rank, price, state. */
  readonly fixed: readonly string[];
  readonly title: string;
  readonly shop: string;
  readonly why: string;
  readonly url: string | undefined;
}

function cells({ rank, why, listing }: Result): Cells {
  return {
    fixed: [String(rank), money(listing.price, listing.currency), stateOf(listing)],
    title: oneLine(listing.title ?? '') || `Listing ${listing.listing_id}`,
    shop: oneLine(listing.shop ?? String(listing.shop_id)),
    why: oneLine(why.join(' · ')),
    url: etsyUrl(listing.url),
  };
}

function cut(text: string, width: number): string {
  return cliTruncate(text, Math.max(1, width));
}

function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - stringWidth(text))) + text;
}
