/** A header's whole number, 0 or more; undefined where it is missing, empty or anything else. */
export function headerNumber(header: string | null): number | undefined {
  const text = header?.trim() ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * `retry-after`: seconds or an HTTP date.
 * @returns milliseconds from `now` (epoch ms, as the server has it), undefined where the header is missing or neither
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,15}(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  // What begins with anything else, Date.parse takes for a date all too easily.
  const date = /^(?:mon|tue|wed|thu|fri|sat|sun)\w*,? |^\d{4}-\d\d-\d\dT/i.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
