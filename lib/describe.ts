import { Stopped } from './pipeline/stop.ts';
import { FileError, asFileError } from './store/files.ts';
import { asTyped } from './text/typed.ts';

const UNFORESEEN = 'Unexpected error. Your last checkpoint is safe; run sync-data again to resume.';

/** The message, and what to do next on a line of its own; the trace only where nobody foresaw the error. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return `sync-data: ${String(error)}\n${UNFORESEEN}`;
  if (error instanceof Stopped)
    return asTyped(`Stopped: ${error.message}.\nEverything is saved. To resume: npx sync-data`);
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
  if (hint !== undefined) return `${error.message}\n${asTyped(hint)}`;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : 'a file';
  const named = asFileError(path, error);
  if (named instanceof FileError && named !== error) return describe(named);
  if (error.name === 'ApiError') return error.message;
  return `${error.stack ?? error.message}\n${UNFORESEEN}`;
}

export function exitCodeOf(error: unknown): number {
  return error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number'
    ? error.exitCode
    : 1;
}
