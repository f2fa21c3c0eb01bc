// Where a thread that runs models begins. Like lib/sync-data.js it loads TypeScript as it lies there.
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';

const fsCache = fileURLToPath(new URL('../../node_modules/.cache/jiti', import.meta.url));
const jiti = createJiti(import.meta.url, { fsCache, interopDefault: false });
const { handle } = await jiti.import('./inference.ts');
export default handle;
