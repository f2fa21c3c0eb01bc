#!/usr/bin/env node
// Loads the TypeScript sources without a build step; only this file and the two it imports from beside it are
// JavaScript. jiti keeps what it compiles under the hash of the source, so an edited task is what runs.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { compiledFolder } from './compiled.js';
import { startedWithLess } from './small-address-space.js';

const ended = await startedWithLess();
if (ended !== undefined) process.exit(ended);

// A run of days has little that lives long; with its usual generosity the heap would grow to four times that.
setFlagsFromString('--optimize-for-size');

// An import would parse its 190 kB once more, only to learn what it exports: a quarter of the time that --help takes.
const { createJiti } = createRequire(import.meta.url)('jiti');
const fsCache = compiledFolder();
// Your own tasks get this sync-data, and the zod that checks their options, wherever they are. Zod in its CommonJS form,
// whose files are opened one by one: the ES modules are opened all at once, more than some systems allow.
const alias = {
  'sync-data': fileURLToPath(new URL('./index.ts', import.meta.url)),
  zod: createRequire(import.meta.url).resolve('zod'),
};
const jiti = createJiti(import.meta.url, { alias, fsCache, interopDefault: false });
const { main } = await jiti.import('./command.ts');
process.exit(await main(process.argv.slice(2), process));
