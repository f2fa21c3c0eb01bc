/** Where something is in pipeline.yaml: ['stages', 0, 'with']. */
export type KeyPath = readonly (string | number)[];

export interface OptionMistake {
  /** Counted from `with:`, e.g. ['hosts', 1]. */
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
