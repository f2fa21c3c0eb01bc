import { MOST_ERROR_TEXT } from '../limits.ts';
import { errorText, short } from './body.ts';
import { ApiError, rootCause } from './errors.ts';
import { retryAfterMs } from './headers.ts';
import { WHERE_TO_GET_A_KEY } from './key.ts';
import type { ApiKey } from './key.ts';

/** What to do where Etsy refuses what it used to answer. */
export const REFUSED =
  'Check api: baseUrl in pipeline.yaml. If it is right, Etsy has changed, and sync-data must be updated.';

/** Of an attempt that came to no answer. @param timeoutMs how long it may take */
export function lostOn(path: string, error: unknown, key: ApiKey, timeoutMs: number): ApiError {
  const timedOut =
    error instanceof Error && /Timeout/.test(`${error.name} ${rootCause(error)} ${String(error.cause)}`);
  const message = timedOut
    ? `no complete answer within ${timeoutMs / 1000} s`
    : short(rootCause(error), key, MOST_ERROR_TEXT);
  return new ApiError(timedOut ? 'timeout' : 'network', path, message, { cause: error });
}

/** An answer that is none. */
export interface Refused {
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  /** The start of the body. */
  readonly bytes: Buffer;
  /** x-remaining-today, where it is believed. */
  readonly remaining: number | undefined;
}

/** What an answer with a status other than 200 means. */
export function refusalOf({ path, status, headers, bytes, remaining }: Refused, key: ApiKey): ApiError {
  const said = errorText(bytes, key);
  // By the server's own clock, where it tells: ours may be wrong.
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  const more = { status, retryAfterMs: retryAfterMs(headers.get('retry-after'), now) };
  if (status === 429) {
    const isDay = remaining === 0 || /daily|per day/i.test(said);
    return new ApiError(isDay ? 'quota' : 'rate', path, `HTTP 429: ${said}`, more);
  }
  if (status === 401 || status === 403) {
    return new ApiError('key', path, `Etsy refused the API key (HTTP ${status}: ${said})`, {
      ...more,
      hint: WHERE_TO_GET_A_KEY,
    });
  }
  if (status >= 500 || status === 408 || status === 425) {
    return new ApiError('server', path, `HTTP ${status}: ${said}`, more);
  }
  return new ApiError('client', path, `HTTP ${status}: ${said}`, { ...more, hint: REFUSED });
}
