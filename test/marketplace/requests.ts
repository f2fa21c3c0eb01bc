import type { Fault, Kind } from './faults.ts';

export interface RequestRecord {
  /** Epoch milliseconds, with a fraction, at which the request's headers had arrived. */
  at: number;
  kind: Kind;
  method: string;
  path: string;
  query: string;
  /** 0 while unanswered, or where the connection was destroyed before an answer. */
  status: number;
  fault?: Fault;
  /** Numbers the connections of each server from 1. */
  connection: number;
}

export interface RequestLog {
  /** @param arrived epoch milliseconds, where it was noted elsewhere */
  add(kind: Kind, method: string, url: string, connection: number, arrived?: number): number;
  settle(entry: number, status: number, fault: Fault | undefined): void;
  all(): RequestRecord[];
  /** Resolves as soon as there are so many, of this kind and with this in their path where that is said. */
  arrived(count: number, kind?: Kind, path?: string): Promise<void>;
  reset(): void;
  /** The most API requests that arrived within any window of so many milliseconds. */
  worstWindow(ms?: number): number;
  /** API requests a second from the first to the last. */
  meanRate(): number;
  /** How many requests each endpoint had, with numbers in the path left out. */
  counts(): Record<string, number>;
}

export function createRequestLog(): RequestLog {
  const at: number[] = [];
  const kinds: Kind[] = [];
  const urls: string[] = [];
  const methods: string[] = [];
  const statuses: number[] = [];
  const connections: number[] = [];
  const faults = new Map<number, Fault>();
  /** Entries before a reset keep their numbers: an answer under way must not settle another's. */
  let dropped = 0;
  /** Each tells whether it has got what it waited for. */
  const waiting = new Set<() => boolean>();

  /** Two that come at once can be taken in the other order. */
  const arrivals = (): number[] => at.filter((_, entry) => kinds[entry] === 'api').toSorted((a, b) => a - b);

  return {
    add(kind, method, url, connection, arrived = performance.timeOrigin + performance.now()) {
      at.push(arrived);
      kinds.push(kind);
      methods.push(method);
      urls.push(url);
      statuses.push(0);
      connections.push(connection);
      for (const isOver of waiting) if (isOver()) waiting.delete(isOver);
      return dropped + at.length - 1;
    },
    settle(number, status, fault) {
      const entry = number - dropped;
      if (entry < 0) return;
      statuses[entry] = status;
      if (fault) faults.set(entry, fault);
    },
    all: () =>
      at.map((time, entry) => {
        const [path = '', query = ''] = (urls[entry] ?? '').split('?', 2);
        const fault = faults.get(entry);
        return {
          at: time,
          kind: kinds[entry] ?? 'api',
          method: methods[entry] ?? '',
          path,
          query,
          status: statuses[entry] ?? 0,
          ...(fault ? { fault } : {}),
          connection: connections[entry] ?? 0,
        };
      }),
    arrived(count, kind, path = '') {
      const wanted = new RegExp(path);
      const matches = (url: string, entry: number): boolean =>
        (kind === undefined || kinds[entry] === kind) && wanted.test(url.split('?', 1)[0] ?? '');
      return new Promise((resolve) => {
        const isOver = (): boolean => {
          if (urls.filter(matches).length < count) return false;
          resolve();
          return true;
        };
        if (!isOver()) waiting.add(isOver);
      });
    },
    reset() {
      dropped += at.length;
      for (const column of [at, kinds, urls, methods, statuses, connections]) column.length = 0;
      faults.clear();
    },
    worstWindow(ms = 1000) {
      const times = arrivals();
      let worst = 0;
      for (let first = 0, last = 0; last < times.length; last++) {
        while ((times[last] ?? 0) - (times[first] ?? 0) >= ms) first++;
        worst = Math.max(worst, last - first + 1);
      }
      return worst;
    },
    meanRate() {
      const times = arrivals();
      const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
      return span > 0 ? ((times.length - 1) / span) * 1000 : 0;
    },
    counts() {
      const counts: Record<string, number> = {};
      for (const [entry, url] of urls.entries()) {
        const path = (url.split('?', 1)[0] ?? '').replaceAll(/\/\d+(?=\/|$)/g, '/{id}');
        const name = kinds[entry] === 'cdn' ? 'cdn' : path;
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    },
  };
}
