/** What one module of `npm run bench` has measured. */
export interface Section {
  readonly title: string;
  /** What stands above the columns after the first; where nothing is said: what was found here, and what is wanted. */
  readonly columns?: readonly string[];
  /** Of the table, each beginning with what it tells of. */
  readonly lines: readonly (readonly string[])[];
  /** The same and more, plain, for who reads the figures by program. */
  readonly figures: Record<string, unknown>;
}
