/** The `when_made` words. Four of them carry the year, so a listing stores its word's place, not the word. */

const LAST_YEARS_OWN = 6; // words before this index count as made since 2000, whatever the year

type Word = (year: number) => string | null;

/** Each word with its share of listings, after the samples; the rare ones are there to be met at all. */
const WORDS: readonly (readonly [share: number, word: Word])[] = [
  [0.5, () => 'made_to_order'],
  [0.19, (year) => `${year - 19}_2009`],
  [0.15, (year) => `2020_${year}`],
  [0.039, () => '2010_2019'],
  [0.01, (year) => `2000_${year - 20}`],
  [0.004, () => '2000_2009'],
  [0.033, (year) => `before_${year - 19}`],
  [0.018, () => '1960s'],
  [0.01, () => '1970s'],
  [0.01, () => '1980s'],
  [0.007, () => '1990s'],
  [0.007, () => 'before_1700'],
  [0.006, () => '1940s'],
  [0.004, () => '1950s'],
  [0.003, () => '1910s'],
  [0.002, () => '1930s'],
  [0.001, () => '1920s'],
  [0.001, () => '1900s'],
  [0.001, () => '1800s'],
  [0.001, () => '1700s'],
  [0.002, () => null],
  [0.001, () => 'antiquity'],
];

const total = WORDS.reduce((sum, [share]) => sum + share, 0);

export function drawMade(chance: number): number {
  let left = chance * total;
  for (const [place, [share]] of WORDS.entries()) {
    left -= share;
    if (left < 0) return place;
  }
  return 0;
}

export function madeWord(place: number, year: number): string | null {
  return WORDS[place]?.[1](year) ?? null;
}

export function madePlace(word: string | null, year: number): number {
  const place = WORDS.findIndex(([, spell]) => spell(year) === word);
  if (place < 0) throw new Error(`No such when_made word in ${year}: ${String(word)}`);
  return place;
}

/** Certainly made in 2000 or later. What is null, unknown or `before_20xx` is not certain. */
export function madeSince2000(place: number): boolean {
  return place < LAST_YEARS_OWN;
}
