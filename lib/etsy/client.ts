import { setMaxListeners } from 'node:events';
import { refuseInsideWrite } from '../store/database.ts';
import { duration } from '../text/format.ts';
import { nap, unlessAborted } from '../time.ts';
import type { Clocks } from './clocks.ts';
import { ApiError, endpointOf } from './errors.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeOptions, Query, Read } from './exchange.ts';
import { answeredAfter, pausedForLess } from './odd.ts';
import { REFUSED } from './refusals.ts';
import { PATIENCE, decide, troubled } from './retry.ts';
import type { Trouble } from './retry.ts';

const GAVE_UP =
  'Etsy was unreachable for as long as api: giveUpAfter allows. Check your connection, then start sync-data again.';
const LATER = 'Etsy answers other requests but not this one. Start sync-data again later.';
/** A longer wait is shown. */
const TELL_MS = 5000;
/** Who waits after that long without any good answer waits for one, to whomever it is given. */
const SILENT_MS = 2000;
/** Requests that an endpoint may refuse one after the other before it counts as refusing all of them. */
const ENDURED = 20;
/** Answers to one request that were too large: it was heard, so the next would be no other. */
const ENOUGH = 3;
const PING = 'openapi-ping';
/** Milliseconds for which an answer to a ping is believed. */
const PING_MS = 30_000;

export interface ClientOptions extends ExchangeOptions {
  /** How long the API may give no good answer at all before the run fails. Milliseconds. */
  readonly giveUpAfterMs: number;
  /** The pause after a first failure, times 1 to 2 at random; it doubles with each further one. Milliseconds. */
  readonly firstBackoffMs: number;
  /** Stops waiting and retrying; a request on the wire is still finished. */
  readonly signal: AbortSignal;
  readonly clocks: Pick<Clocks, 'now' | 'stoodStillMs'>;
  /** How far apart the throttle lets requests through. Milliseconds. */
  readonly turnMs: number;
  /** Tells of a wait, until (epoch ms) it ends; what is returned ends it. */
  readonly hold: (reason: string, until: number) => () => void;
  /** A request to the endpoint of `path` that was answered before, as far as the database knows. */
  readonly knownGood?: (path: string) => Promise<{ path: string; query: Query } | undefined>;
}

export interface Patience {
  /** Failures before it is looked into whether the request or the API is at fault. */
  readonly patience?: number;
  /** Whether a refusal needs no second try to be believed. */
  readonly isMeant?: (refusal: ApiError) => boolean;
  /** The run can do without it: once patience is at an end it is given up, if anything else was answered. */
  readonly isOptional?: boolean;
  /** Of the stage that asks: stops waiting and retrying for it alone. */
  readonly signal?: AbortSignal | undefined;
}

interface Answered {
  /** performance.now() terms. */
  readonly at: number;
  readonly path: string;
  readonly query: Query;
  /** False: nothing but refusals so far. */
  readonly isGood: boolean;
}

/** Gets JSON from the API: tries again as long as that may help, and tells what is at fault where it does not. */
export class Client {
  readonly #options: ClientOptions;
  readonly #exchange: Exchange;
  /** By endpoint, ids left out. */
  readonly #lastAnswers = new Map<string, Answered>();
  readonly #probes = new Map<string, Promise<boolean>>();
  /** By endpoint: requests refused since its last good answer. */
  readonly #refusals = new Map<string, number>();
  /** Something was answered well in this start. */
  #isProven = false;
  #pinged: { readonly at: number; readonly refused: Promise<boolean> } | undefined;
  /** Undefined: the last attempt had a good answer. */
  #trouble: Trouble | undefined;
  /** Ends the pauses of those who wait for the API to answer at all. */
  #recovered = new AbortController();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#exchange = new Exchange(options);
    setMaxListeners(0, this.#recovered.signal);
  }

