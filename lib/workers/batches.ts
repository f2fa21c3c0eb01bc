import { randomUUID } from 'node:crypto';
import type { Result } from '../models/jobs.ts';
import { MOST_BATCH } from '../limits.ts';
import { queueOf } from './protocol.ts';
import type { Item, Space } from './protocol.ts';

/** An item that somebody waits for. */
export interface Wanted {
  readonly item: Item;
  readonly signal: AbortSignal | undefined;
  readonly done: (result: Result, worker: string, ms: number) => void;
  readonly failed: (error: unknown) => void;
}

/** Wanted items that travel together. */
export interface Batch {
  readonly id: string;
  readonly space: Space;
  readonly cover: readonly [number, number] | undefined;
  readonly wanted: readonly Wanted[];
  /** Under this name it is in Redis; undefined: it is not there. Each time it is put there it gets a new one. */
  job: string | undefined;
  puts: number;
  /** When it was put there; ms of the steady clock. */
  putAt: number;
  /** Looked for in Redis and not found, so often in a row. */
  missed: number;
  /** The threads of this computer have it. */
  isHere: boolean;
  /** An answer is being compared with this computer's own. */
  isChecked: boolean;
}

/** A batch takes about so long, so that the last ones are spread evenly; milliseconds of one thread. */
const BATCH_MS = 4000;
/** Of pictures in one batch. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** Answered batches that are remembered: an answer to one of them comes twice. */
const REMEMBERED = 4096;

/** How many items a batch has, where one takes so many milliseconds. */
export function batchSize(milliseconds: number): number {
  return Math.max(1, Math.min(MOST_BATCH, Math.round(BATCH_MS / Math.max(1, milliseconds))));
}

/** The batches on their way, and those that were answered of late. */
export class Batches {
  readonly #out = new Map<string, Batch>();
  readonly #answered = new Set<string>();

  get size(): number {
    return this.#out.size;
  }

  make(space: Space, cover: Batch['cover'], wanted: readonly Wanted[]): Batch {
    const state = { job: undefined, puts: 0, putAt: 0, missed: 0, isHere: false, isChecked: false };
    const batch = { id: randomUUID(), space, cover, wanted, ...state };
    this.#out.set(batch.id, batch);
    return batch;
  }

  get(id: string): Batch | undefined {
    return this.#out.get(id);
  }

  all(): Batch[] {
    return [...this.#out.values()];
  }

  wasAnswered(id: string): boolean {
    return this.#answered.has(id);
  }

  /** It is no longer wanted. @returns false where it was not any more before */
  drop(batch: Batch): boolean {
    if (!this.#out.delete(batch.id)) return false;
    this.#answered.add(batch.id);
    for (const id of this.#answered) {
      if (this.#answered.size <= REMEMBERED) break;
      this.#answered.delete(id);
    }
    return true;
  }
}

/** What goes together: the same space and limits, a few at a time. */
export class Gathering {
  readonly #groups = new Map<
    string,
    { space: Space; cover: Batch['cover']; wanted: Wanted[]; bytes: number }
  >();
  readonly #ready: (space: Space, cover: Batch['cover'], wanted: readonly Wanted[]) => void;
  #timer: NodeJS.Timeout | undefined;
  /** How long the first of a group waits for more. Milliseconds. */
  readonly #waitMs: number;

  constructor(
    waitMs: number,
    ready: (space: Space, cover: Batch['cover'], wanted: readonly Wanted[]) => void,
  ) {
    this.#waitMs = waitMs;
    this.#ready = ready;
  }

  /** @param most items of a batch */
  add(space: Space, cover: Batch['cover'], wanted: Wanted, most: number): void {
    const key = `${queueOf(space)} ${cover?.join(' ') ?? ''}`;
    const bytes = sizeOf(wanted.item);
    const before = this.#groups.get(key);
    if (before && before.bytes + bytes > BATCH_BYTES) this.#send(key);
    const group = this.#groups.get(key) ?? { space, cover, wanted: [], bytes: 0 };
    this.#groups.set(key, group);
    group.wanted.push(wanted);
    group.bytes += bytes;
    if (group.wanted.length >= most) this.#send(key);
    else this.#timer ??= setTimeout(() => this.flush(), this.#waitMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const key of [...this.#groups.keys()]) this.#send(key);
  }

  #send(key: string): void {
    const group = this.#groups.get(key);
    if (!group) return;
    this.#groups.delete(key);
    this.#ready(group.space, group.cover, group.wanted);
  }
}

/** Bytes. */
export function sizeOf(item: Item): number {
  return 'bytes' in item ? item.bytes.length : item.text.length;
}
