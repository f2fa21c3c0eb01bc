/**
 * What an item's `when_made` says of the year it was made.
 *
 * Four of Etsy's words move on each January (2020_2026 becomes 2020_2027, before_2007 becomes before_2008), so the
 * answer is read from a word's shape, never from a list of words.
 */
export type WhenMade = 'since' | 'before' | 'uncertain' | 'unrecognised';

interface Years {
  /** Inclusive; undefined: open. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Made after it is ordered: later than any year one could ask for. */
const TO_ORDER = 9999;

function years(word: string | null | undefined): Years | undefined {
  if (word === 'made_to_order') return { from: TO_ORDER, to: TO_ORDER };
  const range = /^(\d{4})_(\d{4})$/.exec(word ?? '');
  if (range) {
    const [from, to] = [Number(range[1]), Number(range[2])];
    return from <= to ? { from, to } : undefined;
  }
  const open = /^before_(\d{4})$/.exec(word ?? '');
  if (open) return { from: undefined, to: Number(open[1]) - 1 };
  const decade = /^(\d{3}0)s$/.exec(word ?? '');
  if (decade) {
    const from = Number(decade[1]);
    // Etsy's 1700s and 1800s are centuries; from 1900s on there is a word for each decade.
    return { from, to: from < 1900 && from % 100 === 0 ? from + 99 : from + 9 };
  }
  return undefined;
}

/** @param madeSince the year of pipeline.yaml's rules: made in it or later counts as 'since'. */
export function classify(word: string | null | undefined, madeSince: number): WhenMade {
  const made = years(word);
  if (made === undefined) return 'unrecognised';
  if (made.from !== undefined && made.from >= madeSince) return 'since';
  return made.to !== undefined && made.to < madeSince ? 'before' : 'uncertain';
}

/** The year the item was certainly not made before; null where the word does not say. */
export function earliestYear(word: string | null | undefined): number | null {
  return years(word)?.from ?? null;
}
