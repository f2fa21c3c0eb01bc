import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DownloadsInput {
  readonly images: readonly { readonly id: number; readonly url: string }[];
  readonly folder: string;
}

/** The least that these downloads can take: one after the other over a kept-alive connection, each written to its file. */
export async function main({ images, folder }: DownloadsInput): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { id, url } of images) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
    await writeFile(join(folder, `${id}.jpg`), Buffer.from(await response.arrayBuffer()));
  }
}
