import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';

/** How often the KILL file is looked for, beside after every step. */
const LOOK_MS = 200;

export type StopCause = 'kill' | 'quota' | 'damage' | 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const EXIT_CODES: Readonly<Record<StopCause, number>> = {
  kill: 75,
  quota: 75,
  damage: 1,
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
};

const SIGNALS = {
  SIGINT: 'you pressed Ctrl-C',
  SIGTERM: 'asked to end (SIGTERM)',
  SIGHUP: 'the terminal was closed (SIGHUP)',
} as const;

/** Why the run stops before its end. Thrown wherever something waits, once the stop is asked for. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  override readonly cause: StopCause;
  readonly exitCode: number;

  constructor(cause: StopCause, message: string) {
    super(message);
    this.cause = cause;
    this.exitCode = EXIT_CODES[cause];
  }
}

/**
 * The one way to stop a run: the KILL file, a signal, the quota, or a damaged database. Aborts `signal` once, with a Stopped as reason;
 * requests in flight are finished and committed, nothing new begins. A second signal ends the process at once.
 */
export class StopSwitch {
  readonly #killFile: string;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #onSignal = (name: NodeJS.Signals): void => {
    const cause = name === 'SIGINT' || name === 'SIGHUP' ? name : 'SIGTERM';
    if (this.stopped) process.exit(EXIT_CODES[cause]);
    this.stop(cause, SIGNALS[cause]);
  };

  constructor(killFile: string) {
    this.#killFile = killFile;
    // Every request that waits for its turn listens.
    setMaxListeners(0, this.signal);
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopped(): Stopped | undefined {
    return this.signal.aborted ? (this.signal.reason as Stopped) : undefined;
  }

  stop(cause: StopCause, message: string): void {
    if (!this.stopped) this.#controller.abort(new Stopped(cause, message));
  }

  /** Looks for the KILL file now. */
  look(): void {
    if (!this.stopped && existsSync(this.#killFile)) this.stop('kill', 'the KILL file was found');
  }

  /** Takes the KILL file away, if it was what stopped the run: its absence tells that the run has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, this.#onSignal);
    if (this.stopped?.cause !== 'kill') return;
    // What cannot be taken away (a folder) is told at the next start.
    await rm(this.#killFile, { force: true }).catch(() => undefined);
  }
}
