import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What is wrong with the installation, or with the folder that the command was started in. */
export interface Fault {
  readonly message: string;
  readonly hint: string;
}

const CURE = `It is made for one system and one version of Node (this is ${process.version} on ${process.platform}, ${process.arch}). In the folder where sync-data is installed, run: npm rebuild sqlite3 (or, where that fails: npm ci).`;

/**
 * Looks whether the compiled part of sqlite3 is all there, where it is an ELF file: the system ends a process without a
 * word that loads half of one.
 */
export function cutShort(): Fault | undefined {
  let file: number | undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve('sqlite3/package.json');
    file = openSync(join(dirname(manifest), 'build', 'Release', 'node_sqlite3.node'), 'r');
    const header = Buffer.alloc(64);
    const length = readSync(file, header, 0, header.length, 0);
    const isElf64 = header.toString('latin1', 0, 5) === '\x7fELF\x02' && header[5] === 1;
    if (length < header.length || !isElf64) return undefined;
    // The table of sections is its last part: where it begins, how long a row is, how many rows there are.
    const end = Number(header.readBigUInt64LE(0x28)) + header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c);
    if (fstatSync(file).size >= end) return undefined;
    return { message: 'The compiled part of the package sqlite3 is incomplete.', hint: CURE };
  } catch {
    // What is not there, or cannot be read, its own loader tells.
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** @returns undefined where the error has another cause */
export function installationFault(error: unknown): Fault | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, syscall } = at as NodeJS.ErrnoException;
    if (code === 'ENOENT' && syscall === 'uv_cwd') {
      return {
        message: 'The current folder no longer exists.',
        hint: 'Change to the folder that holds pipeline.yaml, then start sync-data again.',
      };
    }
    if (code === 'EMFILE' || code === 'ENFILE') {
      return {
        message: `Too many files are open (${code}): this system allows too few at once.`,
        hint: 'Allow more, then start sync-data again: ulimit -n 256',
      };
    }
    // Said by the loader of sqlite3 where the file is missing, by the system where it is for another one, or cut short.
    const isMissing = at.message.includes('Could not locate the bindings file');
    if (isMissing || code === 'ERR_DLOPEN_FAILED') {
      const [why = ''] = at.message.split('\n');
      return {
        message: isMissing
          ? 'The compiled part of the package sqlite3 is missing.'
          : `The compiled part of the package sqlite3 cannot be loaded: ${why}`,
        hint: CURE,
      };
    }
    const name = /Cannot find (?:package|module) '([^']+)'/.exec(at.message)?.[1];
    if (name !== undefined && !/^[./]|^file:/.test(name)) {
      return {
        message: `The package ${name} is not installed.`,
        hint: 'In the folder where sync-data is installed, run: npm ci',
      };
    }
  }
  return undefined;
}
