/** An attack, and what it must not achieve. */
export interface Attack {
  /** The line of SECURITY.md that it is tried against: how it begins. */
  readonly claim: string;
  readonly name: string;
  /** Throws where the attack succeeds. @param folder an empty one */
  readonly fails: (folder: string) => unknown;
}
