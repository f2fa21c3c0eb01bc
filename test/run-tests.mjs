// Runs node's test runner on every test of the folders that are named: CONCURRENCY FOLDER…
// The files are listed here because neither Node 20 nor the shell of Windows expands a pattern.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Loading the TypeScript takes longer than most tests: several files of a folder share one of so many processes. */
const GROUPS = 8;
/** First, and by themselves: they take minutes, or use up what a process has. */
const APART = ['workers', 'chaos', 'documents', 'attacks'].map((name) => `test/runs/${name}.test.ts`);
/** A test, or a file of tests, that takes longer is stuck, and fails: the longest file takes two minutes. Milliseconds. */
const STUCK_MS = 1_800_000;
const LATE = pathToFileURL('test/late.mjs').href;
const GROUPED = join('node_modules', '.cache', 'test-groups');

const [concurrency, ...folders] = process.argv.slice(2);
const files = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`),
);
const apart = files.filter((file) => !mayShare(file));
rmSync(GROUPED, { recursive: true, force: true });
const entries = [
  // The runner begins them in the order of their paths.
  ...APART.filter((file) => apart.includes(file)).map((file, place) => loading(`${place}-apart`, [file])),
  ...folders.flatMap((folder) => grouped(folder)),
  ...apart.filter((file) => !APART.includes(file)),
];
const args = [
  // Where time is measured it is as it always is.
  ...(folders.includes('test/alone') ? [] : ['--import', LATE]),
  '--import',
  'tsx',
  '--test',
  `--test-concurrency=${concurrency}`,
  `--test-timeout=${STUCK_MS}`,
  ...entries,
];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;

/** Tests of time run alone; those with hooks around every test, or that change the process, have one of their own. */
function mayShare(file) {
  if (APART.includes(file) || file.startsWith('test/alone/')) return false;
  return !/^(?:beforeEach|afterEach|aroundEach)\(|process\.(?:env\[|chdir|umask|exitCode)|setFlagsFromString/m.test(
    readFileSync(file, 'utf8'),
  );
}

/** @returns the files that load the tests of a folder, a group each */
function grouped(folder) {
  const own = files.filter((file) => dirname(file) === folder && mayShare(file));
  return Array.from({ length: Math.min(GROUPS, own.length) }, (_, group) =>
    loading(
      `${basename(folder)}-${group + 1}`,
      own.filter((_, index) => index % GROUPS === group),
    ),
  );
}

/** @returns a file that loads these */
function loading(name, members) {
  mkdirSync(GROUPED, { recursive: true });
  const path = join(GROUPED, `${name}.test.mjs`);
  writeFileSync(path, members.map((file) => `await import('${pathToFileURL(file).href}');\n`).join(''));
  return path;
}
