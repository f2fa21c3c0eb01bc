import pLimit from 'p-limit';
import { refuseInsideWrite } from '../store/database.ts';
import { MOST_ERROR_TEXT } from '../limits.ts';
import { clip, oneLine } from '../text/clean.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { rootCause } from './errors.ts';
import { httpClient } from './wire.ts';
import { allowedHost } from '../dataset/image-url.ts';
import { faultOfJpeg } from '../dataset/jpeg.ts';
import { MOST_IMAGE_BYTES } from '../limits.ts';

const MAX_REDIRECTS = 3;

/**
 * Why an image could not be had. `missing`: it is gone for good. `refused`: a complete answer that is no image for us,
 * the next run may get a better one. `passing`: a fault on the way, another try may well succeed.
 */
export class ImageProblem extends Error {
  override readonly name = 'ImageProblem';
  readonly kind: 'missing' | 'refused' | 'passing';

  constructor(kind: 'missing' | 'refused' | 'passing', reason: string) {
    // It may have a header or an address of the server in it.
    super(clip(oneLine(reason), MOST_ERROR_TEXT));
    this.kind = kind;
  }
}

/** The image CDN: one download at a time in the whole process, over a kept-alive connection, outside the API's quota. */
export class Cdn {
  readonly #one = pLimit(1);
  readonly #timeoutMs: number;
  #received = 0;
  /** The pause after a first failure; callers lengthen it. Milliseconds. */
  readonly firstPauseMs: number;

  constructor(options: { timeoutMs: number; firstPauseMs: number }) {
    this.#timeoutMs = options.timeoutMs;
    this.firstPauseMs = options.firstPauseMs;
  }

  /** Bytes of images so far. */
  get received(): number {
    return this.#received;
  }

  /** @throws ImageProblem */
  async download(url: string, hosts: readonly string[]): Promise<Buffer> {
    refuseInsideWrite('services.cdn');
    return this.#one(async () => {
      const signal = AbortSignal.timeout(this.#timeoutMs);
      try {
        return await this.#get(url, hosts, signal, MAX_REDIRECTS);
      } catch (error) {
        if (error instanceof ImageProblem) throw error;
        if (error instanceof BodyTooLarge) throw new ImageProblem('refused', error.message);
        throw new ImageProblem(
          'passing',
          signal.aborted ? `no complete answer within ${this.#timeoutMs / 1000} s` : rootCause(error),
        );
      }
    });
  }

  async #get(url: string, hosts: readonly string[], signal: AbortSignal, redirects: number): Promise<Buffer> {
    if (!allowedHost(url, hosts)) {
      throw new ImageProblem(
        'refused',
        `${originOf(url)} is not among the hosts of pipeline.yaml (${hosts.join(', ')})`,
      );
    }
    const { ofetch } = await httpClient();
    const response = (await ofetch.raw(url, {
      responseType: 'stream',
      retry: false,
      ignoreResponseError: true,
      redirect: 'manual',
      signal,
    })) as unknown as Response;
    const { status } = response;
    if (status === 200) {
      const bytes = await readBody(response, MOST_IMAGE_BYTES);
      this.#received += bytes.length;
      const fault = faultOfJpeg(bytes);
      const type = response.headers.get('content-type') ?? 'no content-type';
      if (fault) throw new ImageProblem('refused', toldFault(fault, type));
      return bytes;
    }
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (status >= 300 && status < 400 && location && redirects > 0) {
      return this.#get(new URL(location, url).href, hosts, signal, redirects - 1);
    }
    const gone = status === 404 || status === 410;
    const passing = status >= 500 || status === 429 || status === 408;
    throw new ImageProblem(gone ? 'missing' : passing ? 'passing' : 'refused', `HTTP ${status}`);
  }
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : `"${url.slice(0, 80)}"`;
}

function toldFault(fault: string, type: string): string {
  if (fault !== 'not a JPEG') return `${fault} (${type})`;
  return type.startsWith('image/jpeg') ? 'labelled JPEG but is not one' : `not a JPEG but ${type}`;
}
