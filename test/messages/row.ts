/** A message that somebody may meet at the terminal. */
export interface Row {
  /** What is the case then. */
  readonly when: string;
  /** Brings it about. */
  readonly provoke: (folder: Folder) => Promise<Said>;
  /** All that is said, line by line. What differs from one machine or moment to another is in angle brackets. */
  readonly text: readonly string[];
  /** The line that says what to do next. Where the command goes on by itself, the words that say how. */
  readonly next: string;
  /** Of the command; left out where it goes on. */
  readonly exitCode?: number;
}

export interface Said {
  readonly text: string;
  readonly exitCode?: number | undefined;
}

/** A folder of the row's own. */
export interface Folder {
  readonly path: string;
  /** Writes files by their names, folders above them included. */
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
}
