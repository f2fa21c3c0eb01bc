import type { Gauges } from '../progress/events.ts';
import type { Sql } from '../store/database.ts';
import { countImages } from '../dataset/images.ts';
import type { Ledger } from '../store/ledger.ts';

/** Requests a second are shown over the last so many seconds. */
const OVER_S = 5;
/** A count that takes long (a million images) is asked for seldom: at most this share of the time goes into it. */
const SHARE = 1 / 30;
const DAY_MS = 86_400_000;

export interface GaugeSources {
  readonly sql: Sql;
  readonly ledger: Ledger;
  /** Requests a second at most. */
  readonly limit: number;
  readonly cdn: { readonly received: number };
}

/** The figures of the screen, each read no more often than it is cheap to. */
export function gauges({ sql, ledger, limit, cdn }: GaugeSources): () => Promise<Gauges> {
  const images = seldom(() => countImages(sql));
  const day = seldom(async () => {
    const { used, oldestMs } = await ledger.day(Date.now());
    const left = (await ledger.remaining(Date.now()))?.calls;
    return { used, left, backAt: oldestMs && oldestMs + DAY_MS };
  });
  return async () => {
    const [{ done, waiting, failed, missing }, today, recent] = await Promise.all([
      images(),
      day(),
      ledger.countSince(Date.now() - OVER_S * 1000),
    ]);
    return {
      api: {
        perSecond: recent / OVER_S,
        limit,
        usedToday: today.used,
        leftToday: today.left,
        backAt: today.backAt,
      },
      images: { done, waiting, failed: failed + missing, bytes: cdn.received },
    };
  };
}

function seldom<T>(read: () => Promise<T>): () => Promise<T> {
  let next = 0;
  let last: T | undefined;
  return async () => {
    const began = performance.now();
    if (last !== undefined && began < next) return last;
    last = await read();
    const took = performance.now() - began;
    next = performance.now() + Math.max(900, took / SHARE);
    return last;
  };
}
