// Runs node's test runner on every test of the folders that are named: CONCURRENCY FOLDER…
// The files are listed here because neither Node 20 nor the shell of Windows expands a pattern.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Loading the TypeScript takes longer than most quick tests: several files share a process, as many as make this many. */
const GROUPS = 8;
const GROUPED = join('node_modules', '.cache', 'test-groups');

const [concurrency, ...folders] = process.argv.slice(2);
const files = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`),
);
const args = [
  '--import',
  'tsx',
  '--test',
  `--test-concurrency=${concurrency}`,
  ...grouped(files.filter(mayShare)),
  ...files.filter((file) => !mayShare(file)),
];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;

/** Quick tests start no process. Those with hooks around every test, or that change the process, have one of their own. */
function mayShare(file) {
  if (!/^test\/[^/]+$/.test(file)) return false;
  return !/^(?:beforeEach|afterEach)\(|process\.(?:env\[|chdir|umask|exitCode)|setFlagsFromString/m.test(
    readFileSync(file, 'utf8'),
  );
}

function grouped(files) {
  rmSync(GROUPED, { recursive: true, force: true });
  mkdirSync(GROUPED, { recursive: true });
  return Array.from({ length: Math.min(GROUPS, files.length) }, (_, group) => {
    const own = files.filter((_, index) => index % GROUPS === group);
    const path = join(GROUPED, `${group + 1}.test.mjs`);
    writeFileSync(path, own.map((file) => `await import('${pathToFileURL(file).href}');\n`).join(''));
    return path;
  });
}
