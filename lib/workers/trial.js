// Entry point of a process that tries an accelerator: whatever its driver does, nothing but this process ends.
import { createJiti } from 'jiti';
import { compiledFolder } from '../start/compiled.js';

const jiti = createJiti(import.meta.url, { fsCache: compiledFolder(), interopDefault: false });
const { handle } = await jiti.import('../models/inference.ts');
process.on('message', async (task) => {
  await handle(task);
  // The first time it is loaded and warmed up.
  const begun = performance.now();
  const answer = await handle(task);
  process.send?.({ ...answer, ms: performance.now() - begun }, () => process.exit(0));
});
process.send?.('ready');
