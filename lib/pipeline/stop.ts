import { setMaxListeners } from 'node:events';
import { lstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import type { UserExitCode } from '../errors.ts';

/** How often the KILL file is looked for, beside after every step. */
const LOOK_MS = 200;

export type StopCause =
  'kill' | 'stage-kill' | 'next-run' | 'quota' | 'damage' | 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const EXIT_CODES: Readonly<Record<StopCause, UserExitCode>> = {
  kill: 75,
  'stage-kill': 75,
  'next-run': 0,
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
export class Stopped extends UserError {
  override readonly name = 'Stopped';
  override readonly cause: StopCause;

  constructor(cause: StopCause, message: string) {
    super(message, { exitCode: EXIT_CODES[cause], hint: 'Everything is saved. To resume: npx sync-data' });
    this.cause = cause;
  }

  override told(): string {
    return `Stopped: ${super.told().replace('\n', '.\n')}`;
  }
}

/** Whatever has the name of a KILL file, a dangling link included; undefined: nothing, or not visible. */
export function killInfo(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What a stage is stopped by: the run's end, or a KILL file of its own. */
export interface StageStop {
  /** Aborted with a Stopped as reason. */
  readonly signal: AbortSignal;
  readonly stopped: Stopped | undefined;
  /** Looks for the KILL files now. */
  look(): void;
}

const LISTENED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The one way to stop a run: the KILL file, a signal, the quota, or a damaged database. Aborts `signal` once, with a Stopped as reason;
 * requests in flight are finished and committed, nothing new begins. A second signal ends the process at once.
 */
export class StopSwitch implements StageStop {
  readonly #killFile: string;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #stageKills = new Map<string, StageKill>();
  readonly #onSignal = (name: NodeJS.Signals): void => {
    const cause = name === 'SIGINT' || name === 'SIGHUP' ? name : 'SIGTERM';
    if (this.stopped) endAtOnce(cause);
    this.stop(cause, SIGNALS[cause]);
  };

  constructor(killFile: string) {
    this.#killFile = killFile;
    // Every request that waits for its turn listens.
    setMaxListeners(0, this.signal);
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    for (const name of LISTENED) process.on(name, this.#onSignal).off(name, ignore);
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

  look(): void {
    if (!this.stopped && killInfo(this.#killFile)) this.stop('kill', 'the KILL file was found');
    for (const kill of this.#stageKills.values()) kill.look();
  }

  /** @param file the KILL file of a stage; stages may share one */
  stageKill(file: string): StageKill {
    const kill = this.#stageKills.get(file) ?? new StageKill(file, this);
    this.#stageKills.set(file, kill);
    return kill;
  }

  /** Removes the KILL file if it stopped the run: its absence shows that the run has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    // What cannot be removed (a folder) is reported at the next start.
    if (this.stopped?.cause === 'kill') await rm(this.#killFile, { force: true }).catch(() => undefined);
    for (const name of LISTENED) process.off(name, this.#onSignal);
  }
}

/**
 * Called before the switch of a run closes: while its files are closed, or until there is another switch, a signal
 * changes nothing; a second one ends the process at once.
 */
export function endInPeace(): void {
  for (const name of LISTENED) process.once(name, ignore);
}

/**
 * Ends the process by the signal itself; a shell shows the same exit code. process.exit() would end the threads of the
 * models in the middle of a call, and then ONNX Runtime aborts the whole process (134).
 */
function endAtOnce(name: keyof typeof SIGNALS): void {
  const code = EXIT_CODES[name];
  // On Windows a process ended by a signal has the exit code 1.
  if (process.platform === 'win32') process.exit(code);
  // Whoever changed the terminal restores it.
  process.emit('exit', code);
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

function ignore(): void {
  // There is nothing left that could be stopped.
}

/**
 * The KILL file that one stage, or a few, have of their own. It ends them as the run's own ends the run: requests in
 * flight finish and are committed, the file is removed, the others continue.
 */
export class StageKill implements StageStop {
  /** It existed before this start and stays: the stage is not started. */
  readonly wasThere: boolean;
  readonly #file: string;
  readonly #controller = new AbortController();
  #active = 0;

  constructor(file: string, run: StopSwitch) {
    this.#file = file;
    setMaxListeners(0, this.signal);
    const info = killInfo(file);
    this.wasThere = info !== undefined && info.ctimeMs <= performance.timeOrigin;
    const follow = (): void => this.#controller.abort(run.signal.reason);
    if (run.stopped) follow();
    else run.signal.addEventListener('abort', follow, { once: true });
  }

  /** As people know it: KILL_BG. */
  get name(): string {
    return basename(this.#file);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopped(): Stopped | undefined {
    return this.signal.aborted ? (this.signal.reason as Stopped) : undefined;
  }

  look(): void {
    if (this.#active === 0 || this.stopped || !killInfo(this.#file)) return;
    this.#controller.abort(new Stopped('stage-kill', `the ${this.name} file was found`));
  }

  /** Called when a stage that it may end begins. */
  begin(): void {
    this.#active += 1;
    this.look();
  }

  /** Called when that stage has ended; after the last one, the file is removed if it stopped them. */
  async end(): Promise<void> {
    this.#active -= 1;
    if (this.#active > 0 || this.stopped?.cause !== 'stage-kill') return;
    await rm(this.#file, { force: true }).catch(() => undefined);
  }
}

/**
 * Ends a stage that gives way when the next run is due: requests in flight finish and are committed, as by KILL. A
 * clock that is set back does not put it off: by then so much time has passed, too.
 */
export class StageCut implements StageStop {
  readonly #inner: StageStop;
  readonly #controller = new AbortController();
  readonly #dueMs: number;
  readonly #elapsedMs: number;
  readonly #timer: NodeJS.Timeout;

  /** @param dueMs epoch ms */
  constructor(inner: StageStop, dueMs: number) {
    this.#inner = inner;
    this.#dueMs = dueMs;
    this.#elapsedMs = performance.now() + dueMs - Date.now();
    setMaxListeners(0, this.signal);
    this.#timer = setInterval(() => this.look(), LOOK_MS);
    const follow = (): void => this.#controller.abort(inner.signal.reason);
    if (inner.stopped) follow();
    else inner.signal.addEventListener('abort', follow, { once: true });
    this.look();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopped(): Stopped | undefined {
    return this.signal.aborted ? (this.signal.reason as Stopped) : undefined;
  }

  look(): void {
    this.#inner.look();
    if (this.stopped || (Date.now() < this.#dueMs && performance.now() < this.#elapsedMs)) return;
    this.#controller.abort(new Stopped('next-run', 'the next run is due'));
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
