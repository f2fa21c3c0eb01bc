import { UserError } from '../errors.ts';

/**
 * Why a request gave no usable answer. The kind decides what happens next:
 * - network, timeout, server, body: tried again after a back-off (no answer, cut answer, 5xx, no JSON, wrong shape)
 * - rate, quota: not our turn yet; tried again, which costs no attempt
 * - key: the key is missing or refused; the run ends
 * - hopeless: failed time and again while other requests were answered; a task may leave it out and go on
 * - refused: Etsy refuses this one (4xx) and answers others; a task may leave it out and go on
 * - client: Etsy says the request is wrong (other 4xx) and nothing shows that others are answered
 */
export type ApiErrorKind =
  'network' | 'timeout' | 'server' | 'body' | 'rate' | 'quota' | 'key' | 'client' | 'refused' | 'hopeless';

export class ApiError extends UserError {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  readonly endpoint: string;
  /** The message without the endpoint. */
  readonly reason: string;
  readonly status: number | undefined;
  /** Milliseconds, from the retry-after header. */
  readonly retryAfterMs: number | undefined;
  /** Of kind body: it was too large for any answer. The API is there, and says so to this request. */
  readonly isExcess: boolean;

  constructor(
    kind: ApiErrorKind,
    endpoint: string,
    message: string,
    more: {
      status?: number;
      retryAfterMs?: number | undefined;
      hint?: string;
      cause?: unknown;
      isExcess?: boolean;
    } = {},
  ) {
    super(`${endpoint}: ${message}`, { exitCode: 1, hint: more.hint, cause: more.cause });
    this.reason = message;
    this.kind = kind;
    this.endpoint = endpoint;
    this.status = more.status;
    this.retryAfterMs = more.retryAfterMs;
    this.isExcess = more.isExcess ?? false;
  }

  override get needsUser(): boolean {
    return this.kind === 'key';
  }

  /** The same, with what to do next now that nothing more is tried. */
  advising(hint: string, kind = this.kind): ApiError {
    const { endpoint, reason, status, retryAfterMs } = this;
    return new ApiError(kind, endpoint, reason, {
      ...(status !== undefined && { status }),
      retryAfterMs,
      hint,
      cause: this,
    });
  }
}

/** The innermost reason of a failed fetch, e.g. "connect ECONNREFUSED 127.0.0.1:443"; fetch itself only says "failed". */
export function rootCause(error: unknown): string {
  let deepest = error;
  while (deepest instanceof Error) {
    const next: unknown = deepest instanceof AggregateError ? deepest.errors[0] : deepest.cause;
    if (!(next instanceof Error)) break;
    deepest = next;
  }
  if (!(deepest instanceof Error)) return String(deepest);
  const code = (deepest as { code?: unknown }).code;
  return deepest.message || (typeof code === 'string' ? code : deepest.name);
}

/** "shops/12/reviews" → "shops/{id}/reviews" */
export function endpointOf(path: string): string {
  return path.replaceAll(/\d+/g, '{id}');
}