  /**
   * @param path below the base URL, e.g. "listings/active"
   * @throws ApiError of kind refused, client or key after a second try; of any other kind once its patience is at an end
   * @throws the signal's reason when the run, or the stage that asks, is to stop before the request is on the wire
   */
  async get<T>(
    path: string,
    query: Query,
    accept: (read: Read) => T,
    {
      patience = PATIENCE,
      isMeant = () => false,
      isOptional = false,
      signal = this.#options.signal,
    }: Patience = {},
  ): Promise<T> {
    refuseInsideWrite('services.api');
    const { firstBackoffMs } = this.#options;
    const count = { failures: 0, refusals: 0, forgiven: 0 };
    /** Of the last refusal. */
    let refusal: ApiError | undefined;
    for (let before = performance.now(); ;) {
      /** Others to the endpoint were answered between its last attempt but one and its last. */
      const isProven = this.#hasAnswered(path, before);
      const tried = performance.now();
      before = tried;
      try {
        const result = await this.#attempt(path, query, accept, signal);
        if (refusal) this.#options.odd(answeredAfter(refusal));
        return result;
      } catch (error) {
        if (!(error instanceof ApiError) || isMeant(error)) throw error;
        if (error.kind === 'client' || error.kind === 'key') {
          refusal = error;
          count.refusals += 1;
        }
        // Waiting for our turn (rate, quota) is no failure.
        else if (error.kind !== 'rate' && error.kind !== 'quota') count.failures += 1;
        const { failures, refusals } = count;
        const leftMs = this.#leftMs();
        const decision = decide({
          kind: error.kind,
          failures,
          refusals,
          retryAfterMs: error.retryAfterMs,
          leftMs,
          firstBackoffMs,
          random: Math.random(),
        });
        if (decision.act === 'give up') {
          if (await unlessAborted(this.#isRefusedAlone(path, error), signal))
            throw error.advising(LATER, 'refused');
          const isAlone = isPassing(error) && (await unlessAborted(this.#isAlive(path, 'well'), signal));
          if (!isAlone) throw error.hint === undefined ? error.advising(GAVE_UP) : error;
        }
        if (error.isExcess && failures >= ENOUGH)
          throw this.#isEndured(path) ? error.advising(LATER, 'hopeless') : error.advising(REFUSED);
        if (count.failures - count.forgiven >= patience && isPassing(error)) {
          if (isProven || (isOptional && this.#isProven)) throw error.advising(LATER, 'hopeless');
          if (
            !this.#hasAnswered(path, tried) &&
            !(await unlessAborted(this.#isAlive(path, 'at all'), signal))
          )
            count.forgiven = count.failures;
        }
        if (error.kind !== 'quota' && (error.retryAfterMs ?? 0) > leftMs)
          this.#options.odd(pausedForLess(error));
        await this.#pause(decision.act === 'retry' ? decision.afterMs : firstBackoffMs, error, signal);
      }
    }
  }

  #leftMs(): number {
    return this.#options.giveUpAfterMs - (this.#trouble?.observedMs ?? 0);
  }

  /** A pause long enough to notice is shown, with its reason and end. */
  async #pause(ms: number, error: ApiError, signal: AbortSignal): Promise<void> {
    if (this.#trouble) {
      this.#trouble = { ...this.#trouble, plannedMs: Math.max(this.#trouble.plannedMs, ms) };
    }
    const { observedMs = 0 } = this.#trouble ?? {};
    const isSilent = observedMs >= SILENT_MS && error.retryAfterMs === undefined;
    const since = new Date(Date.now() - observedMs).toISOString().slice(11, 19);
    const asked =
      error.retryAfterMs === undefined ? '' : ` (it asks for a pause of ${duration(error.retryAfterMs)})`;
    const reason = isSilent
      ? `no usable answer from the API since ${since} UTC (${error.message})`
      : `${error.message}${asked}`;
    const end = ms > TELL_MS ? this.#options.hold(reason, Date.now() + ms) : undefined;
    const { signal: recovered } = this.#recovered;
    try {
      await nap(ms, isSilent ? AbortSignal.any([signal, recovered]) : signal);
    } catch (reason) {
      if (reason !== recovered.reason) throw reason;
    } finally {
      end?.();
    }
  }

  #hasAnswered(path: string, since: number): boolean {
    return (this.#lastAnswers.get(endpointOf(path))?.at ?? 0) > since;
  }

  /** Whether Etsy refuses this request while others are answered: then it is neither the key nor the base URL. */
  async #isRefusedAlone(path: string, { kind, status }: ApiError): Promise<boolean> {
    if ((kind !== 'client' && kind !== 'key') || path === PING) return false;
    if (!this.#isEndured(path, status === 404 ? 0 : 1)) return false;
    return kind === 'key' ? !(await this.#isKeyRefused()) : this.#isProven || this.#isAlive(path, 'well');
  }

  /** One more request refused: false once the endpoint does not seem to answer any. */
  #isEndured(path: string, more = 1): boolean {
    const endpoint = endpointOf(path);
    const refusals = (this.#refusals.get(endpoint) ?? 0) + more;
    this.#refusals.set(endpoint, refusals);
    return refusals <= ENDURED;
  }

  /** A ping needs a good key and nothing else. */
  #isKeyRefused(): Promise<boolean> {
    const now = performance.now();
    if (!this.#pinged || now - this.#pinged.at > PING_MS) {
      const refused = this.get(PING, {}, (read) => !isRead(read)).catch((error: unknown) => {
        if (error instanceof ApiError && error.kind === 'client') return false;
        if (error instanceof ApiError && error.kind === 'key') return true;
        throw error;
      });
      this.#pinged = { at: now, refused };
    }
    return this.#pinged.refused;
  }

  /**
   * Whether the endpoint answers what it answered before: then it is not the API that is out of order. A request is
   * given up only if it fails once more after that, for an outage may have ended in between.
   * @param how at all: also by refusing; well: only by a good answer
   */
  async #isAlive(path: string, how: 'at all' | 'well'): Promise<boolean> {
    const endpoint = endpointOf(path);
    const answered = this.#lastAnswers.get(endpoint);
    const last = answered?.isGood ? answered : ((await this.#options.knownGood?.(path)) ?? answered);
    if (!last) return false;
    const probe =
      this.#probes.get(`${endpoint} ${how}`) ??
      this.#attempt(last.path, last.query, isRead)
        .catch((error: unknown) => how === 'at all' && error instanceof ApiError && error.kind === 'client')
        .finally(() => this.#probes.delete(`${endpoint} ${how}`));
    this.#probes.set(`${endpoint} ${how}`, probe);
    return probe;
  }

  async #attempt<T>(
    path: string,
    query: Query,
    accept: (read: Read) => T,
    signal = this.#options.signal,
  ): Promise<T> {
    let began = this.#options.clocks.now();
    try {
      const result = accept(
        await this.#exchange.ask(path, query, signal, () => {
          began = this.#options.clocks.now();
        }),
      );
      this.#isProven = true;
      this.#refusals.delete(endpointOf(path));
      this.#answered(path, query, true);
      return result;
    } catch (error) {
      if (error instanceof ApiError && (error.kind === 'client' || error.isExcess))
        this.#answered(path, query, false);
      else if (error instanceof ApiError && error.kind !== 'quota') this.#failed(began);
      throw error;
    }
  }

  #answered(path: string, query: Query, isGood: boolean): void {
    const endpoint = endpointOf(path);
    const before = this.#lastAnswers.get(endpoint);
    const asked = isGood || !before?.isGood ? { path, query, isGood } : before;
    this.#lastAnswers.set(endpoint, { ...asked, at: performance.now() });
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#recovered.abort();
    this.#recovered = new AbortController();
    setMaxListeners(0, this.#recovered.signal);
  }

  #failed(began: number): void {
    const { clocks, turnMs } = this.#options;
    const failed = clocks.now();
    this.#trouble = troubled(this.#trouble, { began, failed, stoodStillMs: clocks.stoodStillMs, turnMs });
  }
}

function isRead(read: Read): boolean {
  read();
  return true;
}

/** What may be over a moment later, and may as well be this one request's fault. */
function isPassing(error: Error): boolean {
  return error instanceof ApiError && ['server', 'body', 'timeout', 'network'].includes(error.kind);
}
