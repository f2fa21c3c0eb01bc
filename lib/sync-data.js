#!/usr/bin/env node
// Loads the TypeScript sources without a build step; only this file and those it imports are JavaScript.
import { loadLocalesLate, loaderFrom } from './start/loader.js';
import { startedWithLess } from './start/small-address-space.js';
import { keepHeapSmall, optimizeLate } from './start/engine.js';

const ended = await startedWithLess();
if (ended !== undefined) process.exit(ended);

optimizeLate();
keepHeapSmall();
loadLocalesLate();
const { main } = await loaderFrom(import.meta.url).import('./command.ts');
process.exit(await main(process.argv.slice(2), process));
