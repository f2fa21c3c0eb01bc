import type { Oddity } from '../dataset/oddities.ts';
import { duration } from '../text/format.ts';
import { endpointOf } from './errors.ts';
import type { ApiError } from './errors.ts';

// What the client puts right by itself, as the summary tells it.

const IGNORED = 'ignored';
export const NONE_LEFT: Oddity = {
  what: 'the header x-remaining-today was 0 beside answers that were not refused',
  became: `${IGNORED}, for the recorded requests are far from the limit of the day`,
};
export const NONE_ALLOWED: Oddity = { what: 'the header x-limit-per-second was 0', became: IGNORED };

export function noNumber(header: string, example: string): Oddity {
  return { what: `the header ${header} was not a number`, became: IGNORED, example };
}

export function answeredAfter({ endpoint, status, reason }: ApiError): Oddity {
  return {
    what: `${endpointOf(endpoint)}: HTTP ${status ?? 'error'}, once`,
    became: 'asked again, and answered',
    example: reason,
  };
}

export function pausedForLess({ retryAfterMs = 0, reason }: ApiError): Oddity {
  return {
    what: 'answers asked for a pause (Retry-After) longer than api: giveUpAfter leaves',
    became: 'paused for less, then asked again',
    example: `${duration(retryAfterMs)} (${reason})`,
  };
}
