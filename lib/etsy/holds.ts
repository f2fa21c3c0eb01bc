/** Something that is waited for. */
export interface Hold {
  readonly reason: string;
  /** Epoch ms. */
  readonly until: number;
}

/** Of all waits that are under way at a time, tells of the one that ends last. */
export class Holds {
  readonly #under = new Set<Hold>();
  readonly #told: (hold: Hold | undefined) => void;
  #shown: Hold | undefined;

  /** @param told called with the wait to show, undefined once there is none */
  constructor(told: (hold: Hold | undefined) => void) {
    this.#told = told;
  }

  /** @returns ends it */
  begin(reason: string, until: number): () => void {
    const hold = { reason, until };
    this.#under.add(hold);
    this.#show();
    return () => {
      this.#under.delete(hold);
      this.#show();
    };
  }

  #show(): void {
    const longest = [...this.#under].reduce<Hold | undefined>(
      (last, hold) => (last === undefined || hold.until > last.until ? hold : last),
      undefined,
    );
    if (longest === this.#shown) return;
    this.#shown = longest;
    this.#told(longest);
  }
}
