import { MOST_WORKERS } from '../limits.ts';
import type { WorkerView } from '../models/jobs.ts';

/** What is known of a worker. */
interface Known {
  readonly id: string;
  readonly name: string;
  readonly device: string;
  readonly threads: number;
  /** By queue: why it may take no jobs of it; empty: it may. */
  readonly verdicts: Map<string, string>;
  /** Epoch ms. */
  heardAt: number;
  silentSince: number | undefined;
  left: string | undefined;
  pictures: number;
  /** When, and how many pictures: of late. */
  recent: (readonly [number, number])[];
  /** Faults in a row. */
  faults: number;
  /** Answers since the last one that was compared with this computer's own. */
  unchecked: number;
}

/** Images a second are those of so long. Milliseconds. */
const LATE_MS = 60_000;

/** The workers by id, and what became of each. Times are epoch milliseconds, given by whoever asks. */
export class Roster {
  readonly #known = new Map<string, Known>();
  readonly #silenceMs: number;

  /** @param silenceMs nothing heard for so long: silent. Milliseconds */
  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  get(id: string): Known | undefined {
    return this.#known.get(id);
  }

  /** Somebody said something. @returns what changed by it: one that was silent is back */
  heard(id: string, now: number): 'back' | undefined {
    const known = this.#known.get(id);
    if (!known) return undefined;
    const wasSilent = known.silentSince !== undefined;
    known.heardAt = now;
    known.silentSince = undefined;
    known.left = undefined;
    return wasSilent ? 'back' : undefined;
  }

  /** @returns undefined where there are too many */
  greet(
    worker: { id: string; name: string; device: string; threads: number },
    now: number,
  ): Known | undefined {
    const before = this.#known.get(worker.id);
    if (!before && this.#known.size >= MOST_WORKERS) this.#forget();
    if (!before && this.#known.size >= MOST_WORKERS) return undefined;
    const known: Known = {
      ...{ verdicts: new Map<string, string>(), pictures: 0, recent: [], faults: 0, unchecked: Infinity },
      ...before,
      ...worker,
      name: before?.name ?? this.#nameFor(worker.name),
      heardAt: now,
      silentSince: undefined,
      left: undefined,
    };
    this.#known.set(worker.id, known);
    return known;
  }

  leave(id: string, reason: string): void {
    const known = this.#known.get(id);
    if (known) known.left = reason;
  }

  did(id: string, pictures: number, now: number): void {
    const known = this.#known.get(id);
    if (!known) return;
    known.pictures += pictures;
    known.faults = 0;
    known.recent.push([now, pictures]);
    known.recent = known.recent.filter(([at]) => at > now - LATE_MS);
  }

  /** @returns those that have become silent just now */
  silent(now: number): Known[] {
    const found = [...this.#known.values()].filter(
      ({ heardAt, silentSince, left }) =>
        silentSince === undefined && left === undefined && now - heardAt > this.#silenceMs,
    );
    for (const known of found) known.silentSince = known.heardAt;
    return found;
  }

  /** Threads of those that may take jobs of a queue, and are there. */
  threads(queue: string): number {
    return this.#there()
      .filter(({ verdicts }) => verdicts.get(queue) === '')
      .reduce((sum, { threads }) => sum + threads + 1, 0);
  }

  /** For the notice: what each may do. */
  verdicts(): Record<string, Record<string, string>> {
    const all = this.#there().map(({ id, verdicts }) => [id, Object.fromEntries(verdicts)] as const);
    return Object.fromEntries(all);
  }

  views(now: number): WorkerView[] {
    return [...this.#known.values()].map((known) => {
      const { name, device, pictures, heardAt, silentSince, left, verdicts } = known;
      const refused = [...verdicts.values()].find((reason) => reason !== '');
      const isRefused = refused !== undefined && ![...verdicts.values()].includes('');
      const state = left !== undefined ? 'left' : isRefused ? 'refused' : silentSince ? 'silent' : 'working';
      const perSecond = rateOf(known.recent, now);
      return { name, device, state, pictures, perSecond, heardAt, reason: left ?? refused ?? '' };
    });
  }

  #there(): Known[] {
    return [...this.#known.values()].filter(
      ({ left, silentSince }) => left === undefined && silentSince === undefined,
    );
  }

  /** Those that are gone make room. */
  #forget(): void {
    for (const [id, { left, silentSince }] of this.#known)
      if (left !== undefined || silentSince !== undefined) this.#known.delete(id);
  }

  /** Two on one computer, or on two that are called the same. */
  #nameFor(name: string): string {
    const taken = new Set(
      [...this.#known.values()]
        .filter(({ left, silentSince }) => left === undefined && silentSince === undefined)
        .map((known) => known.name),
    );
    for (let n = 1; ; n += 1) {
      const candidate = n === 1 ? name : `${name} (${n})`;
      if (!taken.has(candidate)) return candidate;
    }
  }
}

function rateOf(recent: readonly (readonly [number, number])[], now: number): number {
  const late = recent.filter(([at]) => at > now - LATE_MS);
  const [first] = late;
  if (!first) return 0;
  const pictures = late.reduce((sum, [, n]) => sum + n, 0);
  return (pictures * 1000) / Math.max(1000, now - first[0]);
}
