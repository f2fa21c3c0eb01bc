import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { UserError } from '../errors.ts';
import { MOST_SETTINGS_BYTES } from '../limits.ts';
import { readRegular, replaceFile } from '../store/files.ts';

// A database outside the folder of pipeline.yaml may be on a disk of its own. If that is not mounted, its empty mount
// point looks like a folder in which nothing was ever begun: only a note on this side tells the two apart.

/** Beside pipeline.yaml: the path of the database that was last worked on. */
const NOTE = '.sync-data-database';

function isElsewhere(path: string, home: string): boolean {
  return relative(home, path).startsWith('..');
}

/** @returns undefined where there is no note, or none that can be read */
async function noted(note: string): Promise<string | undefined> {
  const found = await readRegular(note, 'refuse', MOST_SETTINGS_BYTES).catch(() => undefined);
  return found?.bytes.toString().trim();
}

/**
 * @param path of the database, links followed @param home the folder of pipeline.yaml
 * @throws UserError (exit code 2) where there was a database under this path, and there is none now
 */
export async function checkRemembered(path: string, home: string): Promise<void> {
  if (!isElsewhere(path, home) || existsSync(path)) return;
  const note = join(home, NOTE);
  if ((await noted(note)) !== path) return;
  throw new UserError(`The database ${path} is gone; it was there in the last run. Is its disk mounted?`, {
    exitCode: 2,
    hint: `Mount it, or put ${basename(path)} back, then start sync-data again. To begin a new database instead: rm "${note}"`,
  });
}

/** For the next start. Where the folder cannot be written, it has to do without. */
export async function remember(path: string, home: string): Promise<void> {
  const note = join(home, NOTE);
  if (!isElsewhere(path, home) || (await noted(note)) === path) return;
  // A folder of settings may well be read-only.
  await replaceFile(note, `${note}.tmp`, false, (file) => file.writeFile(`${path}\n`)).catch(() => undefined);
}
