/** How quickly the past fades: an observation weighs a third after this long. */
const FADE = 30_000;
/** Too little seen to say anything. */
const MEANINGFUL_AFTER = 4_000;
const MEANINGFUL_STEPS = 2;
/** Steps come in lumps; a silence shorter than this is no slowing down. */
const PATIENCE = 15_000;
/** A silence longer than this says that nothing moves. */
const STALLED = 120_000;

/** An exponentially smoothed rate and the end it leads to. A value: every observation makes a new one. */
export interface Meter {
  readonly at: number;
  readonly done: number;
  readonly total: number | undefined;
  /** Faded items over faded milliseconds: their quotient is the rate, right from the first observation on. */
  readonly items: number;
  readonly span: number;
  readonly seen: number;
  readonly steps: number;
  /** When it will be done, smoothed once more. */
  readonly finish: number | undefined;
}

export function startMeter(done: number, now: number): Meter {
  return { at: now, done, total: undefined, items: 0, span: 0, seen: 0, steps: 0, finish: undefined };
}

export function observe(meter: Meter, done: number, total: number | undefined, now: number): Meter {
  if (done < meter.done) return startMeter(done, now);
  // Such a silence is ignored: most likely the machine slept.
  if (now - meter.at > STALLED) return { ...resume(meter, now), done, total };
  const elapsed = Math.max(0, now - meter.at);
  const kept = Math.exp(-elapsed / FADE);
  const weight = FADE * (1 - kept);
  const added = done - meter.done;
  const next: Meter = {
    at: Math.max(now, meter.at),
    done,
    total,
    items: meter.items * kept + (elapsed === 0 ? added : (added * weight) / elapsed),
    span: meter.span * kept + weight,
    seen: meter.seen + elapsed,
    steps: meter.steps + (added > 0 ? 1 : 0),
    finish: undefined,
  };
  return { ...next, finish: smoothFinish(meter, next, 1 - kept) };
}

function smoothFinish(before: Meter, after: Meter, share: number): number | undefined {
  const missing = (after.total ?? 0) - after.done;
  if (missing <= 0 || !isMeaningful(after) || after.items <= 0) return undefined;
  const target = after.at + (missing * after.span) / after.items;
  if (before.finish === undefined || before.total !== after.total) return target;
  return before.finish + (target - before.finish) * share;
}

/** Time spent waiting on purpose is not time spent working. */
export function resume(meter: Meter, now: number): Meter {
  const waited = Math.max(0, now - meter.at);
  return { ...meter, at: now, finish: meter.finish === undefined ? undefined : meter.finish + waited };
}

/** Items per second; undefined until it is meaningful, and when nothing has moved for long. */
export function itemsPerSecond(meter: Meter, now: number): number | undefined {
  const idle = now - meter.at;
  if (!isMeaningful(meter) || idle > STALLED) return undefined;
  const kept = Math.exp(-Math.max(0, idle - PATIENCE) / FADE);
  return (1000 * meter.items * kept) / (meter.span * kept + FADE * (1 - kept));
}

/** Milliseconds left; counts down between observations, and stands still when they stay away. */
export function timeLeft(meter: Meter, now: number): number | undefined {
  const idle = now - meter.at;
  if (meter.finish === undefined || idle > STALLED) return undefined;
  return Math.max(0, meter.finish - now + Math.max(0, idle - PATIENCE));
}

function isMeaningful(meter: Meter): boolean {
  return meter.seen >= MEANINGFUL_AFTER && meter.steps >= MEANINGFUL_STEPS;
}
