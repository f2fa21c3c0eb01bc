import { lstatSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Where jiti keeps the compiled form of the TypeScript. Its files are executed, so it is a folder of this user that
 * nobody else may write to, or none: then every start compiles again.
 * @returns {string | false}
 */
export function compiledFolder(
  folder = fileURLToPath(new URL('../../node_modules/.cache/sync-data', import.meta.url)),
) {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const info = lstatSync(folder);
    const isOwn =
      process.getuid === undefined || (info.uid === process.getuid() && (info.mode & 0o022) === 0);
    return isOwn && info.isDirectory() ? folder : false;
  } catch {
    return false;
  }
}
