/** Seconds in a day. */
export const DAY = 86_400;

export interface Clock {
  /** Milliseconds now: ticks like any clock, ahead of the real one by what it was moved. */
  now(): number;
  /** The second at which the world stands still: it changes only when the clock is moved. */
  world(): number;
  move(days: number): void;
  /** The year that the four moving `when_made` words are spelt with. */
  year(): number;
}

export function createClock(start: number, startYear: number): Clock {
  const began = performance.now();
  let moved = 0;
  let year = startYear;
  // Etsy renames the words in the first half of January, not on New Year's Day.
  const wordYear = (ms: number): number => new Date(ms - 6 * DAY * 1000).getUTCFullYear();
  return {
    now: () => start + moved + (performance.now() - began),
    world: () => Math.floor((start + moved) / 1000),
    move: (days) => {
      moved += days * DAY * 1000;
      year = startYear + wordYear(start + moved) - wordYear(start);
    },
    year: () => year,
  };
}
