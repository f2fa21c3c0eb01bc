import { setMaxListeners } from 'node:events';
import { refuseInsideWrite } from '../store/database.ts';
import type { Oddity } from '../dataset/oddities.ts';
import type { Ledger } from '../store/ledger.ts';
import { MOST_BODY_BYTES, MOST_ERROR_BYTES, MOST_ERROR_TEXT } from '../limits.ts';
import { duration } from '../text/format.ts';
import { nap, unlessAborted } from '../time.ts';
import { BodyTooLarge, readBody, readStart, readerOf, short } from './body.ts';
import type { Clocks } from './clocks.ts';
import { ALLOWED, Elsewhere } from './elsewhere.ts';
import type { Sent, Suspicion } from './elsewhere.ts';
import { ApiError, endpointOf } from './errors.ts';
import type { ApiKey } from './key.ts';
import type { Quota } from './quota.ts';
import { PATIENCE, decide, troubled } from './retry.ts';
import type { Trouble } from './retry.ts';
import type { Kept } from '../text/clean.ts';
import { JsonTooLarge } from '../text/json.ts';
import type { Throttle } from './throttle.ts';
import { headerNumber } from './headers.ts';
import { NONE_ALLOWED, NONE_LEFT, answeredAfter, noNumber, pausedForLess } from './odd.ts';
import { REFUSED, lostOn, refusalOf } from './refusals.ts';
import { httpClient, onWire } from './wire.ts';

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

export interface ClientOptions {
  readonly baseUrl: string;
  readonly key: ApiKey;
  readonly throttle: Throttle;
  readonly quota: Quota;
  readonly ledger: Ledger;
  /** For one attempt, from the first byte sent to the last received. Milliseconds. */
  readonly timeoutMs: number;
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
  /** An answer that was refused rather than used: kept for a person to look at. */
  readonly refused: (endpoint: string, reason: string) => Promise<void>;
  /** Told of each odd answer that was put right here. */
  readonly odd: (oddity: Oddity) => void;
  /** Others use the key, as it seems: so many requests were refused, or counted that are not this run's. */
  readonly crowded: (how: Crowding, n: number) => void;
}

export type Crowding = 'refused' | 'counted';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** What an answer says. @param kept see readerOf @throws ApiError of kind body, where it is not JSON within bounds */
export type Read = (kept?: Kept) => unknown;

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

/** Gets JSON from the API. Every attempt passes the throttle and is stamped in the ledger. */
export class Client {
  readonly #options: ClientOptions;
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
  readonly #elsewhere = new Elsewhere();
  /** As Etsy's headers last said. */
  #perSecond: number | undefined;
  /** Ends the pauses of those who wait for the API to answer at all. */
  #recovered = new AbortController();

