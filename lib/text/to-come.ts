/** Clocks are corrected by less than this without having been wrong. Seconds. */
const CORRECTED = 3600;

/**
 * The last moment that a stored time can be of. What says it is of a later one was written while the clock of the
 * computer was wrong: when it really was is not known, so the time counts as unknown, whatever it is of.
 * @param now epoch seconds
 */
export function latest(now: number): number {
  return now + CORRECTED;
}

/** @param at epoch seconds, as stored; null and undefined: unknown anyhow */
export function knownTime(at: number | null | undefined, now: number): number | undefined {
  return at !== null && at !== undefined && at <= latest(now) ? at : undefined;
}

/** The same in SQL: the column, or NULL. Written for `:until`, which is `latest(now)`. */
export function knownColumn(column: string): string {
  return `iif(${column} <= :until, ${column}, NULL)`;
}
