import { existsSync } from 'node:fs';
import { checkDatabaseFile, realDatabaseThere } from './database-file.ts';
import { marksOf } from './lock.ts';

/**
 * The path under which a database is read, where there is one: the one under which its lock lies, whichever link leads to it.
 * Not for the process that holds the lock: it has looked at its start, and looking again would drop its locks.
 *
 * @throws UserError (exit code 2) where the -wal beside it is of another copy, and SQLite would answer with a mixture of
 *   both; where the file has several hard links
 */
export async function pathToRead(path: string): Promise<string> {
  if (!existsSync(path)) return path;
  const real = await realDatabaseThere(path);
  const marks = await marksOf(real);
  // Without a lock file, as beside a copy, nobody remembers which -wal belongs to it.
  if (marks) await checkDatabaseFile(real, marks, 2);
  return real;
}
