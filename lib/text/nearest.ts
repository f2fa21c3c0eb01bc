import { distance } from 'fastest-levenshtein';

/** " (did you mean crawl?)", or nothing where no candidate is close. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

/** base_url, base-url and baseURL are all near misses of baseUrl. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  return nearest(word, candidates)[0];
}

/** All near misses, the closest first. */
export function nearest(word: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, away: distance(plain(word), plain(candidate)) }))
    .filter(({ candidate, away }) => away <= Math.max(1, candidate.length / 3) && away < word.length)
    .toSorted((a, b) => a.away - b.away)
    .map(({ candidate }) => candidate);
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}
