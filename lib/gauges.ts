import type { Gauges } from './pipeline/events.ts';
import type { Database } from './store/database.ts';
import { countImages } from './store/images.ts';
import type { Ledger } from './store/ledger.ts';

/** Requests a second are shown over the last so many seconds. */
const OVER_S = 5;
/** A count that takes long (a million images) is asked for seldom: at most this share of the time goes into it. */
const SHARE = 1 / 30;

/** The figures of the screen, each read no more often than it is cheap to. */
export function gauges(database: Database, ledger: Ledger): () => Promise<Gauges> {
  const images = seldom(() => countImages(database.read));
  const day = seldom(async () => ({
    used: (await ledger.day(Date.now())).used,
    left: (await ledger.remaining(Date.now()))?.calls,
  }));
  return async () => {
    const [{ done, waiting, failed, missing }, today, recent] = await Promise.all([
      images(),
      day(),
      ledger.countSince(Date.now() - OVER_S * 1000),
    ]);
    return {
      api: { perSecond: recent / OVER_S, usedToday: today.used, leftToday: today.left },
      images: { done, waiting, failed: failed + missing },
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
