// Runs node's test runner on every test of the folders that are named. The files are listed here because neither Node 20
// nor the shell of Windows expands a pattern.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const [concurrency, ...folders] = process.argv.slice(2);
const files = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`),
);
const args = ['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`, ...files];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
