/** What one module of `npm run bench` has measured. */
export interface Section {
  readonly title: string;
  readonly lines: readonly (readonly [what: string, value: string, wanted?: string])[];
  /** The same and more, plain, for who reads the figures by program. */
  readonly figures: Record<string, unknown>;
}
