import { duration } from '../text/format.ts';

/** What the two clocks say at one moment. Milliseconds. */
export interface Reading {
  /** Since some moment; counts on whatever the time of day is set to. */
  readonly steady: number;
  /** Epoch. */
  readonly wall: number;
}

/** The difference between two readings that should be `BEAT_MS` apart. Milliseconds. */
export interface Between {
  /** The process did not run. */
  readonly stoodStillMs: number;
  /** The wall clock moved on by so much more than the time that passed; negative: it was set back. */
  readonly jumpMs: number;
}

const BEAT_MS = 500;
/** A busy thread is later than its timer by less. */
const LATE_MS = 1000;
/** A time server corrects by less than this at a time, unless the clock was wrong. */
const LEAST_JUMP_MS = 10_000;

export function between(before: Reading, now: Reading): Between {
  const passed = now.steady - before.steady;
  const jump = now.wall - before.wall - passed;
  const late = passed - BEAT_MS;
  return {
    stoodStillMs: late > LATE_MS ? late : 0,
    jumpMs: Math.abs(jump) >= LEAST_JUMP_MS ? jump : 0,
  };
}

/** What is said of a jump. */
export function jumpMessage(ms: number): string {
  const [by, way] = [duration(Math.abs(ms)), ms > 0 ? 'ahead' : 'back'];
  return `the clock of this computer jumped ${way} by ${by}; unless it slept, check its date and time`;
}

/** Notices when the process stood still, or the time of day was changed, while a run is under way. */
export class Clocks {
  readonly #timer: NodeJS.Timeout;
  readonly #jumped: (ms: number) => void;
  #last: Reading = read();
  #stoodStillMs = 0;
  #sleptMs = 0;

  /** @param jumped called with each jump of the wall clock (ms, negative: back) that is more than a correction */
  constructor(jumped: (ms: number) => void) {
    this.#jumped = jumped;
    this.#timer = setInterval(() => this.#look(), BEAT_MS).unref();
  }

  /** Milliseconds; does not count while the process stands still. */
  now(): number {
    this.#look();
    return this.#last.steady - this.#stoodStillMs;
  }

  /** How long the process has stood still by now; a jump ahead counts: the computer may have slept. Milliseconds. */
  get stoodStillMs(): number {
    return this.#stoodStillMs + this.#sleptMs;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = read();
    const { stoodStillMs, jumpMs } = between(this.#last, now);
    this.#last = now;
    this.#stoodStillMs += stoodStillMs;
    this.#sleptMs += Math.max(0, jumpMs);
    if (jumpMs !== 0) this.#jumped(jumpMs);
  }
}

function read(): Reading {
  return { steady: performance.now(), wall: Date.now() };
}
