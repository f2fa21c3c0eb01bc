import type { Checkpoints } from '../../checkpoints/checkpoints.ts';
import { StopSwitch } from '../pipeline/stop.ts';
import type { Stopped } from '../pipeline/stop.ts';
import { clockTime, duration } from '../text/format.ts';
import { knownTime } from '../text/to-come.ts';

/** How often the time is looked at. Milliseconds. */
const NAP_MS = 200;

/**
 * When the next run of all stages begins, epoch ms; undefined: now, for one is to be resumed, or none is known.
 * @param every seconds @param now epoch ms
 */
async function nextRunAt(checkpoints: Checkpoints, every: number, now: number): Promise<number | undefined> {
  const last = await checkpoints.lastFinished();
  const startedAt = knownTime(last && last.startedAt / 1000, now / 1000);
  if (startedAt === undefined) return undefined;
  const due = (startedAt + every) * 1000;
  return due > now ? due : undefined;
}

export interface Waiting {
  readonly killFile: string;
  /** The name of the KILL file in messages. */
  readonly killName: string;
  /** Seconds. */
  readonly every: number;
  readonly tell: (text: string) => void;
}

/** Waits until the next run is due. @returns why it was stopped; undefined: the run is due */
export async function waitForRun(checkpoints: Checkpoints, waiting: Waiting): Promise<Stopped | undefined> {
  const { killFile, killName, every, tell } = waiting;
  // Before anything else: a signal in the meantime would end the process in its own way.
  const stop = new StopSwitch(killFile);
  try {
    const now = Date.now();
    const until = await nextRunAt(checkpoints, every, now);
    if (until === undefined) return stop.stopped;
    const when = `${clockTime(until, now)}, in ${duration(until - now)}`;
    tell(`\nThe next run begins ${when}. To end before it: touch ${killName}\n`);
    const elapsed = performance.now() + until - now;
    // A clock that is set back does not put the run off; a machine that slept has missed no time by the clock.
    while (!stop.stopped && Date.now() < until && performance.now() < elapsed) await nap(stop.signal);
    if (stop.stopped) tell(`Ended while waiting: ${stop.stopped.message}. Nothing was under way.\n`);
    return stop.stopped;
  } finally {
    await stop.close();
  }
}

function nap(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, NAP_MS);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
