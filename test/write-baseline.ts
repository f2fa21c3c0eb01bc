import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { baselineMask, baselineVector } from './baseline.ts';

// npm run baseline: after a change of test/baseline.ts. Size and hash of what it writes belong into lib/models/registry.ts.
for (const [name, file] of [
  ['baseline-mask.onnx', baselineMask()],
  ['baseline-vector.onnx', baselineVector()],
] as const) {
  await writeFile(new URL(`../lib/models/baseline/${name}`, import.meta.url), file);
  console.log(`${name}: bytes: ${file.length}, sha256: '${createHash('sha256').update(file).digest('hex')}'`);
}
