/** What the command line asks for. Where that cannot be told: says why, and how it is used, and ends with 2. */
export function orUsage<T>(usage: string, options: () => T): T {
  try {
    return options();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
