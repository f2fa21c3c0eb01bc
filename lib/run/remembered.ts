import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { UserError } from '../errors.ts';

// A database outside the folder of pipeline.yaml may lie on a disk of its own. Where that is not mounted, an empty mount
// point looks like a folder in which nothing was ever begun: only a note on this side tells the two apart.

/** Beside pipeline.yaml: the path of the database that was last worked on. */
const NOTE = '.sync-data-database';

function isElsewhere(path: string, home: string): boolean {
  return relative(home, path).startsWith('..');
}

/**
 * @param path of the database, links followed @param home the folder of pipeline.yaml
 * @throws UserError (exit code 2) where there was a database under this path, and there is none now
 */
export function checkRemembered(path: string, home: string): void {
  if (!isElsewhere(path, home) || existsSync(path)) return;
  const note = join(home, NOTE);
  if (!existsSync(note) || readFileSync(note, 'utf8').trim() !== path) return;
  throw new UserError(`The database ${path} is gone; it was there in the last run. Is its disk mounted?`, {
    exitCode: 2,
    hint: `Mount it, or put ${basename(path)} back, then start sync-data again. To begin a new database instead: rm "${note}"`,
  });
}

/** For the next start. Where the folder cannot be written, it has to do without. */
export function remember(path: string, home: string): void {
  const note = join(home, NOTE);
  try {
    if (isElsewhere(path, home)) writeFileSync(note, `${path}\n`);
  } catch {
    // a folder of settings may well be read-only
  }
}
