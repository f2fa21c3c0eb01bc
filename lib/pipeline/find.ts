import { lstat, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as cosmiconfig from 'cosmiconfig/dist/Explorer.js';
import { UserError } from '../errors.ts';
import { MOST_SETTINGS_BYTES } from '../limits.ts';
import { readRegular } from '../store/files.ts';
import { packageFolder } from './load-tasks.ts';

const NAME = 'pipeline.yaml';

/**
 * The class behind the function cosmiconfig(), which first looks for settings of its own in the current folder, and runs
 * them where they are a script. Its types are not published.
 */
const { Explorer } = cosmiconfig as unknown as {
  Explorer: new (options: object) => { search(folder: string): Promise<{ config?: unknown } | null> };
};

/**
 * The pipeline.yaml of this folder, or of the nearest above it, as text: nothing else is looked for, and nothing is run.
 * @throws UserError where there is none, where it cannot be read, or where another user may have put it above this folder
 */
export async function findPipeline(cwd: string): Promise<{ readonly file: string; readonly text: string }> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, NAME);
    if (await isThere(file)) {
      if (folder !== resolve(cwd)) await refuseStrangers(file);
      return { file, text: await read(file) };
    }
    if (folder === dirname(folder)) break;
  }
  throw new UserError(`No pipeline.yaml in ${cwd} or any folder above it.`, {
    exitCode: 2,
    hint: `Copy the one that ships with sync-data into a folder of your own and start there: ${join(packageFolder, NAME)}`,
  });
}

async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

interface Owned {
  readonly uid: number;
  readonly mode: number;
}

/**
 * Whoever may put a file above the folder somebody works in could have his tasks run with that somebody's rights.
 * @returns why that may be so; undefined: only `me` and root can have put it there
 */
export function whoseElse(me: number, folder: Owned, file: Owned, link: Owned = file): string | undefined {
  if ([file, link].some(({ uid }) => uid !== me && uid !== 0)) return 'it belongs to another user';
  // The mode of a link says nothing.
  if ([folder, file].some(({ mode }) => (mode & 0o002) !== 0))
    return 'any user of this computer may change it';
  return undefined;
}

async function refuseStrangers(file: string): Promise<void> {
  const me = process.getuid?.();
  if (me === undefined) return;
  const folder = dirname(file);
  const link = await lstat(file);
  // Of a link that leads nowhere, reading tells.
  const why = whoseElse(me, await stat(folder), await stat(file).catch(() => link), link);
  if (why === undefined) return;
  throw new UserError(`${file} was not read: ${why}, and you started in a folder below it.`, {
    exitCode: 2,
    hint: `If you trust it, start in ${folder}. Otherwise put a pipeline.yaml of your own into this folder.`,
  });
}

/** Checked and read through one handle; a pipe in its place is refused rather than waited for. */
async function read(file: string): Promise<string> {
  try {
    const { bytes } = await readRegular(file, 'follow', MOST_SETTINGS_BYTES);
    const explorer = new Explorer({
      moduleName: 'sync-data',
      searchPlaces: [NAME],
      loaders: { '.yaml': () => new TextDecoder().decode(bytes) },
      searchStrategy: 'none',
      ignoreEmptySearchPlaces: false,
      stopDir: dirname(file),
      cache: false,
      transform: (result: unknown) => result,
      metaConfigFilePath: null,
      mergeImportArrays: false,
      mergeSearchPlaces: false,
      applyPackagePropertyPathToConfiguration: false,
    });
    const found = await explorer.search(dirname(file));
    return typeof found?.config === 'string' ? found.config : '';
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const reason = said.replace(`${file} `, 'it ').replace(/^\w+: |, (?!not).*$/g, '');
    throw new UserError(`cannot read ${file}: ${reason}`, {
      exitCode: 2,
      cause,
      hint: 'Nothing was started. Make it a file that you can read, and start again.',
    });
  }
}
