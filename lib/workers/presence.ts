import { hostname } from 'node:os';
import type { Link, LinkState, QueuedJob } from './link.ts';
import { odd } from './news.ts';
import type { News } from './news.ts';
import { ANSWERS, NOTICE, NOTICE_MS, notice, signed } from './protocol.ts';
import type { Space } from './protocol.ts';

export interface PresenceOptions {
  /** Of this start of the coordinator. */
  readonly id: string;
  readonly dataset: string;
  /** For messages. */
  readonly address: string;
  readonly tell: (news: News) => void;
  /** What the notice says of the work. */
  readonly work: () => {
    readonly spaces: readonly Space[];
    readonly verdicts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
  readonly hear: (job: QueuedJob) => Promise<void>;
  /** Jobs go through Redis from now on; or they do not any more. */
  readonly changed: () => void;
}

/** Why Redis is not used, and since when (epoch ms). */
export interface Apart {
  readonly reason: string;
  readonly since: number;
}

/** How often it says that it is there. Milliseconds. */
const SAY_MS = NOTICE_MS / 5;
/** Answers that are looked at at once. */
const AT_ONCE = 8;

/** The coordinator's place in a Redis: one dataset has it at a time, and says so again and again. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #link: Link;
  /** Undefined: jobs go through Redis. */
  apart: Apart | undefined = { reason: 'not connected yet', since: Date.now() };
  #isToldGone = false;
  #wasThere = false;
  #isEmptied = false;
  #saidAt = -Infinity;
  #joining: Promise<void> | undefined;
  #tellKnown = (): void => undefined;
  /** Resolves once it is known whether Redis is there. */
  readonly known = new Promise<void>((resolve) => (this.#tellKnown = resolve));

  constructor(link: Link, options: PresenceOptions) {
    this.#link = link;
    this.#options = options;
  }

  /** The connection came or went. */
  readonly linkChanged = (state: LinkState): void => {
    if (state.isUp) return void this.join();
    const { address, tell, changed } = this.#options;
    const wasIn = this.apart === undefined;
    this.apart = { reason: state.reason, since: wasIn ? Date.now() : (this.apart?.since ?? Date.now()) };
    if (!this.#isToldGone)
      tell(odd('gone', `Redis at ${address} cannot be reached (${state.reason})`, state.reason));
    this.#isToldGone = true;
    this.#tellKnown();
    if (wasIn) changed();
  };

  /** Takes the place, where it is free. Never throws. */
  join(): Promise<void> {
    this.#joining ??= this.#join()
      .catch(() => undefined)
      .finally(() => {
        this.#joining = undefined;
        this.#tellKnown();
      });
    return this.#joining;
  }

  async #join(): Promise<void> {
    if (!this.#link.isUp || !this.apart) return;
    const { address, tell, changed, hear } = this.#options;
    const other = await this.#other();
    if (other !== undefined) {
      const reason = `the dataset of ${other} uses it`;
      if (this.apart.reason !== reason) {
        tell(
          odd(
            'taken',
            `Redis at ${address} is in use by the dataset of ${other}; give each a database of its own (${address}/1)`,
          ),
        );
        this.apart = { reason, since: Date.now() };
      }
      return;
    }
    if (!this.#isEmptied) {
      await this.#link.queue(ANSWERS).obliterate({ force: true });
      this.#link.worker(ANSWERS, AT_ONCE, hear);
      this.#isEmptied = true;
    }
    this.apart = undefined;
    if (this.#isToldGone)
      tell({
        message: this.#wasThere
          ? `Redis at ${address} is back again.`
          : `Redis at ${address} is reached now.`,
      });
    this.#isToldGone = false;
    this.#wasThere = true;
    await this.say();
    changed();
  }

  /** From time to time. Never throws. */
  async tick(): Promise<void> {
    if (this.apart) return this.join();
    if (performance.now() - this.#saidAt < SAY_MS) return;
    const other = await this.#other().catch(() => undefined);
    if (other === undefined) return this.say();
    this.apart = { reason: '', since: Date.now() };
    this.#options.changed();
    await this.join();
  }

  /** Says what there is to do, and who may do it. Never throws. */
  async say(): Promise<void> {
    if (this.apart || !this.#link.isUp) return;
    this.#saidAt = performance.now();
    const { id, dataset, work } = this.#options;
    const said = { ...signed(), coordinator: id, dataset, name: hostname().slice(0, 60), ...work() };
    await this.#link.redis.set(NOTICE, JSON.stringify(said), 'PX', NOTICE_MS).catch(() => undefined);
  }

  async leave(): Promise<void> {
    if (!this.apart && this.#link.isUp) await this.#link.redis.del(NOTICE).catch(() => undefined);
  }

  /** The computer of another dataset that has the place. */
  async #other(): Promise<string | undefined> {
    const text = await this.#link.redis.get(NOTICE);
    const said = notice.safeParse(parsed(text)).data;
    return said && said.dataset !== this.#options.dataset ? said.name : undefined;
  }
}

/** Undefined where it is no JSON, or longer than a notice is. */
export function parsed(text: string | null): unknown {
  if (text === null || text.length > MOST_NOTICE) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
const MOST_NOTICE = 1_000_000;
