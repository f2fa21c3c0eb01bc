import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from './database.ts';
import { StoreError } from './store-error.ts';

/** Looks for damage in the database file, beside whatever else is going on, until it has read all of it. */
export class Inspection {
  readonly #abort = new AbortController();
  readonly #ended: Promise<void>;
  #damage: StoreError | undefined;
  #tell: ((damage: StoreError) => void) | undefined;

  constructor(path: string) {
    this.#ended = Database.inspect(path, this.#abort.signal).catch((error: unknown) => {
      // Other errors of opening it are reported where it is opened for work.
      const isDamage =
        error instanceof StoreError && (error.code === 'SQLITE_CORRUPT' || error.code === 'SQLITE_NOTADB');
      if (!isDamage) return;
      this.#damage = error;
      this.#tell?.(error);
    });
  }

  /** Until it is over, but not longer than `ms`. @throws StoreError that names the damage, the signal's reason */
  async wait(ms: number, stop: AbortSignal = new AbortController().signal): Promise<void> {
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, stop]);
    await Promise.race([this.#ended, sleep(ms, undefined, { signal }).catch(() => undefined)]);
    timer.abort();
    stop.throwIfAborted();
    this.throwIfDamaged();
  }

  /** @throws StoreError that names the damage */
  throwIfDamaged(): void {
    if (this.#damage) throw this.#damage;
  }

  onDamage(tell: (damage: StoreError) => void): void {
    this.#tell = tell;
    if (this.#damage) tell(this.#damage);
  }

  async end(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }
}
