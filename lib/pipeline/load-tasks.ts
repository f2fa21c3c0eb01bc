import { readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Task } from '../task/task.ts';
import { closest } from '../text/nearest.ts';
import { fieldOf } from '../task/forms.ts';

/**
 * A task as a stage holds it. Which transaction and services its module was written against, nothing at run time can
 * tell: with the defaults a task takes whatever the runner hands it. Options and cursor are its own schemas' affair.
 */
export type AnyTask<Tx = unknown, Services = unknown> = Task<Tx, Services, unknown, unknown>;

export type LoadedTask =
  { readonly ok: true; readonly task: AnyTask } | { readonly ok: false; readonly problem: string };

/** The folder of sync-data itself; its own tasks are found from any folder. */
export const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

export type Loading = 'all' | 'own';

/**
 * Loads the task that a stage of the pipeline.yaml in `folder` names.
 * @param loading `own`: the code of a module that is not this package's is not run; its stage has no units then
 */
export async function loadTask(
  specifier: string,
  folder: string,
  loading: Loading = 'all',
): Promise<LoadedTask> {
  const isPath = /^\.{1,2}[\\/]/.test(specifier) || isAbsolute(specifier);
  const found = isPath ? findFile(specifier, folder) : findPackage(specifier, folder);
  if ('problem' in found) return { ok: false, problem: found.problem };
  if (loading === 'own' && !isOwn(found.module)) return { ok: true, task: unloaded(specifier) };
  try {
    const module: unknown = await import(found.module);
    return asTask(module);
  } catch (error) {
    const problem = `cannot be loaded: ${reasonOf(error, folder)}, expected a module that loads`;
    return { ok: false, problem };
  }
}

/**
 * The schema for a stage's `with:`. A plain z.object drops what it does not know without a word: a misspelt limit
 * would silently mean its default.
 */
export function optionsSchema(task: AnyTask): z.ZodType {
  const { options } = task;
  return options instanceof z.ZodObject && options.def.catchall === undefined ? options.strict() : options;
}

function isOwn(module: string): boolean {
  const tasks = pathToFileURL(join(realpathSync(packageFolder), 'tasks', sep)).href;
  return (
    module.startsWith('file:') && pathToFileURL(realpathSync(fileURLToPath(module))).href.startsWith(tasks)
  );
}

function unloaded(title: string): AnyTask {
  const cannot = (): never => {
    throw new Error('internal: a task that was not loaded cannot run');
  };
  return { title, options: z.unknown(), cursor: z.unknown(), units: () => [], run: cannot };
}

type Found = { readonly module: string } | { readonly problem: string };

function findFile(specifier: string, folder: string): Found {
  const candidates = candidatesOf(specifier, folder);
  const file = candidates.find(isFile);
  if (file !== undefined) return { module: pathToFileURL(file).href };
  const name = basename(specifier);
  const neighbours = candidates.flatMap((candidate) => filesIn(dirname(candidate)));
  // Imports elsewhere get along without the ending; here a file is named with it.
  const meant = neighbours.includes(`${name}.ts`) ? `${name}.ts` : closest(name, neighbours);
  const path = specifier.slice(0, specifier.length - name.length);
  const similar = meant === undefined ? '' : ` (did you mean ${path}${meant}?)`;
  const places = candidates.length > 1 ? ', neither beside pipeline.yaml nor in sync-data' : '';
  return { problem: `no such file${places}${similar}, expected a task module` };
}

function findPackage(specifier: string, folder: string): Found {
  try {
    const found = createRequire(join(folder, 'pipeline.yaml')).resolve(specifier);
    return { module: isAbsolute(found) ? pathToFileURL(found).href : found };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
      return {
        problem: `the package does not offer this module, expected one that it does, or the path of a file`,
      };
    }
    const isPath = candidatesOf(`./${specifier}`, folder).some(isFile);
    const similar = isPath ? ` (did you mean ./${specifier}?)` : '';
    return {
      problem: `no such package is installed here${similar}, expected one, or a path that starts with ./`,
    };
  }
}

/** Beside pipeline.yaml first; then the same place in sync-data, so that a folder of one's own needs no copy of its tasks. */
function candidatesOf(specifier: string, folder: string): string[] {
  const own = resolve(folder, specifier);
  const packaged = resolve(packageFolder, specifier);
  return packaged !== own && !isAbsolute(specifier) && packaged.startsWith(packageFolder)
    ? [own, packaged]
    : [own];
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // Not there, not to be looked at, or no path at all.
    return false;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No such folder: no file in it that could have been meant.
    return [];
  }
}

/** One line. Node's list of requiring modules and the way to the folder say nothing that helps. */
function reasonOf(error: unknown, folder: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const [reason = ''] = message.split('\nRequire stack:');
  return reason
    .trim()
    .replaceAll(`${folder}${sep}`, '')
    .replace(/\s*\n\s*/g, ' ');
}

const isSchema = (value: unknown): boolean => value instanceof z.ZodType;
const isFunction = (value: unknown): boolean => typeof value === 'function';

const isLeftOutOr =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || fits(value);

const parts = {
  title: (value: unknown) => typeof value === 'string' && value !== '',
  options: isSchema,
  cursor: isSchema,
  uses: isLeftOutOr((value) => Array.isArray(value) && value.every((name) => typeof name === 'string')),
  spends: isLeftOutOr((value) => value === 'requests' || value === 'work'),
  givesWayToNextRun: isLeftOutOr((value) => typeof value === 'boolean'),
  startsAhead: isLeftOutOr((value) => typeof value === 'boolean'),
  carriesOver: isLeftOutOr((value) => typeof value === 'boolean'),
  shares: isLeftOutOr(isFunction),
  tells: isLeftOutOr(isFunction),
  figures: isLeftOutOr(isFunction),
  prepare: isLeftOutOr(isFunction),
  units: isFunction,
  run: isFunction,
} satisfies Record<keyof AnyTask, (value: unknown) => boolean>;

const expectedTask =
  'expected a task: title (a text), options and cursor (zod schemas), units and run (functions)';

function asTask(module: unknown): LoadedTask {
  const value = fieldOf(module, 'default');
  if (value === undefined) return { ok: false, problem: `has no default export, ${expectedTask}` };
  const wrong = Object.entries(parts).filter(([part, fits]) => !fits(fieldOf(value, part)));
  if (wrong.length === 0) return { ok: true, task: value as AnyTask };
  const names = wrong.map(([part]) => part).join(', ');
  return { ok: false, problem: `its default export has no usable ${names}, ${expectedTask}` };
}
