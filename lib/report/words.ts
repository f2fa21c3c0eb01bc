import { clip } from '../text/clean.ts';
import { count } from '../text/format.ts';
import { DAY_MS } from '../time.ts';

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const longDays = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact' });
const countries = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' });

/** Epoch ms → "22 Nov 2026". Days and times are UTC, all of them. */
export function day(at: number): string {
  return `${dayInYear(at)} ${new Date(at).getUTCFullYear()}`;
}

/** "22 Nov" */
export function dayInYear(at: number): string {
  const date = new Date(at);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`;
}

/** "22 November 2026" */
export function longDay(at: number): string {
  return longDays.format(at);
}

/** "22 Nov 2026, 21:30" */
export function moment(at: number): string {
  return `${day(at)}, ${timeOfDay(at)}`;
}

/** "21:30" */
export function timeOfDay(at: number): string {
  return new Date(at).toISOString().slice(11, 16);
}

/** "Nov 2026" */
export function month(at: number): string {
  const date = new Date(at);
  return `${MONTHS[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}

/** The day that begins so many days after 1970-01-01 → epoch ms. */
export function ofDay(days: number): number {
  return days * DAY_MS;
}

/** 12300 → "12K": for the marks of an axis. */
export function short(value: number): string {
  return compact.format(value);
}

/** "98.2 %", rounded; 100 % means all of it, and nothing less. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const tenths = part < whole ? Math.min(999, Math.round((part / whole) * 1000)) : 1000;
  if (tenths === 0 && part > 0) return 'under 0.1 %';
  return `${(tenths / 10).toFixed(tenths % 1000 === 0 ? 0 : 1)} %`;
}

/** "$1,250"; a currency nobody knows keeps its letters. @param amount in units, not cents */
export function money(amount: number, currency: string, digits = amount < 10 ? 2 : 0): string {
  try {
    return new Intl.NumberFormat('en-US', {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(amount);
  } catch {
    return `${amount.toFixed(digits)} ${clip(currency, LONGEST_CURRENCY)}`;
  }
}

export const LONGEST_CURRENCY = 12;

/** "DE" → "Germany" */
export function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (countries.of(code) ?? code) : code;
}

/** "made_to_order" → "Made to order", "2020_2026" → "2020–2026"; null: unknown. */
export function whenMadeName(word: string | null): string {
  if (word === null) return 'Unknown';
  const spelt = /^\d{4}_\d{4}$/.test(word) ? word.replace('_', '–') : word.replaceAll('_', ' ');
  return spelt.charAt(0).toUpperCase() + spelt.slice(1);
}

/** "12,345", or a dash where nobody knows. */
export function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : count(value);
}
