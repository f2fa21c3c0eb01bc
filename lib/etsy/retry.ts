import type { ApiErrorKind } from './errors.ts';

/** Failures of one request before it is looked into whether the request or the API is at fault. */
export const PATIENCE = 8;
const LONGEST_BACKOFF_MS = 60_000;
/** Where 429 does not say for how long; times 1 to 2 at random. */
const RATE_PAUSE_MS = 500;
/** How late an attempt may be, beside twice the planned pause, without anything having come in between. */
const LATE_MS = 2000;

/** One failed attempt, and what is known then. All times in milliseconds. */
export interface Failure {
  readonly kind: ApiErrorKind;
  /** Of this request, this one included; waiting for our turn (rate, quota) is none. */
  readonly failures: number;
  /** Refusals of this request (4xx, redirects, the key), this one included. */
  readonly refusals: number;
  /** What the server asks for; undefined: nothing, or nothing that can be understood. */
  readonly retryAfterMs: number | undefined;
  /** What giveUpAfter still leaves. */
  readonly leftMs: number;
  readonly firstBackoffMs: number;
  /** 0 to 1. */
  readonly random: number;
}

export type Decision = { readonly act: 'retry'; readonly afterMs: number } | { readonly act: 'give up' };

/**
 * Whether a request is tried again, and after which pause. No pause outlasts what giveUpAfter still leaves; only the
 * daily quota is waited for without that limit, and not here.
 */
export function decide(failure: Failure): Decision {
  const { kind, refusals, leftMs } = failure;
  if (kind === 'quota') return { act: 'retry', afterMs: 0 };
  if (kind === 'hopeless') return { act: 'give up' };
  // One odd refusal amid good answers is met now and then; the same twice is meant.
  const isRefusal = kind === 'client' || kind === 'key';
  if (isRefusal ? refusals > 1 : leftMs <= 0) return { act: 'give up' };
  return { act: 'retry', afterMs: Math.min(pauseAfter(failure), Math.max(0, leftMs)) };
}

function pauseAfter({
  kind,
  failures,
  refusals,
  retryAfterMs,
  leftMs,
  firstBackoffMs,
  random,
}: Failure): number {
  const doublings = Math.max(0, failures + refusals - 1);
  const backoff = (1 + random) * (kind === 'rate' ? RATE_PAUSE_MS : firstBackoffMs * 2 ** doublings);
  // A date so far ahead that nobody would be there any more: asked in between, there may be an answer after all.
  const asked = (retryAfterMs ?? 0) <= leftMs ? (retryAfterMs ?? 0) : leftMs / 2;
  return Math.max(Math.min(backoff, LONGEST_BACKOFF_MS), asked);
}

/** A time without any good answer, over all requests. */
export interface Trouble {
  /** How much of it was spent trying, pauses between tries included. Milliseconds. */
  readonly observedMs: number;
  /** The last failure, in the terms of `Attempt`. */
  readonly at: number;
  readonly stoodStillMs: number;
  /** The longest pause planned since it began. Milliseconds. */
  readonly plannedMs: number;
}

/** Milliseconds; times on a clock that stands still while the process does. */
export interface Attempt {
  readonly began: number;
  readonly failed: number;
  /** How long the process has stood still by now, all in all. */
  readonly stoodStillMs: number;
  /** How far apart the throttle lets requests through. */
  readonly turnMs: number;
}

/**
 * After one more failed attempt. Where much more time has passed than was planned (a closed laptop, a stopped process, a
 * wait for the daily quota), nobody knows how it was meanwhile: the count starts anew.
 */
export function troubled(
  before: Trouble | undefined,
  { began, failed, stoodStillMs, turnMs }: Attempt,
): Trouble {
  const fresh = { observedMs: 0, at: failed, stoodStillMs, plannedMs: 0 };
  if (!before) return fresh;
  const gap = Math.max(began - before.at, stoodStillMs - before.stoodStillMs);
  if (gap > 2 * (before.plannedMs + turnMs) + LATE_MS) return fresh;
  const observedMs = before.observedMs + Math.max(0, failed - before.at);
  return { ...before, observedMs, at: Math.max(failed, before.at), stoodStillMs };
}
