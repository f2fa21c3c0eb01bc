#!/usr/bin/env node
// The one file that is not TypeScript: it teaches node to load the rest as it lies there, with no build in between.
import { setFlagsFromString } from 'node:v8';
import { register } from 'tsx/esm/api';

// A run of days has little that lives long; with its usual generosity the heap would grow to four times that.
setFlagsFromString('--optimize-for-size');

register();
const { main } = await import('./command.ts');
process.exit(await main(process.argv.slice(2), process));
