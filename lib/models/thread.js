// Entry point of a thread that runs models. Like lib/sync-data.js it loads TypeScript without a build.
import { createJiti } from 'jiti';
import { compiledFolder } from '../start/compiled.js';

const fsCache = compiledFolder();
const jiti = createJiti(import.meta.url, { fsCache, interopDefault: false });
const { handle } = await jiti.import('./inference.ts');
export default handle;
