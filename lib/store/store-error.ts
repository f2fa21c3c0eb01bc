import { UserError } from '../errors.ts';

/** What the database file itself refuses: full disk, read-only, corruption, another writer. */
export class StoreError extends UserError {
  override readonly name = 'StoreError';
  readonly code: string;

  constructor(path: string, code: string, cause: Error) {
    const hint = HINTS[code] ?? 'The last checkpoint is safe; start sync-data again to resume.';
    super(`${path}: ${cause.message}`, { exitCode: 1, hint, cause });
    this.code = code;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  SQLITE_FULL:
    'The disk is full. Free some space, then start sync-data again; it resumes from the last checkpoint.',
  SQLITE_IOERR:
    'Reading or writing the file failed. Check the disk and its free space, then start sync-data again.',
  SQLITE_READONLY: 'The file or its folder is read-only. Make both writable, then start sync-data again.',
  SQLITE_CANTOPEN: 'Check that the folder exists and is writable, then start sync-data again.',
  SQLITE_BUSY:
    'Another program has locked the database. Close it (perhaps a database browser), then start sync-data again.',
  SQLITE_CORRUPT:
    'The file is damaged; sync-data does not repair it. Restore a copy, or rescue what is readable with: sqlite3 FILE ".recover" | sqlite3 NEW_FILE',
  SQLITE_NOTADB:
    'Either this is not a SQLite database (then name the right file in pipeline.yaml under data: database), or its first page is damaged (then restore a copy). Nothing was changed.',
};

/** What the driver throws, with the file it is about and what to do; all else as it is. */
export function asStoreError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? new StoreError(path, code, error) : error;
}
