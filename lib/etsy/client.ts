import { ofetch } from 'ofetch';
import pRetry from 'p-retry';
import type { Ledger } from '../store/ledger.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { ApiError, rootCause } from './errors.ts';
import { WHERE_TO_GET_A_KEY } from './key.ts';
import type { ApiKey } from './key.ts';
import type { Quota } from './quota.ts';
import type { Throttle } from './throttle.ts';
import { retryAfterMs, sleep } from './time.ts';
import { onWire } from './wire.ts';

const MAX_JSON_BYTES = 50 * 1024 * 1024;
const utf8 = new TextDecoder();
const GAVE_UP =
  'No good answer came for as long as api: giveUpAfter allows. Look whether Etsy can be reached, then start sync-data again.';
const LATER = 'Etsy answers other requests, but not this one. Start sync-data again later.';
const REFUSED =
  'Look at api: baseUrl in pipeline.yaml; if it is right, Etsy has changed, and sync-data must be updated.';
/** Failures of one request before it is looked into whether the fault is in the request or in the weather. */
const PATIENCE = 8;
/** Requests that an endpoint may refuse one after the other before it counts as refusing all of them. */
const ENDURED = 20;
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
  readonly hold: (reason: string, until: number) => void;
  readonly released: () => void;
  /** A request to the endpoint of `path` that was answered before, as far as the database knows. */
  readonly knownGood?: (path: string) => Promise<{ path: string; query: Query } | undefined>;
  /** An answer that was refused rather than used: kept for a person to look at. */
  readonly refused: (endpoint: string, reason: string) => Promise<void>;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

