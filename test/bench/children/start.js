// Runs a module beside it as the command itself is run, by jiti: start.js MODULE FILE_OF_ITS_INPUT
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { compiledFolder } from '../../../lib/start/compiled.js';

const [module, input] = process.argv.slice(2);
const fsCache = compiledFolder();
const jiti = createJiti(import.meta.url, { fsCache, interopDefault: false });
const { main } = await jiti.import(`./${module}`);
process.exit((await main(JSON.parse(readFileSync(input, 'utf8')))) ?? 0);
