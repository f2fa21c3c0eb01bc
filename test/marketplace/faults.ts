/** What can go wrong on the way, drawn from a seeded generator or ordered for the next requests. */
import { createRandom } from './random.ts';

export const FAULTS = [
  'error500',
  'error502',
  'error503',
  'limitSecond', // 429, the per-second kind
  'limitDay', // 429, the daily kind
  'reset', // the connection is destroyed before any answer
  'truncated', // half of what content-length says, then the connection is destroyed
  'invalidJson',
  'wrongShape', // JSON, but not what the endpoint answers with
  'emptyList', // 200 and a count of 0, whatever there is
  'badRecord', // one record of a good page is not as it should be
  'htmlPage', // 200, and a page for people
  'tooLarge', // a body over 8 MB (API) or 20 MB (CDN)
  'drip', // the body comes in small parts over dripMs
  'stall', // nothing happens for stallMs, then the usual answer
  'missing', // 404
  'error400',
  'retryNextDay', // 503 with a Retry-After of a day
  'falseQuota', // a good answer whose headers say of the day what is not so, or nothing that can be read
  'oddFields', // optional fields of the records are of another type, their meaning clear
  'otherImage', // the first image of each listing has the address of another image
] as const;
export type Fault = (typeof FAULTS)[number];
export type Kind = 'api' | 'cdn';

export interface FaultSet {
  /** Milliseconds every answer waits at least and at most. */
  latency?: { min: number; max: number };
  /** The probability of each fault; together at most 1. */
  rates?: Partial<Record<Fault, number>>;
  dripMs?: number;
  stallMs?: number;
}

export interface ScriptedFault {
  /** A regular expression that the path and query must match. */
  path: string;
  fault: Fault;
  /** How many matching requests it hits; 1 when absent. */
  times?: number;
}

export interface Faults {
  api?: FaultSet;
  cdn?: FaultSet;
  script?: readonly ScriptedFault[];
}

export interface Trouble {
  fault: Fault | undefined;
  delayMs: number;
  dripMs: number;
  /** A number in [0, 1) for a fault that has variants. */
  variant: number;
}

export interface FaultSource {
  set(faults: Faults): void;
  draw(kind: Kind, url: string): Trouble;
}

export function createFaults(seed: number, first: Faults): FaultSource {
  const random = createRandom(seed ^ 0x5eed);
  let faults = first;
  let script: { path: RegExp; fault: Fault; left: number }[] = [];

  function set(next: Faults): void {
    faults = next;
    script = (next.script ?? []).map(({ path, fault, times = 1 }) => ({
      path: new RegExp(path),
      fault,
      left: times,
    }));
  }

  function ordered(url: string): Fault | undefined {
    const next = script.find(({ path, left }) => left > 0 && path.test(url));
    if (next) next.left--;
    return next?.fault;
  }

  function drawn(rates: Partial<Record<Fault, number>> | undefined): Fault | undefined {
    if (!rates) return undefined;
    let left = random.next();
    for (const fault of FAULTS) {
      left -= rates[fault] ?? 0;
      if (left < 0) return fault;
    }
    return undefined;
  }

  set(first);
  return {
    set,
    draw(kind, url) {
      const { latency, rates, dripMs = 3000, stallMs = 5000 } = faults[kind] ?? {};
      const fault = ordered(url) ?? drawn(rates);
      const wait = latency ? latency.min + random.next() * (latency.max - latency.min) : 0;
      return { fault, delayMs: wait + (fault === 'stall' ? stallMs : 0), dripMs, variant: random.next() };
    },
  };
}
