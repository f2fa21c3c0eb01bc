#!/usr/bin/env node
// The one file that is not TypeScript: it teaches node to load the rest as it lies there, with no build in between.
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./command.ts');
process.exit(await main(process.argv.slice(2), process));
