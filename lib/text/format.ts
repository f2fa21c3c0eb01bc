import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';

export { oneLine, printable } from './clean.ts';

const SECOND = 1000;

/** To make a format takes milliseconds, and most starts need few of them. */
function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const whole = lazy(() => new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 }));
const tenths = lazy(
  () => new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
);
// As in the log, the report and the data.
const timeZone = 'UTC';
const time = lazy(() => new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone }));
const weekdayTime = lazy(
  () =>
    new Intl.DateTimeFormat('en-GB', {
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
    }),
);
const dateTime = lazy(
  () =>
    new Intl.DateTimeFormat('en-GB', {
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
    }),
);

/** 12300 → "12,300". */
export function count(value: number): string {
  return Number.isInteger(value) && value >= 0 && value < 1000 ? String(value) : whole().format(value);
}

/** 1 → "1 unit", 1200 → "1,200 units". */
export function plural(value: number, one: string, other = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : other}`;
}

/** 84200000 → "84 MB". */
export function megabytes(bytes: number): string {
  const mega = bytes / 1e6;
  return mega < 1000 ? `${whole().format(mega)} MB` : `${tenths().format(mega / 1000)} GB`;
}

/** Per second: "4.9", "245". */
export function perSecond(value: number): string {
  return value < 9.95 ? tenths().format(value) : whole().format(value);
}

/** "4.9/s"; a rate below one in ten seconds is shown per minute or per hour: "3/min". */
export function rate(value: number): string {
  if (value <= 0 || value >= 0.1) return `${perSecond(value)}/s`;
  const perMinute = value * 60;
  return perMinute >= 1 ? `${whole().format(perMinute)}/min` : `${whole().format(perMinute * 60)}/h`;
}

/** In words, the two largest units: "40 s", "4 min", "2 h 5 min", "3 d 4 h". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / SECOND)) * SECOND;
  if (seconds < MINUTE_MS) return `${seconds / SECOND} s`;
  const minutes = Math.round(seconds / MINUTE_MS) * MINUTE_MS;
  if (minutes < HOUR_MS) return `${minutes / MINUTE_MS} min`;
  if (minutes < DAY_MS) return pair(minutes, HOUR_MS, 'h', MINUTE_MS, 'min');
  return pair(Math.round(minutes / HOUR_MS) * HOUR_MS, DAY_MS, 'd', HOUR_MS, 'h');
}

function pair(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.round((value % large) / small);
  const head = `${Math.floor(value / large)} ${largeName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/** An estimate in words, no finer than an estimate is: steps of 5 s, 1 min, 5 min, 1 h. */
export function estimate(milliseconds: number): string {
  const step =
    milliseconds < MINUTE_MS
      ? 5 * SECOND
      : milliseconds < HOUR_MS
        ? MINUTE_MS
        : milliseconds < 10 * HOUR_MS
          ? 5 * MINUTE_MS
          : HOUR_MS;
  return duration(Math.max(1, Math.ceil(milliseconds / step)) * step);
}

/** A countdown in words, to the second in its last two minutes: "1 min 20 s". */
export function countdown(milliseconds: number): string {
  const left = Math.max(0, Math.ceil(milliseconds / SECOND)) * SECOND;
  return left >= MINUTE_MS && left < 2 * MINUTE_MS
    ? pair(left, MINUTE_MS, 'min', SECOND, 's')
    : duration(left);
}

/** "2026-11-22T15:02:11Z". */
export function stamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** The time of day, with the weekday or the date when it is not today: "17:05 UTC", "Mon 02:10 UTC", "3 Nov 02:10 UTC". */
export function clockTime(at: number, now: number): string {
  if (Math.floor(at / DAY_MS) === Math.floor(now / DAY_MS)) return `${time().format(at)} UTC`;
  return `${(Math.abs(now - at) < 6 * DAY_MS ? weekdayTime : dateTime)().format(at).replace(',', '')} UTC`;
}
