/** The key check, the two rate limits and the headers that tell of them. */
import type { Settings } from './options.ts';

export type Limit = 'second' | 'day';
export type Headers = Record<string, string>;

export interface Limits {
  /** Counts a request in, or says which limit stands in its way. */
  admit(now: number, pastDaily: boolean): Limit | undefined;
  headers(refused?: Limit): Headers;
}

const BLOCKS_A_DAY = 12;

export function createLimits(settings: Settings): Limits {
  const { perSecond, perDay, dayMs, headersOn429 } = settings;
  const recent: number[] = [];
  const blockMs = dayMs / BLOCKS_A_DAY;
  /** Requests in each block of the last day, by the block's number. */
  const blocks = new Map<number, number>();
  let latest = 0;
  let told = 0;

  function today(): number {
    const current = Math.floor(latest / blockMs);
    let sum = 0;
    for (const [block, count] of blocks) {
      if (block > current - BLOCKS_A_DAY) sum += count;
      else blocks.delete(block);
    }
    return sum;
  }

  /** Seconds until the oldest block leaves the day: an estimate, as Etsy calls it. */
  function untilRelease(): number {
    const oldest = Math.min(...blocks.keys(), Math.floor(latest / blockMs));
    return Math.max(1, Math.ceil(((oldest + BLOCKS_A_DAY) * blockMs - latest) / 1000));
  }

  function all(): Headers {
    // Where no limit is enforced the usual numbers are shown, and never run out.
    return {
      'x-limit-per-second': String(perSecond ?? 150),
      'x-remaining-this-second': String(Math.max(0, (perSecond ?? 150) - recent.length)),
      'x-limit-per-day': String(perDay ?? 100_000),
      'x-remaining-today': String(perDay ? Math.max(0, perDay - today()) : Math.max(1, 100_000 - today())),
    };
  }

  function on429(refused: Limit): Headers {
    if (headersOn429 === 'none') return {};
    if (headersOn429 === 'all') {
      return { ...all(), 'retry-after': String(refused === 'second' ? 1 : untilRelease()) };
    }
    if (refused === 'day') return { ...all(), 'x-remaining-today': '0', 'retry-after': '86400' };
    return { 'x-limit-per-second': String(perSecond ?? 10), 'x-remaining-this-second': '0' };
  }

  return {
    admit(now, pastDaily) {
      latest = now;
      while (recent.length > 0 && (recent[0] ?? 0) <= now - 1000) recent.shift();
      if (perSecond !== undefined && recent.length >= perSecond) return 'second';
      if (perDay !== undefined && !pastDaily && today() >= perDay) return 'day';
      recent.push(now);
      const block = Math.floor(now / blockMs);
      blocks.set(block, (blocks.get(block) ?? 0) + 1);
      return undefined;
    },
    headers: (refused) => spell(refused ? on429(refused) : all(), told++),
  };
}

export const LIMIT_TEXTS: Record<Limit, string> = {
  second: 'Exceeded per second rate limit',
  day: 'Exceeded daily rate limit',
};

/** Header names come in any case. */
function spell(headers: Headers, turn: number): Headers {
  if (turn % 3 === 0) return headers;
  const spelt = Object.entries(headers).map(([name, value]) => [
    turn % 3 === 1 ? name.replaceAll(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase()) : name.toUpperCase(),
    value,
  ]);
  return Object.fromEntries(spelt) as Headers;
}

/** Why a key is refused, or undefined. */
export function keyProblem(given: string | string[] | undefined, key: string): string | undefined {
  if (given === key) return undefined;
  if (given === undefined || given === '' || Array.isArray(given)) {
    return "Invalid API key: should be in the format 'keystring:shared_secret'.";
  }
  const parts = given.split(':');
  if (parts.length === 1) return 'Shared secret is required in x-api-key header.';
  if (parts.length > 2 || parts.includes('')) {
    return "Invalid API key: should be in the format 'keystring:shared_secret'.";
  }
  return 'API key not found or not active, or incorrect shared secret for API key.';
}
