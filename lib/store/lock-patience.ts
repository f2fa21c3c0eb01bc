import { setTimeout as sleep } from 'node:timers/promises';

/** How the lock of another program is waited for. */
export interface LockPatience {
  readonly giveUpAfterMs: number;
  /** Tells of the wait, until (epoch ms) it ends at the latest; what is returned ends it. */
  readonly hold: (reason: string, until: number) => () => void;
  readonly signal?: AbortSignal;
}

/** Between two looks whether the lock is gone, beside what SQLite itself waits. Milliseconds. */
const LOOK_MS = 250;

/**
 * Does `work`, and again while another program's lock is in its way.
 *
 * @param patience undefined: what SQLite waits by itself is all
 * @throws what `work` throws in the end; the signal's reason
 */
export async function unlocked<T>(
  path: string,
  patience: LockPatience | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  let end: (() => void) | undefined;
  try {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const isBusy = (error as { code?: unknown }).code === 'SQLITE_BUSY';
        if (!isBusy || !patience || performance.now() - began >= patience.giveUpAfterMs) throw error;
        const reason = `another program holds ${path} (a backup or a database browser, perhaps)`;
        end ??= patience.hold(reason, Date.now() + patience.giveUpAfterMs);
        await sleep(LOOK_MS, undefined, patience.signal && { signal: patience.signal }).catch(
          () => undefined,
        );
        patience.signal?.throwIfAborted();
      }
    }
  } finally {
    end?.();
  }
}
