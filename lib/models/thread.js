// Where a thread that runs models begins. Like lib/sync-data.js it loads TypeScript as it lies there.
import { createJiti } from 'jiti';
import { compiledFolder } from '../compiled.js';

const fsCache = compiledFolder();
const jiti = createJiti(import.meta.url, { fsCache, interopDefault: false });
const { handle } = await jiti.import('./inference.ts');
export default handle;
