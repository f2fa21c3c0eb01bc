import type { Gauges } from '../progress/events.ts';

export interface GaugeReader {
  /** The figures as last read; undefined before the first answer. */
  latest(): Gauges | undefined;
  /** Requests a second while any are made, over about a minute; undefined before there were some. */
  apiRate(): number | undefined;
  /** Reads them anew. Never two reads at once: a call during a read waits for that one. A failed read changes nothing. */
  read(): Promise<void>;
  /** The same after everything has ended. */
  readLast(): Promise<void>;
}

/** An observation weighs a third after so many reads, which are a second apart. */
const FADE_READS = 60;

export function gaugeReader(gauges: (isLast?: boolean) => Promise<Gauges>): GaugeReader {
  let latest: Gauges | undefined;
  let apiRate: number | undefined;
  let seen = 0;
  let reading: Promise<void> | undefined;
  const read = async (isLast: boolean) => {
    try {
      latest = await gauges(isLast);
      const perSecond = latest.api?.perSecond ?? 0;
      if (perSecond > 0) {
        seen = Math.min(FADE_READS, seen + 1);
        apiRate = (apiRate ?? 0) + (perSecond - (apiRate ?? 0)) / seen;
      }
    } catch {
      // The last figures stay on the screen; whoever keeps them reports what is wrong with them.
    } finally {
      reading = undefined;
    }
  };
  return {
    latest: () => latest,
    apiRate: () => apiRate,
    read: () => (reading ??= read(false)),
    readLast: async () => {
      await reading;
      await read(true);
    },
  };
}
