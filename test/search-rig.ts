import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../lib/dataset/migrations.ts';
import { addListings, addListingsDynamic } from '../lib/dataset/listings.ts';
import { addShops } from '../lib/dataset/shops.ts';
import { addWords } from '../lib/dataset/words.ts';
import { loadPipeline } from '../lib/pipeline/config.ts';
import type { Pipeline } from '../lib/pipeline/config.ts';
import { Search } from '../lib/search/engine.ts';
import { Database } from '../lib/store/database.ts';
import type { Tx } from '../lib/store/database.ts';
import { putVectors } from '../lib/vectors/embeddings.ts';
import { completeSpace, ensureSpace } from '../lib/vectors/spaces.ts';
import { listing, NOW, shop, FRESH } from './store-rig.ts';

export interface Piece {
  readonly id: number;
  readonly title: string;
  readonly materials?: readonly string[];
  /** Cents. */
  readonly price?: number;
  readonly state?: string;
  readonly taxonomy?: number;
  readonly made?: string;
  readonly shop?: number;
  /** Where it points; of 8 dimensions. */
  readonly looks?: readonly number[];
  readonly url?: string;
  /** sha256 of its picture. */
  readonly picture?: string;
}

/** A folder with a dataset of these pieces, as the stages leave it, to be searched. */
export class SearchRig {
  readonly folder: string;
  readonly pipeline: Pipeline;
  readonly engine: Search;

  private constructor(folder: string, pipeline: Pipeline, engine: Search) {
    this.folder = folder;
    this.pipeline = pipeline;
    this.engine = engine;
  }

  static async open(pieces: readonly Piece[]): Promise<SearchRig> {
    const folder = await mkdtemp(join(tmpdir(), 'search-'));
    await mkdir(join(folder, 'images'));
    await writeFile(join(folder, 'pipeline.yaml'), 'stages:\n  - { id: verify, task: ./tasks/verify.ts }\n');
    const database = await Database.open(join(folder, 'etsy_data.db'));
    await migrate(database);
    await database.write((tx) => fill(tx, pieces));
    await database.close();
    const pipeline = await loadPipeline(folder, { tasks: 'own' });
    const engine = await Search.open(pipeline, new AbortController().signal);
    return new SearchRig(folder, pipeline, engine);
  }

  async close(): Promise<void> {
    await this.engine.close();
    await rm(this.folder, { recursive: true });
  }

  /** The ids that are found, best first. */
  async ids(ask: Parameters<Search['ask']>[0] | string): Promise<number[]> {
    const asked = typeof ask === 'string' ? { words: ask, listings: [], pictures: [] } : ask;
    return (await this.engine.ask(asked)).results.map((result) => result.listing.listing_id);
  }
}

async function fill(tx: Tx, pieces: readonly Piece[]): Promise<void> {
  const rows = pieces.map(({ id, title, materials = [], price = 10_000, state = 'active', ...more }) =>
    listing(id, NOW, {
      title,
      materials: JSON.stringify(materials),
      price_amount: price,
      price_divisor: 100,
      price_currency: 'USD',
      state,
      taxonomy_id: more.taxonomy ?? 975,
      when_made: more.made ?? '2020_2026',
      shop_id: more.shop ?? 7,
      url: more.url ?? `https://www.etsy.com/listing/${id}`,
    }),
  );
  await addListings(tx, rows);
  await addListingsDynamic(tx, rows, FRESH);
  await addShops(
    tx,
    [...new Set(pieces.map((piece) => piece.shop ?? 7))].map((id) => ({
      ...shop(id),
      url: `https://www.etsy.com/shop/S${id}`,
    })),
    FRESH,
  );
  await addWords(
    tx,
    pieces.map(({ id }) => id),
  );
  await tx.run(
    `INSERT INTO taxonomy (taxonomy_id, parent_id, name, fetched_at)
     VALUES (967, NULL, 'Furniture', 0), (973, 967, 'Dining Room Furniture', 0), (975, 973, 'Dining Chairs', 0), (1001, 967, 'Desks', 0)`,
  );
  for (const { id, picture } of pieces)
    await tx.run(
      "INSERT OR REPLACE INTO images (listing_id, state, sha256, attempts) VALUES ((SELECT value FROM json_each(?)), 'done', ?, 0)",
      [JSON.stringify([id]), picture ?? null],
    );
  const looking = pieces.flatMap(({ id, looks }) =>
    looks ? [{ listingId: id, source: 's', stamp: 's', vector: looks }] : [],
  );
  const space = await ensureSpace(
    tx,
    { kind: 'image', model: 'baseline', sha256: 'f'.repeat(64), recipe: 1, input: 'image', dims: 8 },
    NOW,
  );
  await putVectors(tx, space, looking);
  await completeSpace(tx, space.id, NOW);
}
