#!/usr/bin/env node
// With what it imports from beside it, the one file that is not TypeScript: it loads the rest as it lies there, with no build in between. What jiti makes of
// a file is kept under the hash of its text, so an edited task is what runs.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { compiledFolder } from './compiled.js';

// A run of days has little that lives long; with its usual generosity the heap would grow to four times that.
setFlagsFromString('--optimize-for-size');

// An import would parse its 190 kB once more, only to learn what it exports: a quarter of the time that --help takes.
const { createJiti } = createRequire(import.meta.url)('jiti');
const fsCache = compiledFolder();
// A task of one's own gets this sync-data, and the zod that checks its options, wherever it lies. Of zod the CommonJS form,
// whose files are opened one after the other: the modules are opened all at once, more than some systems allow.
const alias = {
  'sync-data': fileURLToPath(new URL('./index.ts', import.meta.url)),
  zod: createRequire(import.meta.url).resolve('zod'),
};
const jiti = createJiti(import.meta.url, { alias, fsCache, interopDefault: false });
const { main } = await jiti.import('./command.ts');
process.exit(await main(process.argv.slice(2), process));