  constructor(options: ClientOptions) {
    this.#options = options;
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
        await this.#fetch(path, query, signal, () => {
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

  async #fetch(path: string, query: Query, stop: AbortSignal, sent: () => void): Promise<Read> {
    const { baseUrl, key, throttle, quota, ledger, timeoutMs } = this.#options;
    const { ofetch } = await httpClient();
    const url = new URL(`${baseUrl.replace(/\/$/, '')}/${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    // The documented form is a bare comma; URLSearchParams would escape it.
    url.search = url.search.replaceAll('%2C', ',');

    let stamp = 0;
    const prepare = async (sendAt: () => number): Promise<void> => {
      await quota.ready(stop);
      stamp = await ledger.stamp(path, sendAt());
    };
    const flight = await throttle.enter(
      async () => {
        const began = performance.now();
        const own = throttle.inLastSecond() + 1;
        const inSum = this.#elsewhere.send();
        sent();
        let forget = (): void => undefined;
        const written = new Promise<void>((resolve) => {
          forget = onWire(url, resolve);
        });
        const response = ofetch.raw(url.href, {
          responseType: 'stream',
          retry: false,
          ignoreResponseError: true,
          redirect: 'error',
          headers: { 'x-api-key': key.header(), accept: 'application/json' },
          signal: AbortSignal.timeout(timeoutMs),
        });
        // Boxed: an async function would wait for a bare promise, and with it for the answer.
        const settled = response.then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        );
        await Promise.race([written, settled]);
        // A request that never got as far as the wire leaves no watcher behind.
        forget();
        return { began, own, inSum, settled };
      },
      prepare,
      stop,
    );

    let status: number | null = null;
    let remainingToday: number | undefined;
    try {
      const outcome = await flight.settled;
      if ('error' in outcome) throw lostOn(path, outcome.error, key, timeoutMs);
      const response = outcome.value as unknown as Response;
      status = response.status;
      const { headers } = response;
      const said = this.#number(headers, 'x-remaining-today');
      const perDay = this.#number(headers, 'x-limit-per-day');
      if (await quota.believes(said, status, perDay, Date.now())) remainingToday = said;
      else if (said !== undefined) this.#options.odd(NONE_LEFT);
      const perSecond = this.#number(headers, 'x-limit-per-second');
      if (perSecond === 0) this.#options.odd(NONE_ALLOWED);
      else if (perSecond !== undefined) throttle.limitTo((this.#perSecond = perSecond));
      const bytes = await this.#body(path, response);
      if (status === 200) {
        await quota.answered(remainingToday, Date.now());
        const read = readerOf(bytes, key);
        return (kept) => this.#json(path, bytes, () => read(kept));
      }
      const problem = refusalOf({ path, status, headers, bytes, remaining: remainingToday }, key);
      if (problem.kind === 'rate') this.#tooMany(flight.own);
      if (problem.kind === 'quota') await quota.spent(problem.retryAfterMs, Date.now());
      throw problem;
    } finally {
      ledger.settle(stamp, { status, tookMs: performance.now() - flight.began, remainingToday });
      this.#counted(flight.inSum, status === 200 ? remainingToday : undefined);
    }
  }

  /** What a header of the quota says; one that is there and is no number is passed over. */
  #number(headers: Headers, name: string): number | undefined {
    const text = headers.get(name);
    const value = headerNumber(text);
    if (text !== null && value === undefined)
      this.#options.odd(noNumber(name, short(JSON.stringify(text), this.#options.key, MOST_ERROR_TEXT)));
    return value;
  }

  /** @param own requests of ours in the second before */
  #tooMany(own: number): void {
    const at = this.#options.clocks.now();
    this.#makeRoom('refused', this.#elsewhere.refused({ at, own, allowed: this.#perSecond }));
  }

  #counted(inSum: Sent, left: number | undefined): void {
    const suspicion = this.#elsewhere.over(inSum, this.#options.clocks.now(), left);
    // Who asks for less than is allowed has left room for others already.
    if (this.#options.throttle.takes(this.#perSecond ?? ALLOWED)) this.#makeRoom('counted', suspicion);
  }

  #makeRoom(how: Crowding, suspicion: Suspicion | undefined): void {
    if (!suspicion) return;
    this.#options.throttle.slowDown(suspicion.slowMs);
    if (suspicion.n > 0) this.#options.crowded(how, suspicion.n);
  }

  /** Of what is no good answer only the start: it may say why. */
  async #body(path: string, response: Response): Promise<Buffer> {
    try {
      if (response.status !== 200) return (await readStart(response, MOST_ERROR_BYTES)).bytes;
      return await readBody(response, MOST_BODY_BYTES);
    } catch (error) {
      if (error instanceof BodyTooLarge) await this.#options.refused(path, error.message);
      if (!(error instanceof BodyTooLarge))
        throw lostOn(path, error, this.#options.key, this.#options.timeoutMs);
      throw new ApiError('body', path, error.message, { cause: error, isExcess: true });
    }
  }

  #json(path: string, bytes: Buffer, read: () => unknown): unknown {
    const { key } = this.#options;
    try {
      return read();
    } catch (error) {
      if (error instanceof JsonTooLarge)
        throw new ApiError('body', path, `the answer is too large: ${error.message}`, {
          cause: error,
          isExcess: true,
        });
      const start = short(bytes.toString('utf8', 0, 400), key, 60);
      // The parser's own message has a piece of the answer in it.
      throw new ApiError('body', path, `the answer is not JSON; it starts with: ${start}`);
    }
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
