/** Keeps drawings between runs: one takes a fifth of a second, and every test of images needs the same few. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Order } from './draw.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/marketplace', import.meta.url));
let folder: string | undefined;

/** A drawing as a JPEG file: the one that is kept, or what `draw` makes now. */
export async function drawn(order: Order, draw: (order: Order) => Buffer | Promise<Buffer>): Promise<Buffer> {
  folder ??= `${CACHE}/${hashOfSources()}`;
  const path = `${folder}/${[order.kind, order.drawing, order.width ?? ''].join('-')}.jpg`;
  const kept = await readFile(path).catch(() => undefined);
  if (kept) return kept;
  const jpeg = await draw(order);
  try {
    await mkdir(folder, { recursive: true });
    // Whole or not at all, whoever else draws the same.
    await writeFile(`${path}.${process.pid}`, jpeg);
    await rename(`${path}.${process.pid}`, path);
  } catch {
    // Then the next one draws it again.
  }
  return jpeg;
}

/** What a drawing looks like is up to these files, and to the encoder. */
function hashOfSources(): string {
  const hash = createHash('sha256');
  const sources = readdirSync(HERE).map((name) => HERE + name);
  for (const path of [...sources.toSorted(), `${HERE}../images.ts`, `${HERE}../kinds.ts`])
    hash.update(readFileSync(path));
  hash.update(readFileSync(fileURLToPath(import.meta.resolve('jpeg-js/package.json'))));
  return hash.digest('hex').slice(0, 16);
}
