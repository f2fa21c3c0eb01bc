import type { Oddity } from '../dataset/oddities.ts';
import { MOST_BODY_BYTES, MOST_ERROR_BYTES, MOST_ERROR_TEXT } from '../limits.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Kept } from '../text/clean.ts';
import { JsonTooLarge } from '../text/json.ts';
import { BodyTooLarge, readBody, readStart, readerOf, short } from './body.ts';
import type { Clocks } from './clocks.ts';
import { ALLOWED, Elsewhere } from './elsewhere.ts';
import type { Sent, Suspicion } from './elsewhere.ts';
import { ApiError } from './errors.ts';
import { headerNumber } from './headers.ts';
import type { ApiKey } from './key.ts';
import { NONE_ALLOWED, NONE_LEFT, noNumber } from './odd.ts';
import type { Quota } from './quota.ts';
import { lostOn, refusalOf } from './refusals.ts';
import type { Throttle } from './throttle.ts';
import { httpClient, onWire } from './wire.ts';

/** What one request needs. */
export interface ExchangeOptions {
  readonly baseUrl: string;
  readonly key: ApiKey;
  readonly throttle: Throttle;
  readonly quota: Quota;
  readonly ledger: Ledger;
  /** From the first byte sent to the last received. Milliseconds. */
  readonly timeoutMs: number;
  readonly clocks: Pick<Clocks, 'now'>;
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

/** One request and its answer: it passes the throttle, is stamped in the ledger, and its headers are heeded. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #elsewhere = new Elsewhere();
  /** As Etsy's headers last said. */
  #perSecond: number | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /**
   * @param path below the base URL
   * @param stop ends the waiting for a turn; a request on the wire is finished
   * @param sent called as it goes out
   * @throws ApiError where the answer is not a good one
   */
  async ask(path: string, query: Query, stop: AbortSignal, sent: () => void): Promise<Read> {
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