interface Answered {
  /** performance.now() terms. */
  readonly at: number;
  readonly path: string;
  readonly query: Query;
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
  /** The first failure since the last answer; performance.now() terms. */
  #troubleSince: number | undefined;
  #failures = 0;
  /** Epoch ms, as last told; undefined: nobody was told to wait. */
  #heldUntil: number | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * @param path below the base URL, e.g. "listings/active"
   * @throws ApiError of kind refused, client or key at once; of any other kind once its patience is at an end
   * @throws the signal's reason when the run is to stop before the request is on the wire
   */
  async get<T>(path: string, query: Query, accept: (body: unknown) => T, patience = PATIENCE): Promise<T> {
    const { signal } = this.#options;
    let answer: { readonly body: T } | undefined;
    let isHopeless = false;
    /** Failures that were the weather's. */
    let forgiven = 0;
    let tried = performance.now();
    /** Others to the endpoint were answered between its last attempt but one and its last. */
    let isProven = false;
    try {
      await pRetry(
        async () => {
          isProven = this.#hasAnswered(path, tried);
          tried = performance.now();
          answer = { body: await this.#attempt(path, query, accept) };
        },
        {
          retries: Infinity,
          factor: 2,
          minTimeout: this.#options.firstBackoffMs,
          maxTimeout: 60_000,
          randomize: true,
          signal,
          shouldRetry: async ({ error, attemptNumber }) => {
            if (!this.#mayRetry(error)) return false;
            if (attemptNumber - forgiven < patience || !isPassing(error)) return true;
            isHopeless = isProven;
            if (!isHopeless && !this.#hasAnswered(path, tried) && !(await this.#isAlive(path)))
              forgiven = attemptNumber;
            return !isHopeless;
          },
          shouldConsumeRetry: ({ error }) =>
            !(error instanceof ApiError && (error.kind === 'rate' || error.kind === 'quota')),
          onFailedAttempt: async ({ error }) => {
            if (!(error instanceof ApiError)) return;
            if (error.kind === 'rate') await sleep(error.retryAfterMs ?? 500 + Math.random() * 500, signal);
            else if (error.kind !== 'quota' && error.retryAfterMs) await sleep(error.retryAfterMs, signal);
          },
        },
      );
    } catch (error) {
      // An answer that came in after the stop was asked for is still worth its request.
      if (answer) return answer.body;
      if (!(error instanceof ApiError)) throw error;
      if (isHopeless) throw error.advising(LATER, 'hopeless');
      if (await this.#isRefusedAlone(path, error)) throw error.advising(LATER, 'refused');
      throw error.hint === undefined ? error.advising(GAVE_UP) : error;
    }
    if (!answer) throw new Error(`internal: ${path} ended without answer or error`);
    return answer.body;
  }

  #mayRetry(error: Error): boolean {
    if (!(error instanceof ApiError) || error.kind === 'key' || error.kind === 'client') return false;
    const silence = performance.now() - (this.#troubleSince ?? performance.now());
    return error.kind === 'quota' || silence <= this.#options.giveUpAfterMs;
  }

  #hasAnswered(path: string, since: number): boolean {
    return (this.#lastAnswers.get(endpointOf(path))?.at ?? 0) > since;
  }

  /** Whether Etsy refuses this request while others are answered: then it is neither the key nor the base URL. */
  async #isRefusedAlone(path: string, { kind, status }: ApiError): Promise<boolean> {
    if ((kind !== 'client' && kind !== 'key') || path === PING) return false;
    const endpoint = endpointOf(path);
    const refusals = (this.#refusals.get(endpoint) ?? 0) + (status === 404 ? 0 : 1);
    this.#refusals.set(endpoint, refusals);
    if (refusals > ENDURED) return false;
    return kind === 'key' ? !(await this.#isKeyRefused()) : this.#isProven || this.#isAlive(path);
  }

  /** A ping needs a good key and nothing else. */
  #isKeyRefused(): Promise<boolean> {
    const now = performance.now();
    if (!this.#pinged || now - this.#pinged.at > PING_MS) {
      const refused = this.get(PING, {}, () => false).catch((error: unknown) => {
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
   */
  async #isAlive(path: string): Promise<boolean> {
    const endpoint = endpointOf(path);
    const last = this.#lastAnswers.get(endpoint) ?? (await this.#options.knownGood?.(path));
    if (!last) return false;
    const probe =
      this.#probes.get(endpoint) ??
      this.#attempt(last.path, last.query, () => true)
        .catch((error: unknown) => error instanceof ApiError && error.kind === 'client')
        .finally(() => this.#probes.delete(endpoint));
    this.#probes.set(endpoint, probe);
    return probe;
  }

  async #attempt<T>(path: string, query: Query, accept: (body: unknown) => T): Promise<T> {
    try {
      const result = accept(await this.#fetch(path, query));
      this.#isProven = true;
      this.#refusals.delete(endpointOf(path));
      this.#answered(path, query);
      return result;
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'client') this.#answered(path, query);
      else if (error instanceof ApiError && error.kind !== 'quota') this.#failed(error);
      throw error;
    }
  }

  #answered(path: string, query: Query): void {
    this.#lastAnswers.set(endpointOf(path), { at: performance.now(), path, query });
    this.#troubleSince = undefined;
    this.#failures = 0;
    if (this.#heldUntil !== undefined) this.#options.released();
    this.#heldUntil = undefined;
  }

  /** One failure is told by nobody; a silence is, with its reason, and when the next try may be expected. */
  #failed(error: ApiError): void {
    this.#failures += 1;
    this.#troubleSince ??= performance.now();
    const silence = performance.now() - this.#troubleSince;
    const now = Date.now();
    if (this.#failures <= 5 || silence < 5000 || now < (this.#heldUntil ?? 0)) return;
    const since = new Date(now - silence).toISOString().slice(11, 19);
    this.#heldUntil = now + Math.min(60_000, silence);
    const reason = `no good answer from the API since ${since} UTC (${error.message})`;
    this.#options.hold(reason, this.#heldUntil);
  }

  async #fetch(path: string, query: Query): Promise<unknown> {
    const { baseUrl, key, throttle, quota, ledger, timeoutMs } = this.#options;
    const url = new URL(`${baseUrl.replace(/\/$/, '')}/${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    // The documented form is a bare comma; URLSearchParams would escape it.
    url.search = url.search.replaceAll('%2C', ',');

    let stamp = 0;
    const prepare = async (sendAt: () => number): Promise<void> => {
      await quota.ready();
      stamp = await ledger.stamp(path, sendAt());
    };
    const flight = await throttle.enter(async () => {
      const began = performance.now();
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
      return { began, settled };
    }, prepare);

    let status: number | null = null;
    let remainingToday: number | undefined;
    try {
      const outcome = await flight.settled;
      if ('error' in outcome) throw this.#lost(path, outcome.error);
      const response = outcome.value as unknown as Response;
      status = response.status;
      remainingToday = headerNumber(response, 'x-remaining-today');
      const perSecond = headerNumber(response, 'x-limit-per-second');
      if (perSecond !== undefined) throttle.limitTo(perSecond);
      const text = await this.#text(path, response);
      if (status === 200) {
        await quota.answered(remainingToday, Date.now());
        return this.#json(path, text);
      }
      throw await this.#problem(path, response, text, remainingToday);
    } finally {
      ledger.settle(stamp, { status, tookMs: performance.now() - flight.began, remainingToday });
    }
  }

  /** Struck out before anything is made of it: what an answer echoes must not get into the database either. */
  async #text(path: string, response: Response): Promise<string> {
    const { key } = this.#options;
    try {
      const bytes = await readBody(response, MAX_JSON_BYTES);
      const text = utf8.decode(bytes);
      return key.isIn(bytes) ? key.redact(text) : text;
    } catch (error) {
      if (error instanceof BodyTooLarge) await this.#options.refused(path, error.message);
      throw error instanceof BodyTooLarge ? this.#bad(path, error.message, error) : this.#lost(path, error);
    }
  }

  #json(path: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      const start = text.slice(0, 60).replaceAll(/\s+/g, ' ');
      throw this.#bad(path, `the answer is no JSON, it starts with: ${start}`, error);
    }
  }

  #bad(path: string, message: string, cause: unknown): ApiError {
    return new ApiError('body', path, message, { cause });
  }

  #lost(path: string, error: unknown): ApiError {
    const timedOut =
      error instanceof Error && /Timeout/.test(`${error.name} ${rootCause(error)} ${String(error.cause)}`);
    const message = timedOut
      ? `no complete answer within ${this.#options.timeoutMs / 1000} s`
      : this.#options.key.redact(rootCause(error));
    return new ApiError(timedOut ? 'timeout' : 'network', path, message, { cause: error });
  }

  async #problem(
    path: string,
    response: Response,
    text: string,
    remaining: number | undefined,
  ): Promise<ApiError> {
    const { status } = response;
    const said = this.#options.key.redact(errorText(text));
    const retryAfter = retryAfterMs(response.headers.get('retry-after'), Date.now());
    const more = { status, retryAfterMs: retryAfter };
    if (status === 429) {
      if (remaining === 0 || /daily|per day/i.test(said)) {
        await this.#options.quota.spent(retryAfter, Date.now());
        return new ApiError('quota', path, `HTTP 429: ${said}`, more);
      }
      return new ApiError('rate', path, `HTTP 429: ${said}`, more);
    }
    if (status === 401 || status === 403) {
      return new ApiError('key', path, `Etsy refused the API key (HTTP ${status}: ${said})`, {
        ...more,
        hint: WHERE_TO_GET_A_KEY,
      });
    }
    if (status >= 500 || status === 408 || status === 425) {
      return new ApiError('server', path, `HTTP ${status}: ${said}`, more);
    }
    return new ApiError('client', path, `HTTP ${status}: ${said}`, { ...more, hint: REFUSED });
  }
}

function headerNumber(response: Response, name: string): number | undefined {
  const value = Number(response.headers.get(name) ?? NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** Etsy's errors are `{"error": "..."}`; what stands in between may answer with anything. */
function errorText(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'error' in body) return String(body.error);
  } catch {
    // no JSON: shown as it is
  }
  return text.slice(0, 200).replaceAll(/\s+/g, ' ') || 'no message';
}

/** What may be over a moment later, and may as well be this one request's fault. */
function isPassing(error: Error): boolean {
  return error instanceof ApiError && ['server', 'body', 'timeout', 'network'].includes(error.kind);
}

/** "shops/12/reviews" → "shops/{id}/reviews" */
function endpointOf(path: string): string {
  return path.replaceAll(/\d+/g, '{id}');
}
