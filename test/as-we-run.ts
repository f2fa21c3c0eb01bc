/** How these tests are told to compile, if they are: see run-tests.mjs. What they start compiles likewise. */
export const COMPILING: readonly string[] = process.execArgv.filter((flag) =>
  flag.startsWith('--interrupt-budget='),
);
