import { isAbsolute } from 'node:path';
import { UserError } from '../errors.ts';
import { Database } from '../store/database.ts';

const INSTALL = 'npm install sqlite-vec@0.1.9';

/**
 * The dataset, to be read and searched by vectors: a connection of its own that cannot write, on which sqlite-vec is
 * loaded from its package and loading is off again. For the database that pipeline.yaml names, never another.
 *
 * @throws UserError where sqlite-vec is not installed or has nothing for this system
 * @throws StoreError where the database cannot be opened
 * @param path real path, checked: see `pathToRead`
 */
export async function openVectors(path: string): Promise<Database> {
  return Database.open(path, { readOnly: true, extension: await extensionPath() });
}

async function extensionPath(): Promise<string> {
  try {
    const { getLoadablePath } = await import('sqlite-vec');
    const path = getLoadablePath();
    if (isAbsolute(path)) return path;
    throw new Error(`not an absolute path: ${path}`);
  } catch (cause) {
    throw new UserError(
      'Search by vectors needs the package sqlite-vec, which is not installed or not made for this system.',
      { exitCode: 1, cause, hint: `Install it beside sync-data: ${INSTALL}` },
    );
  }
}
