import type { KeyPath } from './pipeline/diagnostics.ts';

/** 1: the work failed. 2: the command line or the configuration is wrong. 75: stopped, to be resumed. */
export type UserExitCode = 1 | 2 | 3 | 75;

/**
 * An error whose message is meant for the person at the terminal and needs no stack trace.
 * Where it is thrown nothing is printed; the command prints message and hint once, and exits with `exitCode`.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitCode: UserExitCode;
  /** What to do next. Shown on a line of its own. */
  readonly hint: string;

  constructor(message: string, details: { exitCode: UserExitCode; hint: string; cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.exitCode = details.exitCode;
    this.hint = details.hint;
  }
}

export interface OptionMistake {
  /** Counted from `with:`, e.g. ['taxonomies', 1]. */
  readonly path: KeyPath;
  /** What was found, then what was expected. */
  readonly message: string;
  /** A second place that has to do with it. */
  readonly also?: { readonly path: KeyPath; readonly message: string };
}

/**
 * What a task finds wrong with its options once it has looked further than its schema can. Told in the lines of
 * pipeline.yaml, like every mistake in it, before any stage begins.
 */
export class OptionMistakes extends Error {
  override readonly name = 'OptionMistakes';
  readonly mistakes: readonly OptionMistake[];

  constructor(mistakes: readonly OptionMistake[]) {
    super(mistakes.map(({ message }) => message).join('; '));
    this.mistakes = mistakes;
  }
}
