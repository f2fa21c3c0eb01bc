#!/usr/bin/env node
// Loads the TypeScript sources without a build step; only this file and those it imports are JavaScript.
import { setFlagsFromString } from 'node:v8';
import { loadLocalesLate, loaderFrom } from './loader.js';
import { startedWithLess } from './small-address-space.js';

const ended = await startedWithLess();
if (ended !== undefined) process.exit(ended);

// A run of days has little that lives long; with its usual generosity the heap would grow to four times that.
setFlagsFromString('--optimize-for-size');

loadLocalesLate();
const { main } = await loaderFrom(import.meta.url).import('./command.ts');
process.exit(await main(process.argv.slice(2), process));
