import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Marketplace } from './marketplace/index.ts';

/** With models that need no download. */
const PICTURES = `  - id: background
    task: ./tasks/background.ts
    alongside: [images]
    kill: KILL_BG
    with: { model: baseline }
  - id: embed
    task: ./tasks/embed.ts
    alongside: [background]
    kill: KILL_EMBED
    with: { models: [baseline] }
`;

/** A folder to run the command in as it is: the pipeline of the README, on these categories of the bundled marketplace. */
export async function writeDemoPipeline(
  folder: string,
  market: Pick<Marketplace, 'apiUrl' | 'imageHost'>,
  taxonomies: readonly number[],
  pictures = false,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'pipeline.yaml'),
    `# The demo's pipeline: categories of the bundled marketplace.
name: sync-data
api:
  baseUrl: ${market.apiUrl}
stages:
  - id: crawl
    task: ./tasks/crawl.ts
    with: { taxonomies: [${taxonomies.join(', ')}] }
  - id: images
    task: ./tasks/images.ts
    alongside: [crawl, reconcile]
    with: { hosts: ['${market.imageHost}'] }
  - id: reconcile
    task: ./tasks/reconcile.ts
    needs: [crawl]
  - id: verify
    task: ./tasks/verify.ts
    needs: [reconcile, images]
  - id: reviews
    task: ./tasks/reviews.ts
    needs: [verify]
${pictures ? PICTURES : ''}`,
  );
}
